package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"parley/app"
	"parley/internal/admin/misread"
	"parley/internal/ground/progress"
)

// numbersCmd looks after conversations that stand under a number by mistake.
type numbersCmd struct {
	List listNumbersCmd `cmd:"" help:"List conversations that an earlier version filed under a guessed number, and possible fixes. Changes nothing."`
	Mend mendNumbersCmd `cmd:"" help:"Fix what parley numbers list shows: senders get their own address back, and notes say which messages are not the customer's. May be interrupted and run again."`
}

type listNumbersCmd struct{}

// Run implements the command. It may run beside a server.
func (*listNumbersCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return withMender(ctx, c, func(m *misread.Mender) error {
		all, mendable := 0, 0
		err := m.Find(ctx, func(f *misread.Finding) {
			sayMisread(out, f, "becomes", "note to add")
			if all++; f.Mendable() {
				mendable++
			}
		})
		if err == nil {
			fmt.Fprintf(out, "Conversations under a wrong number: %d. Fixable with parley numbers mend: %d.\n", all, mendable)
		}
		return err
	})
}

type mendNumbersCmd struct{}

// Run implements the command. It may run beside a server.
func (*mendNumbersCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return withMender(ctx, c, func(m *misread.Mender) error {
		mended, left := 0, 0
		err := m.Mend(ctx, func(f *misread.Finding) {
			if !f.Mendable() {
				left++
				return
			}
			sayMisread(out, f, "is now", "noted")
			mended++
		})
		fmt.Fprintf(out, "Conversations fixed: %d. Left unchanged: %d.\n", mended, left)
		return progress.Interrupted(ctx, err, "while looking for conversations to fix; run it again to continue")
	})
}

func withMender(ctx context.Context, c *cli, do func(*misread.Mender) error) (err error) {
	a, err := app.Open(ctx, c.config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return do(&misread.Mender{
		Store: a.Store, Directory: a.Directory, IDs: a.Messenger.IDs, Conversations: a.Conversations, Messenger: a.Messenger, Progress: os.Stderr,
	})
}

// sayMisread prints what is wrong with a conversation, and what is done about it.
func sayMisread(out io.Writer, f *misread.Finding, becomes, noted string) {
	fmt.Fprintf(out, "%s to %s (%s): %s\n", f.Address, f.Sender, f.Conversation, f.Problem)
	if f.Readdress != "" {
		fmt.Fprintf(out, "  %s: %s\n", becomes, f.Readdress)
	}
	for _, note := range f.Notes {
		fmt.Fprintf(out, "  %s: %s\n", noted, note)
	}
}
