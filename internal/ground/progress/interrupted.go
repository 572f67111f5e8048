package progress

import (
	"context"
	"errors"
)

// interruption is the error of work that was stopped by its context.
type interruption struct {
	text  string
	cause error
}

// Error implements error.
func (i *interruption) Error() string { return i.text }

// Unwrap returns what the stop made fail.
func (i *interruption) Unwrap() error { return i.cause }

// Interrupted returns err, unless ctx was cancelled: then an error that says what was
// going on and how to go on, such as "while reading; run it again to continue". What a
// part of the work has said of it stands. Nil stays nil.
func Interrupted(ctx context.Context, err error, what string) error {
	var said *interruption
	switch {
	case err == nil || ctx.Err() == nil:
		return err
	case errors.As(err, &said):
		return said
	}
	return &interruption{"interrupted " + what, err}
}
