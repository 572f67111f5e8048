package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"parley/internal/desk/audit"
	"parley/internal/ground/clock"
	"parley/internal/ground/page"
)

// auditCmd reads the audit.
type auditCmd struct {
	List   listAuditCmd   `cmd:"" help:"List the newest entries."`
	Export exportAuditCmd `cmd:"" help:"Write entries as JSON lines, oldest first. The export is an entry itself."`
}

type listAuditCmd struct {
	Most int `default:"50" least:"1" help:"How many entries, 1000 at most."`
}

// Run implements the command.
func (l *listAuditCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		entries, err := d.Schema.Audit.List(ctx, nil, page.Window{Size: min(l.Most, 1_000)})
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "TIME\tACTOR\tFROM\tACTION\tSUBJECT\tCHANGES")
		for _, e := range entries.Nodes {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", e.At, e.ActorName, e.Source, e.Action(), strings.TrimSpace(e.SubjectType+" "+e.SubjectName), changesOf(e))
		}
		return table.Flush()
	})
}

// changesOf is what an entry changed, in a line.
func changesOf(e *audit.Entry) string {
	var words []string
	for _, c := range e.Changes() {
		switch {
		case c.IsSecret:
			words = append(words, c.Field+" (secret)")
		case len(c.Added)+len(c.Removed) > 0:
			words = append(words, fmt.Sprintf("%s +%d -%d", c.Field, len(c.Added), len(c.Removed)))
		default:
			words = append(words, fmt.Sprintf("%s %s → %s", c.Field, quoted(c.Before), quoted(c.After)))
		}
	}
	if e.Detail != "" {
		words = append(words, e.Detail)
	}
	if e.Count > 1 {
		words = append(words, fmt.Sprintf("%d times", e.Count))
	}
	return strings.Join(words, "; ")
}

func quoted(text *string) string {
	if text == nil {
		return "none"
	}
	return fmt.Sprintf("%q", *text)
}

type exportAuditCmd struct {
	Since  *time.Time `help:"Only entries at this time or later, such as 2026-11-01T00:00:00Z."`
	Before *time.Time `help:"Only entries before this time."`
	Output string     `short:"o" placeholder:"FILE" help:"File to write, which must not exist; standard output by default."`
}

// Run implements the command.
func (x *exportAuditCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) (err error) {
		filter := &audit.Filter{Since: instant(x.Since), Before: instant(x.Before)}
		if x.Output == "" {
			_, err := d.Schema.Audit.Export(ctx, filter, out)
			return err
		}
		file, err := os.OpenFile(x.Output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		lines := bufio.NewWriter(file)
		n, err := d.Schema.Audit.Export(ctx, filter, lines)
		if err = errors.Join(err, lines.Flush()); err != nil {
			return err
		}
		fmt.Fprintf(out, "Exported %d entries to %s.\n", n, x.Output)
		return nil
	})
}

func instant(t *time.Time) *clock.Time {
	if t == nil {
		return nil
	}
	at := clock.Of(*t)
	return &at
}
