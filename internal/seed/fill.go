package seed

import (
	"context"
	"io"

	"parley/internal/directory"
	"parley/internal/store"
)

// Options say how much to make.
type Options struct {
	Conversations int
	Messages      int
	Seed          int64
	// Progress shows how far it is: a bar on a terminal, lines elsewhere; nil
	// shows nothing.
	Progress io.Writer
}

// Demo makes what "make run" shows.
func Demo(ctx context.Context, d *directory.Directory, s *store.Store) error {
	return Fill(ctx, d, s, Options{Conversations: 40, Messages: 400, Seed: 1})
}

// Fill makes the organisation and conversations.
func Fill(ctx context.Context, d *directory.Directory, s *store.Store, o Options) error {
	return Organisation(ctx, d, s)
}
