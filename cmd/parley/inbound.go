package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"parley/app"
)

// inboundCmd looks after what carriers posted.
type inboundCmd struct {
	Status  inboundStatusCmd `cmd:"" help:"Show when each account was last heard, what could not be processed and why, and how to go on. Changes nothing."`
	CatchUp catchUpCmd       `cmd:"" help:"Fetch messages and statuses missed during an outage: asks carriers for received messages, and for the status of sent ones."`
	Rerun   rerunCmd         `cmd:"" help:"Process failed webhook entries again, after you added a missing sender ID or updated to a version that understands more."`
}

// rerunCmd runs FAILED entries again. It may run beside a server.
type rerunCmd struct {
	Most int `default:"1000" least:"1" help:"Maximum number to try, oldest first."`
}

// Run implements the command.
func (r *rerunCmd) Run(ctx context.Context, c *cli, out io.Writer) (err error) {
	if r.Most < 1 || r.Most > 100_000 {
		return errors.New("--most must be 1 to 100000")
	}
	a, err := app.Open(ctx, c.config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	tried, taken, err := a.Receiver.Rerun(ctx, r.Most)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Entries tried: %d. Processed: %d. Still failed: %d.\n", tried, taken, tried-taken)
	return nil
}
