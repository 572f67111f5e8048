package main

import (
	"bufio"
	"cmp"
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
	asJSON
	Most int    `default:"50" least:"1" help:"How many entries, 1000 at most; parley audit export writes all."`
	Of   string `placeholder:"USERNAME" help:"Only entries about this agent, and those that added the agent to something or removed them."`
}

// Run implements the command.
func (l *listAuditCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		filter := &audit.Filter{}
		if l.Of != "" {
			agent, err := d.agent(l.Of)
			if err != nil {
				return err
			}
			filter.SubjectID = &agent.ID
		}
		if err := atMost(l.Most, "parley audit export"); err != nil {
			return err
		}
		entries, err := d.Schema.Audit.List(ctx, filter, page.Window{Size: l.Most})
		if err != nil {
			return err
		}
		names, err := d.names(ctx)
		if err != nil {
			return err
		}
		if l.JSON {
			return printJSON(out, audit.Lines(entries.Nodes))
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "TIME\tACTOR\tFROM\tACTION\tSUBJECT\tCHANGES")
		for _, e := range entries.Nodes {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", e.At, e.ActorName, e.Source, e.Action(), strings.TrimSpace(e.SubjectType+" "+e.SubjectName), changesOf(e, names))
		}
		return table.Flush()
	})
}

// changesOf is what an entry changed, in a line: what was added and removed by name.
func changesOf(e *audit.Entry, names map[string]string) string {
	var words []string
	for _, c := range e.Changes() {
		switch {
		case c.IsSecret:
			words = append(words, c.Field+" (secret)")
		case len(c.Added)+len(c.Removed) > 0:
			words = append(words, c.Field+signed(" +", c.Added, names)+signed(" -", c.Removed, names))
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

// mostSigned is how many names of a change are printed.
const mostSigned = 5

// signed are the names of ids, each after a sign.
func signed(sign string, ids []string, names map[string]string) (text string) {
	for i, id := range ids {
		if i == mostSigned {
			return fmt.Sprintf("%s and%s%d more", text, sign, len(ids)-i)
		}
		text += sign + cmp.Or(names[id], id)
	}
	return text
}

// names are what people call agents, permission sets, channels, queues and accounts, by id.
func (d *operator) names(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	for _, a := range d.Directory.Agents() {
		names[a.ID] = a.Username
	}
	for _, c := range d.Directory.Channels() {
		names[c.ID] = c.Name
	}
	for _, q := range d.Directory.Queues() {
		names[q.ID] = q.Name
	}
	sets, err := d.Schema.Staff.PermissionSets(ctx)
	for _, set := range sets {
		names[set.ID()] = set.Name
	}
	accounts, accountsErr := d.Schema.Accounts.Accounts(ctx)
	for _, a := range accounts {
		names[a.ID()] = a.Name
	}
	return names, errors.Join(err, accountsErr)
}

func quoted(text *string) string {
	if text == nil {
		return "none"
	}
	return fmt.Sprintf("%q", *text)
}

type exportAuditCmd struct {
	asJSON
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
		if x.JSON {
			return printJSON(out, map[string]any{"exported": n, "file": x.Output})
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
