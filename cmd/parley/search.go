package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"parley/app"
	"parley/internal/desk/textindex"
	"parley/internal/ground/progress"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// searchCmd looks after the search index.
type searchCmd struct {
	Rebuild rebuildCmd `cmd:"" help:"Rebuild the search index while servers keep running and search the old one. May be interrupted and run again."`
}

type rebuildCmd struct{}

// Run implements the command.
func (*rebuildCmd) Run(ctx context.Context, c *cli, out io.Writer) (err error) {
	a, err := app.Open(ctx, c.config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	ctx = viewer.AsSystem(ctx, "search")
	if err := rebuild(ctx, a.Store); err != nil {
		return progress.Interrupted(ctx, err, "while building the search index; run it again to continue, or let the server finish it")
	}
	fmt.Fprintln(out, "The search index is built.")
	return nil
}

func rebuild(ctx context.Context, s *store.Store) error {
	if err := textindex.Rebuild(ctx, s); err != nil {
		return err
	}
	show := progress.New(os.Stderr, "search", "messages")
	defer show.Close()
	for more := true; more; {
		state, left, err := textindex.Step(ctx, s)
		if err != nil {
			return err
		}
		done, of, _ := state.Building()
		show.At(done, of)
		more = left
	}
	return errors.Join(textindex.Tidy(ctx, s), textindex.Retire(ctx, s))
}
