package conversation

import (
	"context"
	"maps"
	"slices"

	"parley/internal/desk/related"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// ViewKind is which list of conversations.
type ViewKind string

// The views (DOMAIN: Conversation).
const (
	All         ViewKind = "ALL"
	MyInbox     ViewKind = "MY_INBOX"
	Sent        ViewKind = "SENT"
	SenderID    ViewKind = "SENDER_ID"
	TeamInbox   ViewKind = "TEAM_INBOX"
	Unassigned  ViewKind = "UNASSIGNED"
	ObjectType  ViewKind = "OBJECT_TYPE"
	OfRecord    ViewKind = "RECORD"
	RecordTrail ViewKind = "RECORD_TRAIL"
)

// View is a list of conversations: a kind and, where the kind needs one, what it
// is about.
type View struct {
	Kind    ViewKind
	Subject *string
}

// Scope is a view and a filter resolved for one viewer: the conditions that hold
// for its conversations, and the viewer's sight. It answers in SQL (list, count)
// and in Go (streams), and the two agree.
type Scope struct {
	sight rule.Visibility
	conds asked
}

// Scope resolves a view and a filter for the viewer v. A view whose subject the
// viewer may not know of is NOT_FOUND; a filter naming what is not an id is
// BAD_INPUT.
func (d *Service) Scope(ctx context.Context, v *viewer.Viewer, view View, filter *Filter) (*Scope, error) {
	conds, err := d.asks(viewer.NewContext(ctx, v), view)
	if err == nil && filter != nil {
		err = conds.filter(d, filter)
	}
	if err != nil {
		return nil, err
	}
	return &Scope{sight: rule.Visible(v), conds: conds}, nil
}

// viewRow declares a view.
type viewRow struct {
	kind ViewKind
	// subject is what the view needs to be named; empty for nothing.
	subject string
	// ask returns what the view wants of each condition for the viewer of ctx.
	ask func(ctx context.Context, d *Service, subject string) (asked, error)
	// inboxes are those of the kind that v has; nil when it is no inbox.
	inboxes func(d *Service, v *viewer.Viewer, sums cellSums) []*Inbox
}

// A new view is a row here, with its kind above, and a value in the schema. Inboxes are
// listed in this order.
var views = []viewRow{
	{
		kind: All,
		ask:  func(context.Context, *Service, string) (asked, error) { return asked{}, nil },
	},
	{
		kind: MyInbox,
		ask: func(ctx context.Context, _ *Service, _ string) (asked, error) {
			return asked{ownedBy: viewer.FromContext(ctx).AgentID, withInbound: true}, nil
		},
		inboxes: func(*Service, *viewer.Viewer, cellSums) []*Inbox { return []*Inbox{{Title: "My Inbox"}} },
	},
	{
		kind: Sent,
		ask: func(ctx context.Context, _ *Service, _ string) (asked, error) {
			return asked{sentBy: viewer.FromContext(ctx).AgentID}, nil
		},
	},
	{
		kind: SenderID, subject: "a channel's id",
		ask: func(ctx context.Context, d *Service, subject string) (asked, error) {
			v := viewer.FromContext(ctx)
			key, ok := d.IDs.Decode(publicid.Channel, subject)
			if !ok || d.Directory.Channel(key) == nil || !v.HasChannel(key) && !v.Can(viewer.ViewAllData) {
				return asked{}, missingSubject("sender ID inbox")
			}
			return asked{onChannel: key}, nil
		},
		inboxes: func(d *Service, v *viewer.Viewer, _ cellSums) (out []*Inbox) {
			for _, c := range d.Directory.Channels() {
				if v.HasChannel(c.Key) || v.Can(viewer.ViewAllData) {
					out = append(out, &Inbox{Subject: &c.ID, Title: c.Name})
				}
			}
			return out
		},
	},
	{
		kind: Unassigned,
		ask: func(context.Context, *Service, string) (asked, error) {
			return asked{ownedBy: int64(0)}, nil
		},
		inboxes: func(*Service, *viewer.Viewer, cellSums) []*Inbox { return []*Inbox{{Title: "Unassigned"}} },
	},
	{
		kind: ObjectType, subject: "the name of an object type, such as Contact",
		ask: func(_ context.Context, _ *Service, subject string) (asked, error) {
			if !storable(subject) {
				return asked{}, fault.Input("view.subject", "This is not an object type. Give one such as Contact.")
			}
			return asked{ofObjectType: subject}, nil
		},
		// Those of which v sees a conversation.
		inboxes: func(_ *Service, _ *viewer.Viewer, sums cellSums) (out []*Inbox) {
			for _, t := range slices.Sorted(maps.Keys(sums.objectType)) {
				out = append(out, &Inbox{Subject: &t, Title: t})
			}
			return out
		},
	},
	{
		kind: TeamInbox, subject: "an agent's id",
		ask: func(ctx context.Context, d *Service, subject string) (asked, error) {
			v := viewer.FromContext(ctx)
			key, ok := d.IDs.Decode(publicid.Agent, subject)
			if !v.Can(viewer.ViewTeamInbox) || !ok || d.Directory.Agent(key) == nil {
				return asked{}, missingSubject("team inbox")
			}
			return asked{ownedBy: key, withInbound: true}, nil
		},
		inboxes: func(d *Service, v *viewer.Viewer, _ cellSums) (out []*Inbox) {
			if v.Can(viewer.ViewTeamInbox) {
				for _, agent := range d.Directory.People(nil) {
					out = append(out, &Inbox{Subject: &agent.ID, Title: agent.Name})
				}
			}
			return out
		},
	},
	{
		kind: OfRecord, subject: "a record's id",
		ask: func(ctx context.Context, d *Service, subject string) (asked, error) {
			key, ok := d.IDs.Decode(publicid.Record, subject)
			if !ok {
				return asked{}, missingSubject("record")
			}
			key, err := d.inPlaceOf(ctx, key)
			return asked{aboutRecord: key}, err
		},
	},
	{
		kind: RecordTrail, subject: "a record's id",
		ask: func(ctx context.Context, d *Service, subject string) (asked, error) {
			key, ok := d.IDs.Decode(publicid.Record, subject)
			if !ok {
				return asked{}, missingSubject("record")
			}
			trail, err := related.Read(ctx, d.Store, d.Directory, key)
			return asked{onTrail: trail}, err
		},
	},
}

// asks returns what a view asks for the viewer of ctx.
func (d *Service) asks(ctx context.Context, view View) (asked, error) {
	i := slices.IndexFunc(views, func(r viewRow) bool { return r.kind == view.Kind })
	needed, subject := i >= 0 && views[i].subject != "", ""
	if view.Subject != nil {
		subject = *view.Subject
	}
	switch {
	case needed && subject == "":
		return asked{}, fault.Input("view.subject", "The view %s needs a subject: %s.", view.Kind, views[i].subject)
	case !needed && view.Subject != nil:
		return asked{}, fault.Input("view.subject", "The view %s takes no subject. Leave it out.", view.Kind)
	case i < 0:
		return asked{}, fault.Input("view.kind", "There is no view %q. See ViewKind for the views.", view.Kind)
	}
	return views[i].ask(ctx, d, subject)
}

func missingSubject(what string) error {
	err := fault.Missing(what)
	err.Field = "view.subject"
	return err
}

// covered reports whether the conditions alone keep to what the viewer sees.
func (s *Scope) covered() bool {
	if s.sight.All() {
		return true
	}
	owner, _ := s.conds[ownedBy].(int64)
	channel, _ := s.conds[onChannel].(int64)
	return s.sight.Covers(owner, channel)
}

// terms are those of the sight that the conditions leave anything of. They are
// asked for when the scope is not covered: then no owner and no channel that the
// conditions name is one the sight names.
func (s *Scope) terms() []rule.Term {
	c := &s.conds
	owned := c[ownedBy] == nil && c[isAssigned] != false
	return slices.DeleteFunc(s.sight.Terms(), func(t rule.Term) bool {
		return t.Column == "owner_id" && !owned || t.Column == "channel_id" && c[onChannel] != nil
	})
}
