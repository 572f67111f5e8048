package conversation

import (
	"slices"

	"parley/internal/channel"
	"parley/internal/clock"
	"parley/internal/content"
	"parley/internal/fault"
	"parley/internal/publicid"
	"parley/internal/rule"
	"parley/internal/viewer"
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
	RecordTrail ViewKind = "RECORD"
)

// View is a list of conversations: a kind and, where the kind needs one, what it
// is about.
type View struct {
	Kind    ViewKind
	Subject *string
}

// Filter narrows a view; nil fields do not narrow.
type Filter struct {
	IsUnread             *bool
	ObjectType           *string
	ChannelID            *string
	OwnerID              *string
	IsAssigned           *bool
	LastMessageDirection *content.Direction
	LastMessageFrom      *clock.Time
	LastMessageBefore    *clock.Time
}

// Scope is a view and a filter resolved for one viewer: the conditions that hold
// for its conversations, and the viewer's sight. It answers in SQL (list, count)
// and in Go (streams), and the two agree.
type Scope struct {
	sight rule.Sight
	conds conditions
}

// conditions are joined by AND. Pointers to zero mean "none".
type conditions struct {
	owner       *int64
	channel     *int64
	record      *int64
	objectType  *string
	sentBy      *int64
	withInbound bool
	unread      *bool
	assigned    *bool
	direction   *content.Direction
	from        *clock.Time
	before      *clock.Time
	elsewhere   []int64 // channels to leave out
	nothing     bool    // two conditions contradict
}

// Scope resolves a view and a filter for the viewer v. A view whose subject the
// viewer may not know of is NOT_FOUND; a filter naming what is not an id is
// BAD_INPUT.
func (d *Desk) Scope(v *viewer.Viewer, view View, filter *Filter) (*Scope, error) {
	s := &Scope{sight: rule.Visible(v)}
	if err := d.addView(&s.conds, v, view); err != nil {
		return nil, err
	}
	if filter != nil {
		if err := d.addFilter(&s.conds, filter); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (d *Desk) addView(c *conditions, v *viewer.Viewer, view View) error {
	subject, err := subjectOf(view)
	if err != nil {
		return err
	}
	switch view.Kind {
	case All:
	case MyInbox:
		c.owner, c.withInbound = &v.AgentID, true
	case Sent:
		c.sentBy = &v.AgentID
	case Unassigned:
		c.owner = new(int64)
	case ObjectType:
		if !storable(subject) {
			return fault.Input("view.subject", "This is not an object type. Give one such as Contact.")
		}
		c.objectType = &subject
	case SenderID:
		return d.addSenderID(c, v, subject)
	case TeamInbox:
		return d.addTeamInbox(c, v, subject)
	case RecordTrail:
		key, ok := d.IDs.Decode(publicid.Record, subject)
		if !ok {
			return missingSubject("record")
		}
		c.record = &key
	default:
		return fault.Input("view.kind", "There is no view %q. See ViewKind for the views.", view.Kind)
	}
	return nil
}

func subjectOf(view View) (string, error) {
	needed := view.Kind == SenderID || view.Kind == TeamInbox || view.Kind == ObjectType || view.Kind == RecordTrail
	switch {
	case needed && (view.Subject == nil || *view.Subject == ""):
		return "", fault.Input("view.subject", "The view %s needs a subject. See the description of its kind.", view.Kind)
	case !needed && view.Subject != nil:
		return "", fault.Input("view.subject", "The view %s takes no subject. Leave it out.", view.Kind)
	case !needed:
		return "", nil
	}
	return *view.Subject, nil
}

func missingSubject(what string) error {
	err := fault.Missing(what)
	err.Field = "view.subject"
	return err
}

func (d *Desk) addSenderID(c *conditions, v *viewer.Viewer, subject string) error {
	key, ok := d.IDs.Decode(publicid.Channel, subject)
	if !ok || d.Directory.Channel(key) == nil || !v.HasChannel(key) && !v.Can(viewer.ViewAllData) {
		return missingSubject("sender ID inbox")
	}
	c.channel = &key
	return nil
}

func (d *Desk) addTeamInbox(c *conditions, v *viewer.Viewer, subject string) error {
	key, ok := d.IDs.Decode(publicid.Agent, subject)
	if !v.Can(viewer.ViewTeamInbox) || !ok || d.Directory.Agent(key) == nil {
		return missingSubject("team inbox")
	}
	c.owner, c.withInbound = &key, true
	return nil
}

func (d *Desk) addFilter(c *conditions, f *Filter) error {
	if f.ChannelID != nil {
		key, ok := d.IDs.Decode(publicid.Channel, *f.ChannelID)
		if !ok {
			return fault.Input("filterBy.channelId", "This is not a channel's id.")
		}
		meet(c, &c.channel, key)
	}
	if f.OwnerID != nil {
		key, ok := d.IDs.Decode(publicid.Agent, *f.OwnerID)
		if !ok {
			return fault.Input("filterBy.ownerId", "This is not an agent's id.")
		}
		meet(c, &c.owner, key)
	}
	if f.ObjectType != nil {
		if *f.ObjectType == "" || !storable(*f.ObjectType) {
			return fault.Input("filterBy.objectType", "Give an object type such as Contact, or leave it out.")
		}
		meet(c, &c.objectType, *f.ObjectType)
	}
	c.unread, c.assigned, c.direction = f.IsUnread, f.IsAssigned, f.LastMessageDirection
	c.from, c.before = f.LastMessageFrom, f.LastMessageBefore
	return nil
}

// storable reports whether a column could hold s: PostgreSQL refuses even to
// compare what it cannot hold.
func storable(s string) bool { return channel.CleanText(s) == s }

// meet joins a condition to what the view already asks of the same column.
func meet[T comparable](c *conditions, have **T, want T) {
	if *have != nil && **have != want {
		c.nothing = true
	}
	*have = &want
}

// covered reports whether the conditions alone keep to what the viewer sees.
func (s *Scope) covered() bool {
	if s.sight.All() {
		return true
	}
	var owner, channel int64
	if s.conds.owner != nil {
		owner = *s.conds.owner
	}
	if s.conds.channel != nil {
		channel = *s.conds.channel
	}
	return s.sight.Covers(owner, channel)
}

// terms are those of the sight that the conditions leave anything of. They are
// asked for when the scope is not covered: then no owner and no channel that the
// conditions name is one the sight names.
func (s *Scope) terms() []rule.Term {
	c := &s.conds
	owned := c.owner == nil && (c.assigned == nil || *c.assigned)
	return slices.DeleteFunc(s.sight.Terms(), func(t rule.Term) bool {
		return t.Column == "owner_id" && !owned || t.Column == "channel_id" && c.channel != nil
	})
}
