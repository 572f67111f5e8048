package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"parley/internal/app"
)

// inboundCmd looks after what carriers posted.
type inboundCmd struct {
	CatchUp catchUpCmd `cmd:"" help:"Take in what carriers hold and we never got, after an outage: asks them for what was received, and for what became of what was sent."`
	Rerun   rerunCmd   `cmd:"" help:"Take in again what could not be taken in: after a missing sender ID was made, or a newer version understands more."`
}

// rerunCmd runs FAILED entries again. It may run beside a server.
type rerunCmd struct {
	Most int `default:"1000" least:"1" help:"How many to try at most, oldest first."`
}

// Run implements the command.
func (r *rerunCmd) Run(ctx context.Context, c *cli, out io.Writer) (err error) {
	if r.Most < 1 || r.Most > 100_000 {
		return errors.New("--most is 1 to 100000")
	}
	a, err := app.Open(ctx, app.Config{Database: c.Database})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	tried, taken, err := a.Receiver.Rerun(ctx, r.Most)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Entries tried: %d. Taken in: %d. Still failed: %d.\n", tried, taken, tried-taken)
	return nil
}
