package staff_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/ent"
	"parley/internal/check/parleytest"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// person is an agent of the model: the plainest words for what decides their sight.
type person struct {
	key              int64
	role             viewer.Role
	active           bool
	sets             map[string]bool
	channels, queues map[int64]bool
}

// thread is a conversation of the model.
type thread struct {
	id                    string
	owner, channel, queue int64
}

// sets are the permission sets of the model.
var sets = map[string]viewer.Permission{"all": viewer.ViewAllData, "team": viewer.ViewTeamInbox, "assign": viewer.AssignConversation}

func (p *person) can(may viewer.Permission) bool {
	for set, has := range p.sets {
		if has && sets[set] == may {
			return true
		}
	}
	return slices.Contains(p.role.Defaults(), may)
}

func (p *person) sees(t *thread) bool {
	return p.can(viewer.ViewAllData) || p.can(viewer.ViewTeamInbox) && t.owner != 0 || t.owner == p.key || p.channels[t.channel] || p.queues[t.queue]
}

// writer is a customer who writes on and on.
const writer = "+12025550277"

// organisation is a desk, and the model of it.
type organisation struct {
	*parleytest.Parley
	people   map[string]*person
	threads  []*thread
	channels []int64
	queue    int64
	set      map[string]int64
}

// newOrganisation reads the model of the demo organisation, with two conversations on each
// of its channels.
func newOrganisation(t testing.TB, database string) *organisation {
	o := &organisation{Parley: parleytest.OpenAt(t, database).Run(), people: map[string]*person{}, set: map[string]int64{}}
	for i, c := range o.Directory.Channels() {
		o.channels = append(o.channels, c.Key)
		for n := range 2 {
			o.Say(fmt.Sprintf("+1202555%04d", 200+10*i+n), c.Address, "Hello")
		}
	}
	o.Say(writer, parleytest.Sales, "Hello")
	o.queue = o.Directory.Queues()[0].Key
	require.NoError(t, o.Directory.Change(o.System(), func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Ent.Agent.Update().ClearPermissionSets().Exec(ctx); err != nil {
			return err
		}
		for name, may := range sets {
			row, err := tx.Ent.PermissionSet.Create().SetName("model " + name).SetPermissions([]viewer.Permission{may}).Save(ctx)
			if err != nil {
				return err
			}
			o.set[name] = row.ID
		}
		return nil
	}))
	rows, err := o.Store.Ent.Agent.Query().WithChannels().WithQueues().All(o.System())
	require.NoError(t, err)
	for _, row := range rows {
		p := &person{key: row.ID, role: row.Role, active: true, sets: map[string]bool{}, channels: map[int64]bool{}, queues: map[int64]bool{}}
		for _, c := range row.Edges.Channels {
			p.channels[c.ID] = true
		}
		for _, q := range row.Edges.Queues {
			p.queues[q.ID] = true
		}
		o.people[row.Username] = p
	}
	return o
}

// read reads whose each conversation is: that customers' messages move it is another
// matter.
func (o *organisation) read(r *rapid.T) {
	o.threads = nil
	conversations, err := o.Store.Ent.Conversation.Query().All(o.System())
	require.NoError(r, err)
	for _, c := range conversations {
		o.threads = append(o.threads, &thread{o.Conversations.IDs.Encode(publicid.Conversation, c.ID), of(c.OwnerID), c.ChannelID, of(c.QueueID)})
	}
}

func of(key *int64) int64 {
	if key == nil {
		return 0
	}
	return *key
}

// change changes one thing of somebody, in the model and in the directory.
func (o *organisation) change(r *rapid.T) {
	username := rapid.SampledFrom([]string{"amy", "bo", "sue"}).Draw(r, "who")
	p := o.people[username]
	what := rapid.SampledFrom([]string{"role", "active", "set", "channel", "queue"}).Draw(r, "what")
	write := o.write(r, what, p)
	require.NoError(r, o.Directory.Change(o.System(), func(ctx context.Context, tx *store.Tx) error {
		u := tx.Ent.Agent.UpdateOneID(p.key)
		write(u)
		return u.Exec(ctx)
	}))
}

// write changes the model, and returns what changes the row alike: a write may run again.
func (o *organisation) write(r *rapid.T, what string, p *person) func(*ent.AgentUpdateOne) {
	switch what {
	case "role":
		p.role = rapid.SampledFrom([]viewer.Role{viewer.Standard, viewer.Supervisor, viewer.Admin}).Draw(r, "role")
		return func(u *ent.AgentUpdateOne) { u.SetRole(p.role) }
	case "active":
		p.active = !p.active
		return func(u *ent.AgentUpdateOne) { u.SetActive(p.active) }
	case "set":
		set := rapid.SampledFrom([]string{"all", "team", "assign"}).Draw(r, "set")
		if p.sets[set] = !p.sets[set]; p.sets[set] {
			return func(u *ent.AgentUpdateOne) { u.AddPermissionSetIDs(o.set[set]) }
		}
		return func(u *ent.AgentUpdateOne) { u.RemovePermissionSetIDs(o.set[set]) }
	case "channel":
		c := rapid.SampledFrom(o.channels).Draw(r, "channel")
		if p.channels[c] = !p.channels[c]; p.channels[c] {
			return func(u *ent.AgentUpdateOne) { u.AddChannelIDs(c) }
		}
		return func(u *ent.AgentUpdateOne) { u.RemoveChannelIDs(c) }
	}
	if p.queues[o.queue] = !p.queues[o.queue]; p.queues[o.queue] {
		return func(u *ent.AgentUpdateOne) { u.AddQueueIDs(o.queue) }
	}
	return func(u *ent.AgentUpdateOne) { u.RemoveQueueIDs(o.queue) }
}

// check compares what everybody sees, at a process, with the model.
func (o *organisation) check(r *rapid.T, at *parleytest.Parley) {
	for username, p := range o.people {
		const list = `{ conversations(view: {kind: ALL}, first: 100) { totalCount nodes { id viewerCanAssign } } }`
		if !p.active {
			require.Equal(r, []string{"UNAUTHENTICATED"}, at.As(username).Raw(list, nil).Codes(), username)
			continue
		}
		got := at.As(username).Do(list, nil)
		var want, seen []string
		for _, t := range o.threads {
			if p.sees(t) {
				want = append(want, fmt.Sprint(t.id, " ", p.can(viewer.AssignConversation)))
			}
		}
		for _, n := range got.Get("conversations", "nodes").List() {
			seen = append(seen, fmt.Sprint(n.Get("id").String(), " ", n.Get("viewerCanAssign").Bool()))
		}
		require.ElementsMatch(r, want, seen, username)
		require.Equal(r, len(want), got.Get("conversations", "totalCount").Int(), username)
	}
}

// Whatever is administered while customers write: everybody sees what the model says, at
// the process that changed it and, once it has heard, at another.
func TestEverybodySeesWhatTheModelSays(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	o := newOrganisation(t, database)
	there := parleytest.OpenAt(t, database).Run()
	said := 0
	rapid.Check(t, func(r *rapid.T) {
		o.change(r)
		said++
		o.Say(writer, parleytest.Sales, fmt.Sprint("Message ", said))
		o.read(r)
		o.check(r, o.Parley)
		head, err := o.Store.Head(o.System())
		require.NoError(r, err)
		require.NoError(r, there.Hub.Await(t.Context(), head))
		o.check(r, there)
	})
}
