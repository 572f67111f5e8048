package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"parley/internal/desk/access"
)

// signingCmd manages the keys that sign Parley's own tokens, beside running servers or
// without any.
type signingCmd struct {
	List   listSigningCmd   `cmd:"" help:"List the signing keys."`
	Rotate rotateSigningCmd `cmd:"" help:"Sign with a new key from now on. Tokens of the former keys stay good. Update every server first."`
	Retire retireSigningCmd `cmd:"" help:"Refuse every token that a key signed, at once."`
}

// signingLine is a signing key as it is printed.
type signingLine struct {
	ID        string          `json:"id"`
	State     access.KeyState `json:"state"`
	CreatedAt *time.Time      `json:"createdAt"` // null for the first
	RetiredAt *time.Time      `json:"retiredAt"`
}

func signingLines(keys []access.Key) []signingLine {
	lines := make([]signingLine, len(keys))
	for i, k := range keys {
		lines[i] = signingLine{ID: k.ID, State: k.State}
		if at := k.CreatedAt.Std(); !k.CreatedAt.IsZero() {
			lines[i].CreatedAt = &at
		}
		if at := k.RetiredAt.Std(); !k.RetiredAt.IsZero() {
			lines[i].RetiredAt = &at
		}
	}
	return lines
}

// saySigning prints the signing keys as they are after a command.
func saySigning(out io.Writer, asJSON bool, d *operator) error {
	lines := signingLines(d.Schema.Access.Keys())
	if asJSON {
		return printJSON(out, lines)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSTATE\tCREATED")
	for _, k := range lines {
		created := "with the database"
		if k.CreatedAt != nil {
			created = k.CreatedAt.Format(time.DateTime)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", k.ID, k.State, created)
	}
	return table.Flush()
}

type listSigningCmd struct{ asJSON }

// Run implements the command.
func (l *listSigningCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(_ context.Context, d *operator) error { return saySigning(out, l.JSON, d) })
}

type rotateSigningCmd struct{ asJSON }

// Run implements the command.
func (r *rotateSigningCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		if err := d.Schema.Access.Rotate(ctx); err != nil {
			return err
		}
		return saySigning(out, r.JSON, d)
	})
}

type retireSigningCmd struct {
	asJSON
	ID string `arg:"" help:"The key's id, as parley signing list prints it."`
}

// Run implements the command.
func (r *retireSigningCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		if err := d.Schema.Access.Retire(ctx, r.ID); err != nil {
			return err
		}
		return saySigning(out, r.JSON, d)
	})
}
