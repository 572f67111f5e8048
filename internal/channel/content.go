package channel

import "fmt"

// Content is what a message carries to the customer. Its kinds are the types of
// this package that implement it.
type Content interface{ content() }

// Text is plain text.
type Text string

func (Text) content() {}

// Unsupported is the result of a provider that cannot send a kind of content. It is
// permanent: no repetition helps.
func Unsupported(c Content) Result {
	return Result{Outcome: Rejected, Code: CannotBeSent, Detail: fmt.Sprintf("the adapter cannot send %T", c)}
}
