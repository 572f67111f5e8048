package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"parley/internal/desk/directory"
	"parley/internal/desk/linking"
	"parley/internal/desk/match"
)

// linkingCmd manages linking rules, beside running servers or without any.
type linkingCmd struct {
	List   listRulesCmd  `cmd:"" help:"List linking rules, in the order in which each channel tries them."`
	Add    addRuleCmd    `cmd:"" help:"Add a linking rule to a channel."`
	Set    setRuleCmd    `cmd:"" help:"Change a linking rule. What it linked stays."`
	Remove removeRuleCmd `cmd:"" help:"Remove a linking rule. What it linked stays."`
}

type listRulesCmd struct {
	asJSON
	Channel string `placeholder:"ADDRESS" help:"Only those of this channel."`
}

// Run implements the command.
func (l *listRulesCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(_ context.Context, d *operator) error {
		channels := d.Directory.Channels()
		if l.Channel != "" {
			ch, err := d.channel(l.Channel)
			if err != nil {
				return err
			}
			channels = []*directory.Channel{ch}
		}
		lines := []ruleLine{}
		for _, ch := range channels {
			for _, r := range d.Directory.LinkingRules(ch.Key) {
				lines = append(lines, ruleLine{ch.Address, r.Rule})
			}
		}
		if l.JSON {
			return printJSON(out, lines)
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "CHANNEL\tORDER\tNAME\tOBJECT TYPE\tFIELDS\tMODE\tTIMING\tSTATE")
		for _, r := range lines {
			fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Channel, r.Order, r.Name, r.ObjectType,
				cmp.Or(strings.Join(r.Fields, ", "), "all"), r.Mode, r.Timing, state(r.Active))
		}
		return table.Flush()
	})
}

// ruleLine is a linking rule as it is printed.
type ruleLine struct {
	Channel string `json:"channel"` // its address
	match.Rule
}

// ruleFlags are what a linking rule says; nil for what is not given.
type ruleFlags struct {
	Description *string       `placeholder:"TEXT" help:"What it is for."`
	Order       *int          `placeholder:"0" help:"Its place, from 0 to 1,000: the lowest goes first."`
	Field       []string      `placeholder:"NAME" sep:"none" help:"Phone field to look for the number in; may be repeated. All by default."`
	Condition   *string       `placeholder:"FORMULA" help:"Formula over the record's fields that a record must meet; empty for none."`
	Timing      *match.Timing `placeholder:"DURING" help:"When an AUTOMATIC rule links: DURING the message, or AFTER it."`
}

type addRuleCmd struct {
	asJSON
	ruleFlags
	Channel    string     `arg:"" help:"Address or developer name of the channel."`
	Name       string     `arg:"" help:"Name of the rule."`
	ObjectType string     `required:"" placeholder:"NAME" help:"Object type of the records to find."`
	Mode       match.Mode `required:"" placeholder:"AUTOMATIC" help:"AUTOMATIC to link, SUGGESTED to suggest."`
}

// Run implements the command.
func (a *addRuleCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		ch, err := d.channel(a.Channel)
		if err != nil {
			return err
		}
		made, err := d.Schema.Linking.Create(ctx, linking.CreateInput{
			ChannelID: ch.ID, Name: a.Name, Description: a.Description, Order: a.Order, ObjectType: a.ObjectType, MatchFields: a.Field, Condition: a.Condition,
			Mode: a.Mode, Timing: a.Timing, IdempotencyKey: rand.Text(),
		})
		if err != nil {
			return err
		}
		return sayRule(out, a.JSON, ch, made)
	})
}

// namedRule names a rule of a channel.
type namedRule struct {
	Channel string `arg:"" help:"Address or developer name of the channel."`
	Rule    string `arg:"" name:"name" help:"Name of the rule, in any case."`
}

func (n *namedRule) find(d *operator) (*directory.Channel, *directory.LinkingRule, error) {
	ch, err := d.channel(n.Channel)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range d.Directory.LinkingRules(ch.Key) {
		if strings.EqualFold(r.Name, n.Rule) {
			return ch, r, nil
		}
	}
	return nil, nil, fmt.Errorf("channel %s has no linking rule %q; parley linking list prints them", ch.Address, n.Rule)
}

type setRuleCmd struct {
	asJSON
	ruleFlags
	namedRule
	NewName    *string     `name:"name" placeholder:"NAME" help:"Its new name."`
	ObjectType *string     `placeholder:"NAME" help:"Object type of the records to find."`
	Mode       *match.Mode `placeholder:"AUTOMATIC" help:"AUTOMATIC to link, SUGGESTED to suggest."`
	Active     *bool       `negatable:"" help:"Whether it is applied; --no-active switches it off."`
}

// Run implements the command.
func (s *setRuleCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		ch, r, err := s.find(d)
		if err != nil {
			return err
		}
		r, err = d.Schema.Linking.Update(ctx, linking.UpdateInput{
			ID: r.ID, Name: s.NewName, Description: s.Description, IsActive: s.Active, Order: s.Order, ObjectType: s.ObjectType,
			MatchFields: s.Field, Condition: s.Condition, Mode: s.Mode, Timing: s.Timing,
		})
		if err != nil {
			return err
		}
		return sayRule(out, s.JSON, ch, r)
	})
}

type removeRuleCmd struct{ namedRule }

// Run implements the command.
func (r *removeRuleCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		ch, found, err := r.find(d)
		if err != nil {
			return err
		}
		if _, err := d.Schema.Linking.Delete(ctx, found.ID); err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "Removed the linking rule %q of channel %s.\n", found.Name, ch.Address)
		return err
	})
}

// sayRule prints a rule as it is after a change.
func sayRule(out io.Writer, asJSON bool, ch *directory.Channel, r *directory.LinkingRule) error {
	if asJSON {
		return printJSON(out, ruleLine{ch.Address, r.Rule})
	}
	_, err := fmt.Fprintf(out, "%s: %s finds %s by %s%s. %s, %s, %s.\n", ch.Address, r.Name, r.ObjectType,
		cmp.Or(strings.Join(r.Fields, ", "), "all phone fields"), where(r.Condition), r.Mode, r.Timing, state(r.Active))
	return err
}

func where(condition string) string {
	if condition == "" {
		return ""
	}
	return ", where " + condition
}
