package channel

import (
	"context"
	"errors"
	"time"
)

// Lister is a Provider that can list what it holds of an account: what the account's
// numbers received, and what became of what they sent. Not all can.
type Lister interface {
	// List asks for a page of what the carrier dates on a day in UTC: the first one
	// when next is empty, else that which the page before names. It makes one call,
	// bounded by ctx, and sends nothing to anybody.
	List(ctx context.Context, a Account, day time.Time, next string) (Listing, error)
	// Files asks for the files of a listed message, and gives them to it. ErrGone says
	// that the carrier has none any more.
	Files(ctx context.Context, a Account, m *Inbound) error
}

// ErrGone is what a Lister answers for what the carrier does not hold any more.
var ErrGone = errors.New("the carrier no longer has it")

// Listing is a page of what a carrier holds, in the carrier's order.
type Listing struct {
	// Messages and Receipts have the ids that webhooks of them have.
	Messages []Listed
	Receipts []Receipt
	Next     string // empty on the last page
}

// Listed is a message that was received, as a list tells it: how many files came with
// it, but not which.
type Listed struct {
	Inbound
	FileCount int
}
