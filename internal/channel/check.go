package channel

import "context"

// Checker is a Provider that can tell whether an account works. Not all can.
type Checker interface {
	// Check asks the carrier, bounded by ctx, and sends nothing to anybody. Its error
	// says in plain words what is wrong, without the secret.
	Check(ctx context.Context, a Account) error
}
