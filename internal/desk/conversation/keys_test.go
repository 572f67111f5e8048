package conversation_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// No stream goes without an event that its scope matches, whatever the scope,
// the viewer and the event.
func TestWhatAScopeMatchesHasOneOfItsKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.scatter(150)
	all := w.facts()
	rapid.Check(t, func(t *rapid.T) {
		v, q := drawViewer(t, w), drawQuestion(t, w)
		if !q.known(v) {
			q.kind = conversation.All
		}
		scope, err := w.Conversations.Scope(t.Context(), v, q.view(w), q.filter(w))
		require.NoError(t, err)
		keys := scope.Keys()
		for k, f := range all {
			if !scope.Matches(f) {
				continue
			}
			for _, e := range []*feed.Event{{ConversationID: k, After: f}, {ConversationID: k, Before: f, After: &feed.Facts{}}} {
				has := slices.ContainsFunc(slices.Collect(e.Keys()), func(k feed.Key) bool { return slices.Contains(keys, k) })
				require.True(t, has, "%v of %+v has none of %v", q, f, keys)
			}
		}
	})
}

func TestAScopeChoosesTheKeysOfFewestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var many []int64
	for i := range int64(100) {
		many = append(many, base+i)
	}
	agent := &viewer.Viewer{AgentID: 7, Channels: w.numbers[:2], Queues: []int64{w.second}}
	everywhere := &viewer.Viewer{AgentID: 7, Channels: many}
	supervisor := &viewer.Viewer{AgentID: 8, Permissions: []viewer.Permission{viewer.ViewTeamInbox}}
	admin := &viewer.Viewer{AgentID: 9, Permissions: []viewer.Permission{viewer.ViewAllData}}
	contacts := ptr("Contact")
	anyRecord, amy := ptr(w.Conversations.IDs.Encode(publicid.Record, w.records[0])), ptr(w.Conversations.IDs.Encode(publicid.Agent, w.agent["amy"]))
	sight := []feed.Key{
		{Fact: feed.ByOwner, ID: 7},
		{Fact: feed.ByChannel, ID: w.numbers[0]},
		{Fact: feed.ByChannel, ID: w.numbers[1]},
		{Fact: feed.ByQueue, ID: w.second},
	}
	for name, c := range map[string]struct {
		v      *viewer.Viewer
		view   conversation.View
		filter *conversation.Filter
		want   []feed.Key
	}{
		"all that an agent sees":       {agent, conversation.View{Kind: conversation.All}, nil, sight},
		"an agent's object type":       {agent, conversation.View{Kind: conversation.ObjectType, Subject: contacts}, nil, sight},
		"unassigned to an agent":       {agent, conversation.View{Kind: conversation.Unassigned}, nil, sight[1:]},
		"an agent's inbox":             {agent, conversation.View{Kind: conversation.MyInbox}, nil, sight[:1]},
		"what an agent sent":           {agent, conversation.View{Kind: conversation.Sent}, nil, []feed.Key{{Fact: feed.BySender, ID: 7}}},
		"a record":                     {agent, conversation.View{Kind: conversation.OfRecord, Subject: anyRecord}, nil, []feed.Key{{Fact: feed.ByRecord, ID: w.records[0]}}},
		"one owner's":                  {admin, conversation.View{Kind: conversation.All}, &conversation.Filter{OwnerID: amy}, []feed.Key{{Fact: feed.ByOwner, ID: w.agent["amy"]}}},
		"a contradiction":              {agent, conversation.View{Kind: conversation.MyInbox}, &conversation.Filter{OwnerID: amy}, nil},
		"too many channels":            {everywhere, conversation.View{Kind: conversation.All}, nil, []feed.Key{feed.Everything}},
		"a supervisor's all":           {supervisor, conversation.View{Kind: conversation.All}, nil, []feed.Key{feed.Everything}},
		"a supervisor's object type":   {supervisor, conversation.View{Kind: conversation.ObjectType, Subject: contacts}, nil, []feed.Key{{Fact: feed.ByObjectType, Name: "Contact"}}},
		"unassigned to an admin":       {admin, conversation.View{Kind: conversation.All}, &conversation.Filter{IsAssigned: ptr(false)}, []feed.Key{{Fact: feed.ByOwner}}},
		"an admin's all":               {admin, conversation.View{Kind: conversation.All}, nil, []feed.Key{feed.Everything}},
		"unassigned to nobody's agent": {&viewer.Viewer{AgentID: 7}, conversation.View{Kind: conversation.Unassigned}, nil, []feed.Key{}},
	} {
		scope, err := w.Conversations.Scope(t.Context(), c.v, c.view, c.filter)
		require.NoError(t, err, name)
		require.Equal(t, c.want, scope.Keys(), name)
	}
}
