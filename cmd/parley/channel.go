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

	"parley/internal/channel"
	"parley/internal/desk/directory"
	"parley/internal/desk/switchboard"
	"parley/internal/ground/publicid"
)

// channelCmd manages channels, beside running servers or without any.
type channelCmd struct {
	List       listChannelsCmd      `cmd:"" help:"List all channels."`
	Add        addChannelCmd        `cmd:"" help:"Create a channel. Its type and address never change."`
	Set        setChannelCmd        `cmd:"" help:"Change a channel: name, developer name, queue, consent, limits. What is left out stays."`
	Members    channelMembersCmd    `cmd:"" help:"Change who may send from a channel."`
	Deactivate deactivateChannelCmd `cmd:"" help:"Deactivate a channel: messages that wait fail, sends are refused. What customers write still arrives."`
	Activate   activateChannelCmd   `cmd:"" help:"Activate a channel again."`
	Remove     removeChannelCmd     `cmd:"" hidden:"" help:"Say what to do with a channel that is no longer used."`
}

type listChannelsCmd struct{ asJSON }

// Run implements the command.
func (l *listChannelsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(_ context.Context, d *operator) error {
		lines := make([]channelLine, len(d.Directory.Channels()))
		for i, c := range d.Directory.Channels() {
			lines[i] = d.channelLine(c)
		}
		if l.JSON {
			return printJSON(out, lines)
		}
		if len(lines) == 0 {
			fmt.Fprintln(out, "There are no channels yet. Create one: parley channel add ADDRESS --account KEY --type SMS_LONG_CODE --name NAME")
			return nil
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ADDRESS\tNAME\tDEVELOPER NAME\tTYPE\tACCOUNT\tSTATE\tQUEUE\tMEMBERS")
		for _, c := range lines {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Address, c.Name, c.DeveloperName, c.Type, c.Account, state(c.Active), c.Queue, strings.Join(c.Members, ", "))
		}
		return table.Flush()
	})
}

// channelFlags are what can be set of a channel.
type channelFlags struct {
	Queue                     *string        `xor:"queue" placeholder:"NAME" help:"Queue that new conversations go to."`
	Consent                   *string        `xor:"consent" help:"Consent that a customer must have given, such as EXPLICIT_OPT_IN."`
	DeveloperName             *string        `xor:"developer" placeholder:"NAME" help:"Name that programs use: letters, digits and underscores."`
	Limit                     map[string]int `xor:"limits" placeholder:"LIMIT=N" help:"What the carrier takes: per-second, to which Parley keeps, per-month, per-inbound, per-reachable or customers-per-day; may be repeated. Replaces all limits set before."`
	limits                    channel.SendLimits
	requiredConsent, queueKey *string
}

// read brings names and limits into the form of the use cases.
func (f *channelFlags) read(d *operator) error {
	fields := map[string]*int{
		"per-second": &f.limits.PerSecond, "per-month": &f.limits.PerMonth, "per-inbound": &f.limits.PerInbound,
		"per-reachable": &f.limits.PerReachable, "customers-per-day": &f.limits.CustomersPerDay,
	}
	for name, n := range f.Limit {
		if fields[name] == nil {
			return fmt.Errorf("there is no limit %q; the limits are per-second, per-month, per-inbound, per-reachable and customers-per-day", name)
		}
		*fields[name] = n
	}
	if f.Consent != nil {
		required := strings.ToUpper(*f.Consent)
		f.requiredConsent = &required
	}
	if f.Queue != nil {
		q, err := d.queue(*f.Queue)
		if err != nil {
			return err
		}
		f.queueKey = &q.ID
	}
	return nil
}

// given reports whether anything is set.
func (f *channelFlags) given() bool {
	return f.Queue != nil || f.Consent != nil || f.DeveloperName != nil || len(f.Limit) > 0
}

func (f *channelFlags) limitsGiven() *channel.SendLimits {
	if len(f.Limit) == 0 {
		return nil
	}
	return &f.limits
}

type addChannelCmd struct {
	asJSON
	channelFlags
	Address string   `arg:"" help:"Phone number, short code, page id, or key of a site or app."`
	Account string   `required:"" placeholder:"KEY" help:"Provider account: the last part of its webhook URL."`
	Type    string   `default:"SMS_LONG_CODE" help:"SMS_LONG_CODE, SMS_TOLL_FREE, SMS_SHORT_CODE, WHATSAPP, WHATSAPP_ENHANCED, FACEBOOK, FACEBOOK_ENHANCED, WEB or IN_APP."`
	Name    string   `required:"" help:"Display name."`
	Country *string  `help:"Two letters; needed for short codes and national numbers."`
	Member  []string `placeholder:"USERNAME" sep:"none" help:"Agent who may send from it; may be repeated."`
}

// Run implements the command.
func (a *addChannelCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		account := d.Directory.Account(a.Account)
		if account == nil {
			return fmt.Errorf("there is no provider account %q in this database; its accounts are: %s", a.Account, strings.Join(d.accountKeys(), ", "))
		}
		members, err := d.agentIDs(a.Member)
		if err != nil {
			return err
		}
		if err := a.read(d); err != nil {
			return err
		}
		made, err := d.Schema.Switchboard.CreateChannel(ctx, switchboard.CreateChannelInput{
			ProviderAccountID: d.Schema.IDs.Encode(publicid.Account, account.ID), Type: channel.Type(strings.ToUpper(a.Type)), Address: a.Address, Name: a.Name,
			Country: a.Country, MemberIDs: members, DeveloperName: a.DeveloperName, QueueID: a.queueKey, RequiredConsent: (*channel.Consent)(a.requiredConsent),
			Limits: a.limitsGiven(), IdempotencyKey: rand.Text(),
		})
		if err != nil {
			return err
		}
		return d.sayChannel(out, a.JSON, made)
	})
}

type setChannelCmd struct {
	asJSON
	channelFlags
	Channel         string  `arg:"" help:"The channel: its address or developer name."`
	Name            *string `help:"Display name."`
	NoQueue         bool    `xor:"queue" help:"New conversations go to no queue."`
	NoConsent       bool    `xor:"consent" help:"No consent is required."`
	NoDeveloperName bool    `xor:"developer" help:"Take the developer name away."`
	NoLimits        bool    `xor:"limits" help:"Return to the default limits of the channel's type."`
}

// Run implements the command.
func (s *setChannelCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	if s.Name == nil && !s.given() && !s.NoQueue && !s.NoConsent && !s.NoDeveloperName && !s.NoLimits {
		return errors.New("nothing to change: give --name, --developer-name, --queue, --consent, --limit, or one of them as --no-…")
	}
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		ch, err := d.channel(s.Channel)
		if err != nil {
			return err
		}
		if err := s.read(d); err != nil {
			return err
		}
		changed, err := d.Schema.Switchboard.UpdateChannel(ctx, s.input(ch.ID))
		if err != nil {
			return err
		}
		return d.sayChannel(out, s.JSON, changed)
	})
}

func (s *setChannelCmd) input(id string) switchboard.UpdateChannelInput {
	in := switchboard.UpdateChannelInput{
		ID: id, Name: s.Name, DeveloperName: s.DeveloperName, QueueID: s.queueKey,
		RequiredConsent: (*channel.Consent)(s.requiredConsent), Limits: s.limitsGiven(),
	}
	if s.NoQueue {
		in.QueueID = new(string)
	}
	if s.NoConsent {
		in.RequiredConsent = new(channel.Consent)
	}
	if s.NoDeveloperName {
		in.DeveloperName = new(string)
	}
	if s.NoLimits {
		in.Limits = &s.limits
	}
	return in
}

// memberFlags are who joins and who leaves.
type memberFlags struct {
	Add    []string `placeholder:"USERNAME" sep:"none" help:"Agent who becomes a member; may be repeated."`
	Remove []string `placeholder:"USERNAME" sep:"none" help:"Agent who is a member no more; may be repeated."`
}

// change calls the use cases of those that are given.
func (m *memberFlags) change(d *operator, add, remove func(ids []string) error) error {
	if len(m.Add)+len(m.Remove) == 0 {
		return errors.New("nothing to change: give --add or --remove")
	}
	added, err := d.agentIDs(m.Add)
	if err != nil {
		return err
	}
	removed, err := d.agentIDs(m.Remove)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(added, func(id string) bool { return slices.Contains(removed, id) }); i >= 0 {
		return fmt.Errorf("%q is in both --add and --remove: name them once", m.Add[i])
	}
	if len(added) > 0 {
		err = add(added)
	}
	if err == nil && len(removed) > 0 {
		err = remove(removed)
	}
	return err
}

type channelMembersCmd struct {
	asJSON
	memberFlags
	Channel string `arg:"" help:"The channel: its address or developer name."`
}

// Run implements the command.
func (m *channelMembersCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		ch, err := d.channel(m.Channel)
		if err != nil {
			return err
		}
		to := func(use func(context.Context, switchboard.MembersInput) (*directory.Channel, error)) func([]string) error {
			return func(ids []string) (err error) {
				ch, err = use(ctx, switchboard.MembersInput{ID: ch.ID, AgentIDs: ids})
				return err
			}
		}
		if err := m.change(d, to(d.Schema.Switchboard.AddChannelMembers), to(d.Schema.Switchboard.RemoveChannelMembers)); err != nil {
			return err
		}
		return d.sayChannel(out, m.JSON, ch)
	})
}

type deactivateChannelCmd struct {
	asJSON
	Channel string `arg:"" help:"The channel: its address or developer name."`
	DryRun  bool   `help:"Say what is unsent, and change nothing."`
}

// Run implements the command.
func (a *deactivateChannelCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		ch, err := d.channel(a.Channel)
		if err != nil {
			return err
		}
		ch, unsent, err := d.Schema.Switchboard.DeactivateChannel(ctx, switchboard.DeactivateChannelInput{ID: ch.ID, DryRun: &a.DryRun})
		if err != nil {
			return err
		}
		if a.JSON {
			return printJSON(out, deactivatedChannelLine{d.channelLine(ch), unsent})
		}
		if err := d.sayChannel(out, false, ch); err != nil {
			return err
		}
		fmt.Fprintf(out, "Messages that wait to be sent from it, and fail when it is deactivated: %d.\n", unsent)
		return nil
	})
}

type activateChannelCmd struct {
	asJSON
	Channel string `arg:"" help:"The channel: its address or developer name."`
}

// Run implements the command.
func (a *activateChannelCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		ch, err := d.channel(a.Channel)
		if err != nil {
			return err
		}
		if ch, err = d.Schema.Switchboard.ActivateChannel(ctx, ch.ID); err != nil {
			return err
		}
		return d.sayChannel(out, a.JSON, ch)
	})
}

// channel finds the channel with an address or developer name. An address may be of
// several: then the active one counts, if there is only one.
func (d *operator) channel(name string) (*directory.Channel, error) {
	var found []*directory.Channel
	for _, c := range d.Directory.Channels() {
		if developer := c.DeveloperName(); developer != nil && strings.EqualFold(*developer, name) {
			return c, nil
		}
		if c.Address == name {
			found = append(found, c)
		}
	}
	if len(found) > 1 {
		found = slices.DeleteFunc(found, func(c *directory.Channel) bool { return !c.IsActive })
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("there is no channel %q; see parley channel list", name)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("several channels have the address %q: name one by its developer name; see parley channel list", name)
}

// agentIDs finds agents by username.
func (d *operator) agentIDs(usernames []string) ([]string, error) {
	ids := make([]string, len(usernames))
	for i, username := range usernames {
		agent, err := d.agent(username)
		if err != nil {
			return nil, err
		}
		ids[i] = agent.ID
	}
	return ids, nil
}

func (d *operator) accountKeys() (keys []string) {
	for account := range d.Directory.Accounts() {
		keys = append(keys, account.Key)
	}
	slices.Sort(keys)
	return keys
}

// channelLine is a channel as it is printed.
type channelLine struct {
	ID              string   `json:"id"`
	Address         string   `json:"address"`
	Name            string   `json:"name"`
	DeveloperName   string   `json:"developerName"`
	Type            string   `json:"type"`
	Country         string   `json:"country"`
	Account         string   `json:"account"`
	WebhookPath     string   `json:"webhookPath"`
	Active          bool     `json:"active"`
	Queue           string   `json:"queue"`
	RequiredConsent string   `json:"requiredConsent"`
	Members         []string `json:"members"` // usernames
}

// deactivatedChannelLine is a channel with how many messages wait to be sent from it.
type deactivatedChannelLine struct {
	channelLine
	UnsentMessages int64 `json:"unsentMessages"`
}

func (d *operator) channelLine(c *directory.Channel) channelLine {
	line := channelLine{
		ID: c.ID, Address: c.Address, Name: c.Name, Type: string(c.Type), Country: c.Country, Account: c.Account.Key,
		DeveloperName: orEmpty(c.DeveloperName()),
		WebhookPath:   "/webhooks/" + c.Account.Provider + "/" + c.Account.Key, Active: c.IsActive, RequiredConsent: string(c.Required), Members: usernames(c.Members()),
	}
	if q := d.Directory.Queue(c.Queue); q != nil {
		line.Queue = q.Name
	}
	return line
}

func usernames(agents []*directory.Agent) []string {
	names := make([]string, len(agents))
	for i, a := range agents {
		names[i] = a.Username
	}
	return names
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// sayChannel prints a channel as it is after a change.
func (d *operator) sayChannel(out io.Writer, asJSON bool, c *directory.Channel) error {
	line := d.channelLine(c)
	if asJSON {
		return printJSON(out, line)
	}
	fmt.Fprintf(out, "%s (%s): %s, %s. Queue: %s. Members: %s. Webhook: PUBLIC_URL%s\n",
		line.Address, line.Name, line.Type, state(line.Active), orNone(line.Queue), orNone(strings.Join(line.Members, ", ")), line.WebhookPath)
	return nil
}
