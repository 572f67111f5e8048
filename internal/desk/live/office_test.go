package live_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	entchannel "parley/ent/channel"
	"parley/ent/messaginguser"
	"parley/ent/permissionset"
	"parley/ent/queue"
	"parley/internal/check/parleytest"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/merge"
	"parley/internal/desk/message"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// trial is a test whose clean-ups run when one of its cases ends.
type trial struct {
	testing.TB
	cleanups []func()
}

// Cleanup implements testing.TB.
func (c *trial) Cleanup(f func()) { c.cleanups = append(c.cleanups, f) }

// TempDir implements testing.TB.
func (c *trial) TempDir() string {
	dir, err := os.MkdirTemp("", "parley-case-") // the test's own would fill up with all its cases
	require.NoError(c, err)
	c.Cleanup(func() { require.NoError(c, os.RemoveAll(dir)) })
	return dir
}

func (c *trial) end() {
	for _, f := range slices.Backward(c.cleanups) {
		f()
	}
}

// office is a Parley in which anything may happen. Beside the demo's agents there
// is root, whose rights nobody moves.
type office struct {
	*parleytest.Parley
	usernames []string // of those whose rights move
	addresses []string // of channels
	records   []string // ids
	keys      int      // idempotency keys used
	moves     int      // changes of rights
	kin       kin
	patience  *time.Duration
}

// grid is what the clock steps by, so that filters meet messages at the very
// instant.
const grid = time.Hour

func newOffice(t testing.TB, patience *time.Duration) *office {
	t.Helper()
	o := &office{
		Parley:    parleytest.New(t).Run(),
		usernames: []string{"amy", "bo", "sue", "ada"},
		addresses: []string{parleytest.Sales, parleytest.Direct, parleytest.Support, parleytest.Billing},
		kin:       kin{records: map[string]*told{}, mappings: mappings},
		patience:  patience,
	}
	o.Schema.Live.CountsEvery = time.Millisecond
	o.change(func(ctx context.Context, tx *store.Tx) error {
		root, err := tx.Ent.Agent.Create().SetUsername("root").SetName("Root").SetRole(viewer.Admin).SetCreatedAt(tx.Now).Save(ctx)
		if err != nil {
			return err
		}
		if err := tx.Ent.Channel.Update().Where(entchannel.AddressIn(parleytest.Sales, parleytest.Support)).AddMembers(root).Exec(ctx); err != nil {
			return err
		}
		for _, p := range []viewer.Permission{viewer.ViewTeamInbox, viewer.ViewAllData} {
			if err := tx.Ent.PermissionSet.Create().SetName(string(p)).SetPermissions([]viewer.Permission{p}).Exec(ctx); err != nil {
				return err
			}
		}
		if err := letRelate(ctx, tx); err != nil {
			return err
		}
		for i, kind := range []string{"Contact", "Contact", "Lead", "Contact", "Opportunity", "Lead"} {
			r, err := tx.Ent.Record.Create().SetObjectType(kind).SetExternalID(fmt.Sprint(i)).SetName(kind).SetMobileNumber(customerAt(i)).Save(ctx)
			if err != nil {
				return err
			}
			o.records = append(o.records, o.Conversations.IDs.Encode(publicid.Record, r.ID))
			o.kin.record(kind, fmt.Sprint(i)).known = true
		}
		return nil
	})
	return o
}

func customerAt(i int) string { return fmt.Sprintf("+120255501%02d", 80+i) }

func (o *office) change(fn func(ctx context.Context, tx *store.Tx) error) {
	o.T.Helper()
	o.moves++
	require.NoError(o.T, o.Directory.Change(context.Background(), fn))
}

// queried is the state after a query that must be answered now, or will not be.
func (o *office) queried(username string, query func(v *viewer.Viewer) (state, string, error)) state {
	v, err := o.Directory.Viewer(username)
	if err != nil {
		return state{}
	}
	s, _, err := query(v)
	if err != nil {
		return state{}
	}
	return s
}

func (o *office) drawView(r *rapid.T) conversation.View {
	view := conversation.View{Kind: rapid.SampledFrom([]conversation.ViewKind{
		conversation.All, conversation.MyInbox, conversation.Sent, conversation.SenderID, conversation.TeamInbox,
		conversation.Unassigned, conversation.ObjectType, conversation.OfRecord, conversation.RecordTrail,
	}).Draw(r, "view")}
	var subject string
	switch view.Kind {
	case conversation.SenderID:
		subject = o.drawChannel(r).id
	case conversation.TeamInbox:
		subject = o.drawAgent(r)
	case conversation.ObjectType:
		subject = drawObjectType(r)
	case conversation.OfRecord, conversation.RecordTrail:
		subject = rapid.SampledFrom(o.records).Draw(r, "record")
	default:
		return view
	}
	view.Subject = &subject
	return view
}

func (o *office) drawFilter(r *rapid.T) *conversation.Filter {
	at := rapid.Map(rapid.IntRange(-1, 2), func(n int) clock.Time { return clock.Of(parleytest.Start).Add(time.Duration(n) * grid) })
	return &conversation.Filter{
		IsUnread:             maybe(r, "unread", rapid.Bool().Draw),
		ObjectType:           maybe(r, "object type", func(r *rapid.T, _ string) string { return drawObjectType(r) }),
		ChannelID:            maybe(r, "channel", func(r *rapid.T, _ string) string { return o.drawChannel(r).id }),
		OwnerID:              maybe(r, "owner", func(r *rapid.T, _ string) string { return o.drawAgent(r) }),
		IsAssigned:           maybe(r, "assigned", rapid.Bool().Draw),
		LastMessageDirection: maybe(r, "direction", rapid.SampledFrom([]content.Direction{content.Inbound, content.Outbound}).Draw),
		LastMessageFrom:      maybe(r, "from", at.Draw),
		LastMessageBefore:    maybe(r, "before", at.Draw),
	}
}

// maybe draws a condition one time in six.
func maybe[T any](r *rapid.T, name string, draw func(*rapid.T, string) T) *T {
	if rapid.IntRange(0, 5).Draw(r, name+"?") > 0 {
		return nil
	}
	v := draw(r, name)
	return &v
}

func drawObjectType(r *rapid.T) string {
	return rapid.SampledFrom([]string{"Contact", "Lead"}).Draw(r, "object type")
}

type place struct{ address, id string }

func (o *office) drawChannel(r *rapid.T) place {
	p := place{address: rapid.SampledFrom(o.addresses).Draw(r, "channel")}
	for _, c := range o.Directory.Channels() {
		if c.Address == p.address {
			p.id = c.ID
		}
	}
	return p
}

// drawAgent is the id of an agent.
func (o *office) drawAgent(r *rapid.T) string {
	return o.Directory.AgentNamed(rapid.SampledFrom(o.usernames).Draw(r, "agent")).ID
}

// actor is who does something: mostly root, who may.
func (o *office) actor(r *rapid.T) context.Context {
	v, err := o.Directory.Viewer(rapid.SampledFrom([]string{"root", "root", "amy", "bo", "sue"}).Draw(r, "actor"))
	if err != nil {
		return o.Context("root")
	}
	return viewer.NewContext(context.Background(), v)
}

// write does one thing to a conversation; what is refused is no harm.
func (o *office) write(r *rapid.T) {
	o.keys++
	ctx, key, to := o.actor(r), fmt.Sprint("key-", o.keys), o.drawChannel(r)
	page, err := o.Conversations.List(o.Context("root"), conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: 100}, conversation.Selected{})
	require.NoError(o.T, err)
	what := rapid.IntRange(0, 11).Draw(r, "write")
	if len(page.Nodes) == 0 || what < 2 {
		o.Say(customerAt(rapid.IntRange(0, 2).Draw(r, "customer")), to.address, key)
		return
	}
	id := rapid.SampledFrom(page.Nodes).Draw(r, "conversation").ID()
	sure := rapid.Bool().Draw(r, "sure")
	switch what {
	case 2:
		agent := o.drawAgent(r)
		_, err = o.Conversations.Assign(ctx, []string{id}, &agent)
	case 3:
		_, err = o.Conversations.Assign(ctx, []string{id}, nil)
	case 4, 5:
		_, err = o.Conversations.MarkRead(ctx, []*conversation.MarkItem{{ID: id}}, sure)
	case 6:
		_, err = o.Conversations.MarkUnread(ctx, []string{id}, sure)
	case 7:
		_, err = o.Messenger.AddNote(ctx, message.NoteInput{ConversationID: id, Text: key, IdempotencyKey: key})
	case 8:
		record := rapid.SampledFrom(o.records).Draw(r, "record")
		_, err = o.Messenger.Start(ctx, message.StartInput{ChannelID: to.id, RecordID: &record, Text: key, IdempotencyKey: key})
	case 9:
		other := rapid.SampledFrom(page.Nodes).Draw(r, "other")
		_, err = o.Schema.Merger.Merge(o.Context("root"), merge.Input{IDs: []string{o.customerOf(id), o.customerOf(other.ID())}, IdempotencyKey: key})
	case 10:
		for _, u := range o.Store.Ent.MessagingUser.Query().Where(messaginguser.MergedIntoNotNil()).Order(messaginguser.ByID()).Limit(1).IDsX(o.System()) {
			_, err = o.Schema.Merger.Unmerge(o.Context("root"), o.Conversations.IDs.Encode(publicid.MessagingUser, u))
		}
	default: // the carrier's receipts follow
		_, err = o.Messenger.Send(ctx, message.SendInput{ConversationID: id, Text: key, IdempotencyKey: key, ConfirmForOwner: sure})
	}
	if refused := (*message.RefusedError)(nil); err != nil && !errors.As(err, &refused) && fault.CodeOf(err) == fault.Internal {
		r.Fatalf("write %d: %v", what, err)
	}
}

// customerOf is the messaging user of a conversation.
func (o *office) customerOf(id string) string {
	row, err := o.Conversations.Get(o.System(), id)
	require.NoError(o.T, err)
	return o.Conversations.IDs.Encode(publicid.MessagingUser, row.MessagingUserID)
}

// changeRights moves the rights of one agent, or nobody's.
func (o *office) changeRights(r *rapid.T) {
	a := o.Directory.AgentNamed(rapid.SampledFrom(o.usernames).Draw(r, "whose"))
	address, on := o.drawChannel(r).address, rapid.Bool().Draw(r, "on")
	permission := rapid.SampledFrom([]viewer.Permission{viewer.ViewTeamInbox, viewer.ViewAllData, reading}).Draw(r, "permission")
	role := rapid.SampledFrom([]viewer.Role{viewer.Standard, viewer.Standard, viewer.Supervisor, viewer.Admin}).Draw(r, "role")
	what := rapid.SampledFrom([]string{"role", "channel", "queue", "permission", "permission", "active", "name", "hire"}).Draw(r, "right")
	o.change(func(ctx context.Context, tx *store.Tx) (err error) {
		var key int64
		of := tx.Ent.Agent.UpdateOneID(a.Key)
		switch what {
		case "role":
			of.SetRole(role)
		case "channel":
			key, err = tx.Ent.Channel.Query().Where(entchannel.Address(address)).OnlyID(ctx)
			if of.RemoveChannelIDs(key); on {
				of.AddChannelIDs(key)
			}
		case "queue":
			key, err = tx.Ent.Queue.Query().Where(queue.Name("Support")).OnlyID(ctx)
			if of.RemoveQueueIDs(key); on {
				of.AddQueueIDs(key)
			}
		case "permission":
			key, err = tx.Ent.PermissionSet.Query().Where(permissionset.Name(string(permission))).OnlyID(ctx)
			if of.RemovePermissionSetIDs(key); on {
				of.AddPermissionSetIDs(key)
			}
		case "active":
			of.SetActive(on)
		case "name":
			of.SetName(fmt.Sprint("Name ", o.moves))
		case "hire":
			return o.hire(ctx, tx, role)
		}
		if err != nil {
			return err
		}
		return of.Exec(ctx)
	})
}

// hire takes on another agent, up to six.
func (o *office) hire(ctx context.Context, tx *store.Tx, role viewer.Role) error {
	if len(o.usernames) == 6 {
		return nil
	}
	name := fmt.Sprint("hired ", len(o.usernames))
	o.usernames = append(o.usernames, name)
	return tx.Ent.Agent.Create().SetUsername(name).SetName(name).SetRole(role).SetCreatedAt(tx.Now).Exec(ctx)
}

// stepClock moves the clock on, or back.
func (o *office) stepClock(r *rapid.T) {
	o.Clock.Advance(time.Duration(rapid.IntRange(-2, 2).Draw(r, "steps")) * grid)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// written is the filter with what its pointers point to.
func written(f *conversation.Filter) string {
	out := ""
	add := func(name string, there bool, v func() any) {
		if there {
			out += fmt.Sprintf(" %s=%v", name, v())
		}
	}
	add("unread", f.IsUnread != nil, func() any { return *f.IsUnread })
	add("objectType", f.ObjectType != nil, func() any { return *f.ObjectType })
	add("channel", f.ChannelID != nil, func() any { return *f.ChannelID })
	add("owner", f.OwnerID != nil, func() any { return *f.OwnerID })
	add("assigned", f.IsAssigned != nil, func() any { return *f.IsAssigned })
	add("direction", f.LastMessageDirection != nil, func() any { return *f.LastMessageDirection })
	add("from", f.LastMessageFrom != nil, func() any { return *f.LastMessageFrom })
	add("before", f.LastMessageBefore != nil, func() any { return *f.LastMessageBefore })
	return out
}
