package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"parley/internal/desk/directory"
	"parley/internal/desk/switchboard"
)

// queueCmd manages queues, beside running servers or without any.
type queueCmd struct {
	List    listQueuesCmd   `cmd:"" help:"List all queues, who works them, and which channels feed them."`
	Add     addQueueCmd     `cmd:"" help:"Create a queue. Send conversations to it with parley channel set ADDRESS --queue NAME."`
	Set     setQueueCmd     `cmd:"" help:"Rename a queue."`
	Members queueMembersCmd `cmd:"" help:"Change who works a queue."`
	Remove  removeQueueCmd  `cmd:"" help:"Delete a queue that no channel feeds. What is in it goes to another queue."`
}

type listQueuesCmd struct{ asJSON }

// Run implements the command.
func (l *listQueuesCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(_ context.Context, d *operator) error {
		lines := make([]queueLine, len(d.Directory.Queues()))
		for i, q := range d.Directory.Queues() {
			lines[i] = queueLineOf(q)
		}
		if l.JSON {
			return printJSON(out, lines)
		}
		if len(lines) == 0 {
			fmt.Fprintln(out, "There are no queues yet. Create one: parley queue add NAME --member USERNAME")
			return nil
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "NAME\tMEMBERS\tCHANNELS")
		for _, q := range lines {
			fmt.Fprintf(table, "%s\t%s\t%s\n", q.Name, strings.Join(q.Members, ", "), strings.Join(q.Channels, ", "))
		}
		return table.Flush()
	})
}

type addQueueCmd struct {
	asJSON
	Name   string   `arg:"" help:"Name of the queue."`
	Member []string `placeholder:"USERNAME" sep:"none" help:"Agent who works it; may be repeated."`
}

// Run implements the command.
func (a *addQueueCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		members, err := d.agentIDs(a.Member)
		if err != nil {
			return err
		}
		made, err := d.Schema.Switchboard.CreateQueue(ctx, switchboard.CreateQueueInput{Name: a.Name, MemberIDs: members, IdempotencyKey: rand.Text()})
		if err != nil {
			return err
		}
		return sayQueue(out, a.JSON, made)
	})
}

type setQueueCmd struct {
	asJSON
	Queue   string `arg:"" name:"name" help:"The queue."`
	NewName string `name:"name" required:"" help:"Its new name."`
}

// Run implements the command.
func (s *setQueueCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		q, err := d.queue(s.Queue)
		if err != nil {
			return err
		}
		if q, err = d.Schema.Switchboard.UpdateQueue(ctx, switchboard.UpdateQueueInput{ID: q.ID, Name: &s.NewName}); err != nil {
			return err
		}
		return sayQueue(out, s.JSON, q)
	})
}

type queueMembersCmd struct {
	asJSON
	memberFlags
	Queue string `arg:"" name:"name" help:"The queue."`
}

// Run implements the command.
func (m *queueMembersCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		q, err := d.queue(m.Queue)
		if err != nil {
			return err
		}
		to := func(use func(context.Context, switchboard.MembersInput) (*directory.Queue, error)) func([]string) error {
			return func(ids []string) (err error) {
				q, err = use(ctx, switchboard.MembersInput{ID: q.ID, AgentIDs: ids})
				return err
			}
		}
		if err := m.change(d, to(d.Schema.Switchboard.AddQueueMembers), to(d.Schema.Switchboard.RemoveQueueMembers)); err != nil {
			return err
		}
		return sayQueue(out, m.JSON, q)
	})
}

type removeQueueCmd struct {
	asJSON
	Queue  string `arg:"" name:"name" help:"The queue."`
	MoveTo string `placeholder:"NAME" help:"Queue that its conversations and quick texts go to; needed if it has any."`
	DryRun bool   `help:"Say what is in it, and change nothing."`
}

// removedQueueLine is a queue that was deleted, or would be, with what was in it.
type removedQueueLine struct {
	Queue         string `json:"queue"`
	Conversations int64  `json:"conversations"`
	QuickTexts    int64  `json:"quickTexts"`
	Deleted       bool   `json:"deleted"`
}

// Run implements the command.
func (r *removeQueueCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		q, err := d.queue(r.Queue)
		if err != nil {
			return err
		}
		in := switchboard.DeleteQueueInput{ID: q.ID, DryRun: &r.DryRun}
		if r.MoveTo != "" {
			to, err := d.queue(r.MoveTo)
			if err != nil {
				return err
			}
			in.MoveToID = &to.ID
		}
		held, err := d.Schema.Switchboard.DeleteQueue(ctx, in)
		if err != nil {
			return err
		}
		if r.JSON {
			return printJSON(out, removedQueueLine{q.Name, held.Conversations, held.QuickTexts, !r.DryRun})
		}
		fate := "was deleted"
		if r.DryRun {
			fate = "is still there"
		}
		fmt.Fprintf(out, "%s %s. Conversations in it: %d. Quick texts: %d.\n", q.Name, fate, held.Conversations, held.QuickTexts)
		return nil
	})
}

// queue finds a queue by name, in any case.
func (d *operator) queue(name string) (*directory.Queue, error) {
	for _, q := range d.Directory.Queues() {
		if strings.EqualFold(q.Name, name) {
			return q, nil
		}
	}
	return nil, fmt.Errorf("there is no queue %q; see parley queue list, or create it: parley queue add %q", name, name)
}

// queueLine is a queue as it is printed.
type queueLine struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Members  []string `json:"members"`  // usernames
	Channels []string `json:"channels"` // addresses
}

func queueLineOf(q *directory.Queue) queueLine {
	line := queueLine{q.ID, q.Name, usernames(q.Members()), []string{}}
	for _, c := range q.Channels() {
		line.Channels = append(line.Channels, c.Address)
	}
	return line
}

// sayQueue prints a queue as it is after a change.
func sayQueue(out io.Writer, asJSON bool, q *directory.Queue) error {
	line := queueLineOf(q)
	if asJSON {
		return printJSON(out, line)
	}
	fmt.Fprintf(out, "%s. Members: %s. Channels: %s.\n", line.Name, orNone(strings.Join(line.Members, ", ")), orNone(strings.Join(line.Channels, ", ")))
	return nil
}
