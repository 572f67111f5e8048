package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"parley/internal/desk/action"
	"parley/internal/desk/crmaction"
	"parley/internal/desk/directory"
	"parley/internal/ground/page"
)

// actionCmd manages CRM actions, beside running servers or without any.
type actionCmd struct {
	List   listActionsCmd  `cmd:"" help:"List actions."`
	Show   showActionCmd   `cmd:"" help:"Print an action as JSON, as parley action set takes it."`
	Set    setActionCmd    `cmd:"" help:"Define an action, or change it. Its kind and type never change."`
	Secret secretActionCmd `cmd:"" help:"Renew the secret of an action that calls a webhook, and print it. The one before signs beside it for a day."`
	Runs   actionRunsCmd   `cmd:"" help:"List what actions did, newest first."`
	Rerun  rerunActionCmd  `cmd:"" help:"Make a run again that a trigger began and that was refused, or whose webhook was not delivered."`
}

type listActionsCmd struct{ asJSON }

// Run implements the command.
func (l *listActionsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(_ context.Context, d *operator) error {
		actions := d.Directory.CrmActions()
		if l.JSON {
			definitions := make([]action.Definition, len(actions))
			for i, a := range actions {
				definitions[i] = a.Definition
			}
			return printJSON(out, definitions)
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "DEVELOPER NAME\tNAME\tPERFORMS\tTYPE\tOBJECT TYPES\tSTATE")
		for _, a := range actions {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", a.DeveloperName, a.Name, a.Kind, strings.TrimSpace(string(a.Mode)+" "+string(a.Trigger)), strings.Join(a.ObjectTypes, ", "), state(a.Active))
		}
		return table.Flush()
	})
}

// actionNamed finds an action by its developer name, whatever the case.
func (o *operator) actionNamed(name string) (*directory.CrmAction, error) {
	for _, a := range o.Directory.CrmActions() {
		if strings.EqualFold(a.DeveloperName, name) {
			return a, nil
		}
	}
	return nil, fmt.Errorf("there is no action %q; parley action list prints them", name)
}

type showActionCmd struct {
	Name string `arg:"" help:"Developer name of the action."`
}

// Run implements the command.
func (s *showActionCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(_ context.Context, d *operator) error {
		a, err := d.actionNamed(s.Name)
		if err != nil {
			return err
		}
		return printJSON(out, a.Definition)
	})
}

type setActionCmd struct {
	File string `arg:"" help:"JSON file with the definition, as parley action show prints it; - for standard input."`
}

// mostDefinition bounds the file of a definition.
const mostDefinition = 1 << 20

// Run implements the command.
func (s *setActionCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	in := os.Stdin
	if s.File != "-" {
		file, err := os.Open(s.File)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	var d action.Definition
	decoder := json.NewDecoder(io.LimitReader(in, mostDefinition))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return fmt.Errorf("%s is no definition: %w; parley action show prints one", s.File, err)
	}
	return asOperator(ctx, c, func(ctx context.Context, o *operator) error {
		secret, err := o.defineAction(ctx, &d)
		if err != nil {
			return err
		}
		a, err := o.actionNamed(d.DeveloperName)
		if err != nil {
			return err
		}
		if secret != nil {
			fmt.Fprintf(os.Stderr, "Its webhooks are signed with %s. It is not shown again.\n", *secret)
		}
		return printJSON(out, a.Definition)
	})
}

// defineAction creates an action, or changes the one that is there.
func (o *operator) defineAction(ctx context.Context, d *action.Definition) (secret *string, err error) {
	trigger := &d.Trigger
	if d.Trigger == "" {
		trigger = nil
	}
	there, missing := o.actionNamed(d.DeveloperName)
	if missing != nil {
		_, secret, err = o.Schema.Actions.Create(ctx, crmaction.CreateInput{
			Name: d.Name, DeveloperName: d.DeveloperName, Performs: d.Kind, Type: d.Mode, Description: &d.Description, IsActive: &d.Active,
			ObjectTypes: d.ObjectTypes, Parameters: d.Parameters, Trigger: trigger, Conditions: d.Conditions, IdempotencyKey: rand.Text(),
		})
		return secret, err
	}
	if there.Kind != d.Kind || there.Mode != d.Mode {
		return nil, errors.New("what an action performs, and its type, never change: define another under a new developer name")
	}
	_, err = o.Schema.Actions.Update(ctx, crmaction.UpdateInput{
		ID: there.ID, Name: &d.Name, Description: &d.Description, IsActive: &d.Active, ObjectTypes: append([]string{}, d.ObjectTypes...),
		Parameters: append([]action.Parameter{}, d.Parameters...), Trigger: trigger, Conditions: append([]action.Condition{}, d.Conditions...),
	})
	return nil, err
}

type secretActionCmd struct {
	Name string `arg:"" help:"Developer name of the action."`
}

// Run implements the command.
func (s *secretActionCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		a, err := d.actionNamed(s.Name)
		if err != nil {
			return err
		}
		_, secret, err := d.Schema.Actions.RenewSecret(ctx, a.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, *secret)
		return err
	})
}

type actionRunsCmd struct {
	asJSON
	Action  string `placeholder:"NAME" help:"Only of the action with this developer name."`
	Refused bool   `help:"Only those that were refused."`
	Most    int    `default:"50" least:"1" help:"How many runs, 1000 at most."`
}

// runLine is a run as it is printed.
type runLine struct {
	ID       string `json:"id"`
	At       string `json:"at"`
	Action   string `json:"action"`
	Actor    string `json:"actor"`
	Outcome  string `json:"outcome"`
	Problem  string `json:"problem,omitempty"`
	Delivery string `json:"delivery,omitempty"`
}

// Run implements the command.
func (r *actionRunsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	if err := atMost(r.Most, "--action"); err != nil {
		return err
	}
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		lines, err := r.lines(ctx, d)
		if err != nil {
			return err
		}
		if r.JSON {
			return printJSON(out, lines)
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "RUN\tAT\tACTION\tBY\tOUTCOME\tWEBHOOK\tWHY")
		for _, l := range lines {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.At, l.Action, l.Actor, l.Outcome, l.Delivery, l.Problem)
		}
		return table.Flush()
	})
}

func (r *actionRunsCmd) lines(ctx context.Context, d *operator) ([]runLine, error) {
	filter := &crmaction.RunFilter{}
	if r.Action != "" {
		a, err := d.actionNamed(r.Action)
		if err != nil {
			return nil, err
		}
		filter.ActionID = &a.ID
	}
	if r.Refused {
		refused := action.Refused
		filter.Outcome = &refused
	}
	found, err := d.Schema.Actions.RunsPage(ctx, filter, page.Window{Size: r.Most})
	if err != nil {
		return nil, err
	}
	keys := make([]int64, len(found.Nodes))
	for i, run := range found.Nodes {
		keys[i] = run.Key
	}
	deliveries, err := d.Schema.Actions.DeliveriesOf(ctx, keys)
	lines := make([]runLine, len(found.Nodes))
	for i, run := range found.Nodes {
		lines[i] = runLine{ID: run.ID(), At: run.CreatedAt.String(), Action: run.ActionName(), Actor: run.Actor().Name, Outcome: string(run.Outcome)}
		if p := run.Problem(); p != nil {
			lines[i].Problem = p.Message
		}
		if delivery := deliveries[run.Key]; delivery != nil {
			lines[i].Delivery = string(delivery.Status)
		}
	}
	return lines, err
}

type rerunActionCmd struct {
	ID string `arg:"" name:"run" help:"Id of the run, as parley action runs prints it."`
}

// Run implements the command.
func (r *rerunActionCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		run, err := d.Schema.Actions.Rerun(ctx, crmaction.RerunInput{RunID: r.ID, IdempotencyKey: rand.Text()})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, run.ID())
		return err
	})
}
