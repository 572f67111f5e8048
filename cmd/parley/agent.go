package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"parley/internal/desk/directory"
	"parley/internal/desk/staff"
	"parley/internal/ground/clock"
	"parley/internal/ground/viewer"
)

// agentCmd manages agents, beside running servers or without any.
type agentCmd struct {
	List       listAgentsCmd      `cmd:"" help:"List all agents."`
	Add        addAgentCmd        `cmd:"" help:"Create an agent."`
	Set        setAgentCmd        `cmd:"" help:"Change an agent: name, role, licence, permission sets. What is left out stays."`
	Deactivate deactivateAgentCmd `cmd:"" help:"Deactivate an agent: tokens are refused, open connections end. Conversations stay theirs."`
	Activate   activateAgentCmd   `cmd:"" help:"Activate an agent again."`

	RevokeTokens revokeTokensCmd `cmd:"" help:"Refuse all tokens of an agent that were issued until now, or --before a time. The agent may sign in again with a new one."`
}

type listAgentsCmd struct{ asJSON }

// Run implements the command.
func (l *listAgentsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		lines, err := d.lines(ctx, d.Directory.Agents()...)
		if err != nil {
			return err
		}
		if l.JSON {
			return printJSON(out, lines)
		}
		if len(lines) == 0 {
			fmt.Fprintln(out, "There are no agents yet. Create one: parley agent add USERNAME --name NAME --role ADMIN")
			return nil
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "USERNAME\tNAME\tKIND\tROLE\tLICENCE\tSTATE\tPERMISSION SETS")
		for _, a := range lines {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.Username, a.Name, a.Kind, a.Role, yes(a.Licensed), state(a.Active), strings.Join(a.PermissionSets, ", "))
		}
		return table.Flush()
	})
}

type addAgentCmd struct {
	asJSON
	Username      string   `arg:"" help:"Sign-in name: 1 to 64 characters without spaces. It never changes."`
	Name          string   `required:"" help:"Display name."`
	Role          string   `default:"STANDARD" help:"STANDARD, SUPERVISOR or ADMIN."`
	Licence       bool     `default:"true" negatable:"" help:"Whether the agent may send."`
	PermissionSet []string `placeholder:"NAME" sep:"none" help:"Permission set that the agent gets; may be repeated."`
	Service       bool     `help:"Create a service account, as which programs sign in. Its role is STANDARD, and it is licensed."`
}

// Run implements the command.
func (a *addAgentCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		made, err := a.create(ctx, d)
		if err != nil {
			return err
		}
		return d.say(ctx, out, a.JSON, made)
	})
}

func (a *addAgentCmd) create(ctx context.Context, d *operator) (*directory.Agent, error) {
	sets, err := d.setIDs(ctx, a.PermissionSet)
	if err != nil {
		return nil, err
	}
	role := viewer.Role(strings.ToUpper(a.Role))
	if !a.Service {
		return d.Schema.Staff.CreateAgent(ctx, staff.CreateAgentInput{
			Username: a.Username, Name: a.Name, Role: role, IsLicensed: &a.Licence, PermissionSetIDs: sets, IdempotencyKey: rand.Text(),
		})
	}
	if role != viewer.Standard || !a.Licence {
		return nil, errors.New("a service account has the role STANDARD and a licence: leave out --role and --no-licence, and give it permission sets")
	}
	return d.Schema.Staff.CreateServiceAccount(ctx, staff.CreateServiceInput{
		Username: a.Username, Name: a.Name, PermissionSetIDs: sets, IdempotencyKey: rand.Text(),
	})
}

type revokeTokensCmd struct {
	asJSON
	Username string     `arg:"" help:"The agent."`
	Before   *time.Time `placeholder:"TIME" help:"Refuse only tokens that were issued before this, such as 2026-11-28T09:00:00Z."`
}

// Run implements the command.
func (r *revokeTokensCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		agent, err := d.agent(r.Username)
		if err != nil {
			return err
		}
		var before *clock.Time
		if r.Before != nil {
			at := clock.Of(*r.Before)
			before = &at
		}
		if agent, err = d.Schema.Access.RevokeAll(ctx, agent.ID, before); err != nil {
			return err
		}
		return d.say(ctx, out, r.JSON, agent)
	})
}

type setAgentCmd struct {
	asJSON
	Username string   `arg:"" help:"The agent."`
	Name     *string  `help:"Display name."`
	Role     *string  `help:"STANDARD, SUPERVISOR or ADMIN."`
	Licence  *bool    `negatable:"" help:"Whether the agent may send."`
	Grant    []string `placeholder:"NAME" sep:"none" help:"Permission set that the agent gets; may be repeated."`
	Revoke   []string `placeholder:"NAME" sep:"none" help:"Permission set that the agent loses; may be repeated."`

	TimeZone       *string `help:"IANA name, such as Europe/Berlin; empty for none."`
	Locale         *string `help:"Language tag, such as de-AT; empty for none."`
	DefaultChannel *string `placeholder:"CHANNEL" help:"Sender ID that composing starts with, by address or developer name; empty for none."`
}

// Run implements the command.
func (s *setAgentCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	if s.Name == nil && s.Role == nil && s.Licence == nil && s.TimeZone == nil && s.Locale == nil && s.DefaultChannel == nil && len(s.Grant)+len(s.Revoke) == 0 {
		return errors.New("nothing to change: give --name, --role, --licence, --no-licence, --grant, --revoke, --time-zone, --locale or --default-channel")
	}
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		agent, err := d.agent(s.Username)
		if err != nil {
			return err
		}
		in := staff.UpdateAgentInput{ID: agent.ID, Name: s.Name, IsLicensed: s.Licence, TimeZone: s.TimeZone, Locale: s.Locale, DefaultChannelID: s.DefaultChannel}
		if s.DefaultChannel != nil && *s.DefaultChannel != "" {
			ch, err := d.channel(*s.DefaultChannel)
			if err != nil {
				return err
			}
			in.DefaultChannelID = &ch.ID
		}
		if s.Role != nil {
			role := viewer.Role(strings.ToUpper(*s.Role))
			in.Role = &role
		}
		if in.PermissionSetIDs, err = s.sets(ctx, d, agent); err != nil {
			return err
		}
		changed, err := d.Schema.Staff.UpdateAgent(ctx, in)
		if err != nil {
			return err
		}
		return d.say(ctx, out, s.JSON, changed)
	})
}

// sets are the ids of the permission sets that the agent is to have; nil for those they
// have.
func (s *setAgentCmd) sets(ctx context.Context, d *operator, agent *directory.Agent) ([]string, error) {
	if len(s.Grant)+len(s.Revoke) == 0 {
		return nil, nil
	}
	granted, err := d.setIDs(ctx, s.Grant)
	if err != nil {
		return nil, err
	}
	revoked, err := d.setIDs(ctx, s.Revoke)
	if err != nil {
		return nil, err
	}
	all, err := d.Schema.Staff.PermissionSets(ctx)
	if err != nil {
		return nil, err
	}
	for _, set := range all {
		if id := set.ID(); slices.Contains(granted, id) && slices.Contains(revoked, id) {
			return nil, fmt.Errorf("%q is in both --grant and --revoke: name it once", set.Name)
		}
		if agent.HasSet(set.Key) {
			granted = append(granted, set.ID())
		}
	}
	return slices.DeleteFunc(granted, func(id string) bool { return slices.Contains(revoked, id) }), nil
}

type deactivateAgentCmd struct {
	asJSON
	Username string `arg:"" help:"The agent."`
}

// Run implements the command.
func (a *deactivateAgentCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		agent, err := d.agent(a.Username)
		if err != nil {
			return err
		}
		agent, owned, err := d.Schema.Staff.Deactivate(ctx, agent.ID)
		if err != nil {
			return err
		}
		if a.JSON {
			lines, err := d.lines(ctx, agent)
			if err != nil {
				return err
			}
			return printJSON(out, deactivatedLine{lines[0], owned.Count})
		}
		if err := d.say(ctx, out, false, agent); err != nil || owned.Count == 0 {
			return err
		}
		fmt.Fprintf(out, "Conversations still owned: %d. To give them to somebody else, call bulkAssignConversations with selection: {view: {kind: %s}, filterBy: {ownerId: %q}}.\n",
			owned.Count, owned.View, owned.OwnerID)
		return nil
	})
}

type activateAgentCmd struct {
	asJSON
	Username string `arg:"" help:"The agent."`
}

// Run implements the command.
func (a *activateAgentCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		agent, err := d.agent(a.Username)
		if err != nil {
			return err
		}
		if agent, err = d.Schema.Staff.Activate(ctx, agent.ID); err != nil {
			return err
		}
		return d.say(ctx, out, a.JSON, agent)
	})
}

// agent finds an agent by username.
func (d *operator) agent(username string) (*directory.Agent, error) {
	if a := d.Directory.AgentNamed(username); a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("there is no agent %q in this database; its agents are: %s", username, agentNames(d.App))
}

// setIDs finds permission sets by name, in any case.
func (d *operator) setIDs(ctx context.Context, names []string) ([]string, error) {
	all, err := d.Schema.Staff.PermissionSets(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(names))
	for i, name := range names {
		at := slices.IndexFunc(all, func(s *staff.PermissionSet) bool { return strings.EqualFold(s.Name, name) })
		if at < 0 {
			return nil, fmt.Errorf("there is no permission set %q; see parley permission list, or create it: parley permission add %q --permission NAME", name, name)
		}
		ids[i] = all[at].ID()
	}
	return ids, nil
}

// agentLine is an agent as it is printed.
type agentLine struct {
	ID             string   `json:"id"`
	Username       string   `json:"username"`
	Name           string   `json:"name"`
	Role           string   `json:"role"`
	Licensed       bool     `json:"licensed"`
	Active         bool     `json:"active"`
	Kind           string   `json:"kind"`
	PermissionSets []string `json:"permissionSets"`
	DefaultChannel string   `json:"defaultChannel"` // its address
	TimeZone       string   `json:"timeZone"`
	Locale         string   `json:"locale"`
}

// deactivatedLine is an agent who was deactivated, with how many conversations they
// still own.
type deactivatedLine struct {
	agentLine
	OwnedConversations int64 `json:"ownedConversations"`
}

func (d *operator) lines(ctx context.Context, agents ...*directory.Agent) ([]agentLine, error) {
	sets, err := d.Schema.Staff.PermissionSets(ctx)
	lines := make([]agentLine, len(agents))
	for i, a := range agents {
		lines[i] = agentLine{
			ID: a.ID, Username: a.Username, Name: a.Name, Role: string(a.Role), Licensed: a.IsLicensed, Active: a.IsActive, Kind: string(a.Kind), PermissionSets: []string{},
			TimeZone: orEmpty(a.TimeZone()), Locale: orEmpty(a.Locale()),
		}
		if c := a.DefaultChannel(); c != nil {
			lines[i].DefaultChannel = c.Address
		}
		for _, set := range sets {
			if a.HasSet(set.Key) {
				lines[i].PermissionSets = append(lines[i].PermissionSets, set.Name)
			}
		}
	}
	return lines, err
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// say prints an agent as it is after a change.
func (d *operator) say(ctx context.Context, out io.Writer, asJSON bool, a *directory.Agent) error {
	lines, err := d.lines(ctx, a)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, lines[0])
	}
	l, sets := lines[0], "none"
	if len(l.PermissionSets) > 0 {
		sets = strings.Join(l.PermissionSets, ", ")
	}
	licence := "without a licence"
	if l.Licensed {
		licence = "licensed"
	}
	fmt.Fprintf(out, "%s (%s): %s, %s, %s. Permission sets: %s.\n", l.Username, l.Name, l.Role, licence, state(l.Active), sets)
	return nil
}
