package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"parley/internal/connector"
	"parley/internal/desk/crmsync"
)

// syncCmd manages connections to CRMs, beside running servers or without any.
type syncCmd struct {
	List   listSyncsCmd   `cmd:"" help:"List connections, and what is wrong with them."`
	Status syncStatusCmd  `cmd:"" help:"Print how far a connection has come, and the changes that it rejected."`
	Add    addSyncCmd     `cmd:"" help:"Create a connection, which is paused. One of a webhook prints its secret."`
	Set    setSyncCmd     `cmd:"" help:"Change a connection."`
	Start  startSyncCmd   `cmd:"" help:"Have a connection take changes, from where it stopped."`
	Pause  pauseSyncCmd   `cmd:"" help:"Have a connection take no changes until it is started again."`
	Test   testSyncCmd    `cmd:"" help:"Ask the CRM whether a connection works; reads no record."`
	Secret secretSyncCmd  `cmd:"" help:"Renew the secret of a webhook, and print it. The one before is taken for a day."`
	Retry  retrySyncCmd   `cmd:"" help:"Try up to 200 rejected changes again."`
	Remove removeSyncsCmd `cmd:"" help:"Delete a connection. The records that came by it stay."`
}

// syncLine is a connection as it is printed.
type syncLine struct {
	ID           string         `json:"id"`
	Connection   string         `json:"connection"`
	Name         string         `json:"name"`
	Kind         crmsync.Kind   `json:"kind"`
	State        crmsync.State  `json:"state"`
	Address      string         `json:"address,omitempty"`
	WebhookPath  string         `json:"webhookPath,omitempty"`
	Fingerprint  string         `json:"fingerprint,omitempty"`
	LastError    string         `json:"lastError,omitempty"`
	Taken        int64          `json:"taken"`
	Rejected     int64          `json:"rejected"`
	Pending      int64          `json:"pendingWrites,omitempty"`
	Failed       int64          `json:"failedWrites,omitempty"`
	ObjectTypes  []syncTypeLine `json:"objectTypes"`
	RejectedLast []rejectedLine `json:"rejectedChanges,omitempty"`
	Secret       string         `json:"webhookSecret,omitempty"`
}

type syncTypeLine struct {
	ObjectType string              `json:"objectType"`
	Object     string              `json:"object"`
	Mappings   []connector.Mapping `json:"mappings,omitempty"`
	WritesBack bool                `json:"writesBack,omitempty"`
	IDField    string              `json:"externalIdField,omitempty"`
	Read       int64               `json:"read"`
	CursorAt   string              `json:"cursorAt,omitempty"`
	LagSeconds *int                `json:"lagSeconds,omitempty"`
	Problem    string              `json:"problem,omitempty"`
}

type rejectedLine struct {
	At         string            `json:"at"`
	Operation  crmsync.Operation `json:"operation"`
	ObjectType string            `json:"objectType"`
	ExternalID string            `json:"externalId"`
	Field      string            `json:"field,omitempty"`
	Message    string            `json:"message"`
}

func syncLineOf(c *crmsync.Connection) syncLine {
	l := syncLine{
		ID: c.ID(), Connection: c.ConnectionID, Name: c.Name, Kind: c.Kind(), State: c.State(), Address: c.Address(),
		Taken: c.Taken, Rejected: c.Rejected, Pending: c.PendingWrites, Failed: c.FailedWrites, ObjectTypes: []syncTypeLine{},
	}
	if c.WebhookURL() != nil {
		l.WebhookPath = "/webhooks/crm/" + c.ConnectionID
	}
	l.Fingerprint, l.LastError = textAt(c.Fingerprint()), textAt(c.LastError())
	for _, o := range c.ObjectTypes() {
		t := syncTypeLine{ObjectType: o.ObjectType, Object: o.Object(), Mappings: o.Fields, WritesBack: o.WritesBack, IDField: o.Key, Read: o.Read(), LagSeconds: o.LagSeconds(), Problem: textAt(o.Problem())}
		if at := o.CursorAt(); at != nil {
			t.CursorAt = at.String()
		}
		l.ObjectTypes = append(l.ObjectTypes, t)
	}
	return l
}

func textAt(s *string) string { return *cmp.Or(s, new(string)) }

// saySync prints a connection as it is after a change.
func saySync(out io.Writer, asJSON bool, c *crmsync.Connection, secret *string) error {
	l := syncLineOf(c)
	l.Secret = textAt(secret)
	if asJSON {
		return printJSON(out, l)
	}
	fmt.Fprintf(out, "%s (%s, %s): %s.\n", l.Connection, l.Name, l.Kind, l.State)
	if l.WebhookPath != "" {
		fmt.Fprintf(out, "Its CRM posts changes to the public URL and %s.\n", l.WebhookPath)
	}
	if l.Secret != "" {
		fmt.Fprintf(out, "It signs them with this secret, which is not shown again:\n%s\n", l.Secret)
	}
	if l.LastError != "" {
		fmt.Fprintln(out, l.LastError)
	}
	return nil
}

type listSyncsCmd struct{ asJSON }

// Run implements the command.
func (l *listSyncsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		all, err := d.Schema.Syncs.List(ctx)
		if err != nil {
			return err
		}
		lines := make([]syncLine, len(all))
		for i, one := range all {
			lines[i] = syncLineOf(one)
		}
		if l.JSON {
			return printJSON(out, lines)
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "CONNECTION\tNAME\tKIND\tSTATE\tTAKEN\tREJECTED\tPROBLEM")
		for _, x := range lines {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", x.Connection, x.Name, x.Kind, x.State, x.Taken, x.Rejected, x.LastError)
		}
		return table.Flush()
	})
}

// namedSync is the argument of commands on a connection.
type namedSync struct {
	asJSON
	Connection string `arg:"" help:"The connection: as parley sync list prints it."`
}

// on opens the database for the operator and finds the connection.
func (n *namedSync) on(ctx context.Context, c *cli, do func(context.Context, *operator, *crmsync.Connection) error) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		all, err := d.Schema.Syncs.List(ctx)
		if err != nil {
			return err
		}
		ids := make([]string, len(all))
		for i, one := range all {
			if ids[i] = one.ConnectionID; ids[i] == n.Connection {
				return do(ctx, d, one)
			}
		}
		return fmt.Errorf("there is no connection %q in this database; its connections are: %s", n.Connection, strings.Join(ids, ", "))
	})
}

// change runs a change of the connection and prints it.
func (n *namedSync) change(ctx context.Context, c *cli, out io.Writer, do func(context.Context, *crmsync.Service, string) (*crmsync.Connection, *string, error)) error {
	return n.on(ctx, c, func(ctx context.Context, d *operator, is *crmsync.Connection) error {
		changed, secret, err := do(ctx, d.Schema.Syncs, is.ID())
		if err != nil {
			return err
		}
		return saySync(out, n.JSON, changed, secret)
	})
}

type syncStatusCmd struct{ namedSync }

// Run implements the command.
func (s *syncStatusCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return s.on(ctx, c, func(ctx context.Context, d *operator, is *crmsync.Connection) error {
		rejected, err := d.Schema.Syncs.RejectedChanges(ctx, []*crmsync.Connection{is}, 20)
		if err != nil {
			return err
		}
		l := syncLineOf(is)
		for _, r := range rejected[0] {
			l.RejectedLast = append(l.RejectedLast, rejectedLine{r.At.String(), r.Operation, r.ObjectType, r.ExternalID, r.Problem.Field, r.Problem.Message})
		}
		if s.JSON {
			return printJSON(out, l)
		}
		if err := saySync(out, false, is, nil); err != nil {
			return err
		}
		return l.table(out)
	})
}

// table prints how far the object types have come, and what was not taken.
func (l *syncLine) table(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "OBJECT TYPE\tREAD\tUP TO\tLAG\tWRITES BACK\tPROBLEM")
	for _, o := range l.ObjectTypes {
		lag, writes := "unknown", "no"
		if o.LagSeconds != nil {
			lag = fmt.Sprint(*o.LagSeconds, " s")
		}
		if o.WritesBack {
			writes = "yes"
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\n", o.ObjectType, o.Read, o.CursorAt, lag, writes, o.Problem)
	}
	if l.Pending+l.Failed > 0 {
		fmt.Fprintf(table, "\nWRITES\t%d under way\t%d failed\n", l.Pending, l.Failed)
	}
	if len(l.RejectedLast) > 0 {
		fmt.Fprintln(table, "\nREJECTED\tOPERATION\tRECORD\tFIELD\tWHY")
	}
	for _, r := range l.RejectedLast {
		fmt.Fprintf(table, "%s\t%s\t%s/%s\t%s\t%s\n", r.At, r.Operation, r.ObjectType, r.ExternalID, r.Field, r.Message)
	}
	return table.Flush()
}

type startSyncCmd struct{ namedSync }

// Run implements the command.
func (s *startSyncCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return s.change(ctx, c, out, func(ctx context.Context, x *crmsync.Service, id string) (*crmsync.Connection, *string, error) {
		changed, err := x.Start(ctx, id)
		return changed, nil, err
	})
}

type pauseSyncCmd struct{ namedSync }

// Run implements the command.
func (p *pauseSyncCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return p.change(ctx, c, out, func(ctx context.Context, x *crmsync.Service, id string) (*crmsync.Connection, *string, error) {
		changed, err := x.Pause(ctx, id)
		return changed, nil, err
	})
}

type secretSyncCmd struct{ namedSync }

// Run implements the command.
func (s *secretSyncCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return s.change(ctx, c, out, func(ctx context.Context, x *crmsync.Service, id string) (*crmsync.Connection, *string, error) {
		return x.RenewSecret(ctx, id)
	})
}

type testSyncCmd struct{ namedSync }

var errSyncFails = errors.New("the connection does not work: see above")

// syncTestLine is what a test found, as it is printed.
type syncTestLine struct {
	testLine
	ObjectTypes []*crmsync.TestedType `json:"objectTypes"`
}

// Run implements the command.
func (t *testSyncCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return t.on(ctx, c, func(ctx context.Context, d *operator, is *crmsync.Connection) error {
		found, err := d.Schema.Syncs.Test(ctx, is.ID())
		if err != nil {
			return err
		}
		line := syncTestLine{testLine{OK: found.IsOK, Message: found.Message, Do: textAt(found.WhatToDo)}, found.ObjectTypes}
		if t.JSON {
			err = printJSON(out, line)
		} else {
			fmt.Fprintln(out, strings.TrimSpace(line.Message+" "+line.Do))
			for _, o := range line.ObjectTypes {
				fmt.Fprintf(out, "%s: from the CRM come %s; not in the CRM: %s.\n", o.ObjectType, strings.Join(o.Mapped, ", "), cmp.Or(strings.Join(o.Unmapped, ", "), "none"))
			}
		}
		if err == nil && !found.IsOK {
			err = errSyncFails
		}
		return err
	})
}

type retrySyncCmd struct{ namedSync }

// Run implements the command.
func (r *retrySyncCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return r.on(ctx, c, func(ctx context.Context, d *operator, is *crmsync.Connection) error {
		did, err := d.Schema.Syncs.Retry(ctx, is.ID())
		if err != nil {
			return err
		}
		if r.JSON {
			return printJSON(out, map[string]int{"taken": did.Taken, "rejected": did.Rejected})
		}
		fmt.Fprintf(out, "Taken: %d. Rejected again: %d.\n", did.Taken, did.Rejected)
		return nil
	})
}

type removeSyncsCmd struct{ namedSync }

// Run implements the command.
func (r *removeSyncsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return r.on(ctx, c, func(ctx context.Context, d *operator, is *crmsync.Connection) error {
		if err := d.Schema.Syncs.Delete(ctx, is.ID()); err != nil {
			return err
		}
		if r.JSON {
			return printJSON(out, map[string]string{"deletedId": is.ID()})
		}
		fmt.Fprintf(out, "%s is deleted. Its records stay.\n", is.ConnectionID)
		return nil
	})
}
