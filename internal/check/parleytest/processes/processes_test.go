// Package processes runs several Parleys on one database and holds them to what
// one promises.
package processes_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/feed/natsbus/natstest"
	"parley/internal/desk/peer"
	"parley/internal/ground/store"
)

const (
	customer = "+12025550199"
	added    = `subscription($after: Cursor) { messageAdded(after: $after) { kind cursor message { content { ... on TextContent { text } } } } }`
)

// pair opens two running Parleys on one database; with an empty URL PostgreSQL is
// their bus, and on SQLite they have none in common.
func pair(t *testing.T, database, nats string) (one, two *parleytest.Parley) {
	t.Helper()
	over := func(c *app.Config) { c.NATS = nats }
	return parleytest.OpenAt(t, database, over).Run(), parleytest.OpenAt(t, database, over).Run()
}

// stream is one agent's messageAdded on one process.
type stream struct {
	*parleytest.Socket
	cursor string
}

// follow subscribes from a cursor, or from now for an empty one, and waits for
// the first frame.
func follow(p *parleytest.Parley, after string) *stream {
	p.T.Helper()
	vars := parleytest.Vars{}
	if after != "" {
		vars["after"] = after
	}
	s := &stream{Socket: p.As("ada").Subscribe(added, vars)}
	if after == "" {
		first := s.Next().Get("messageAdded")
		require.Equal(p.T, "OPEN", first.Get("kind").String())
		s.cursor = first.Get("cursor").String()
	}
	return s
}

// text is the text of the next message.
func (s *stream) text() string {
	for {
		event := s.Next().Get("messageAdded")
		s.cursor = event.Get("cursor").String()
		if event.Get("kind").String() != "OPEN" {
			return event.Get("message", "content", "text").String()
		}
	}
}

// delays has messages come in at one process and says how long until each is
// pushed by the other, sorted.
func delays(from *parleytest.Parley, to *stream, name string, times int) []time.Duration {
	from.T.Helper()
	var took []time.Duration
	for n := range times {
		text, start := fmt.Sprintf("%s %d", name, n), time.Now()
		from.Say(customer, parleytest.Sales, text)
		require.Equal(from.T, text, to.text())
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took
}

// Each serves what comes in at the other as fast as what comes in at itself, both
// ways: far faster than the look at the log once a second could.
func TestProcessesServeEachOthersSubscribersAtOnce(t *testing.T) {
	t.Parallel()
	one, two := pair(t, parleytest.Database(t), natstest.Start(t).URL())
	atOne, atTwo := follow(one, ""), follow(two, "")
	there := delays(one, atTwo, "there", 30)
	for range there {
		atOne.text()
	}
	back := delays(two, atOne, "back", 30)
	t.Logf("median there %s, back %s; worst %s, %s", there[15], back[15], there[29], back[29])
	require.Less(t, there[15], 250*time.Millisecond, "half come sooner than chance would have it")
	require.Less(t, back[15], 250*time.Millisecond)
}

// PostgreSQL itself is a bus where no other is named.
func TestProcessesOnPostgreSQLNeedNothingElse(t *testing.T) {
	t.Parallel()
	if !parleytest.OnPostgres() {
		return // on SQLite one process is the rule
	}
	one, two := pair(t, parleytest.Database(t), "")
	took := delays(one, follow(two, ""), "there", 30)
	t.Logf("median %s, worst %s", took[15], took[29])
	require.Less(t, took[15], 250*time.Millisecond)
}

// With no common bus every hint between them is lost, and the position check
// heals each within about a second.
func TestProcessesWithoutACommonBusHealWithinASecond(t *testing.T) {
	t.Parallel()
	one, two := pair(t, parleytest.Database(t), natstest.Reserve(t).URL())
	took := delays(one, follow(two, ""), "late", 4)
	t.Logf("%s", took)
	require.Less(t, took[3], 3*time.Second)
}

// NATS goes, is missed by nobody, and comes back.
func TestNothingIsLostWhileNATSIsAway(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	one, two := pair(t, parleytest.Database(t), server.URL())
	atTwo := follow(two, "")
	delays(one, atTwo, "with", 3)
	server.Stop()
	delays(one, atTwo, "without", 3)
	server.Start()
	one.Eventually(func() bool { return server.Clients() == 2 }, "both are back")
	// The first may go by before the other listens again.
	took := delays(one, atTwo, "again", 20)
	t.Logf("median %s, worst %s", took[10], took[19])
	require.Less(t, took[10], 250*time.Millisecond)
}

// A stream goes on at another process where it broke off: nothing is missing,
// nothing comes twice.
func TestAStreamResumesOnAnotherProcess(t *testing.T) {
	t.Parallel()
	one, two := pair(t, parleytest.Database(t), natstest.Start(t).URL())
	on, s := []*parleytest.Parley{one, two}, follow(one, "")
	for n := range 6 {
		for m := range 3 {
			on[m%2].Say(customer, parleytest.Sales, fmt.Sprintf("%d.%d", n, m))
		}
		for m := range 2 { // the third is not read from this connection
			require.Equal(t, fmt.Sprintf("%d.%d", n, m), s.text())
		}
		s.Close()
		s = follow(on[(n+1)%2], s.cursor)
		require.Equal(t, fmt.Sprintf("%d.2", n), s.text())
	}
}

// Two databases share a cluster and nothing else.
func TestDatabasesOnOneClusterDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	url := natstest.Start(t).URL()
	one, two := pair(t, parleytest.Database(t), url)
	_, other := pair(t, otherLog(t), url)
	here, elsewhere := follow(two, ""), follow(other, "")
	delays(one, here, "here", 10)
	delays(other, elsewhere, "elsewhere", 10) // and nothing of "here" among them
	delays(one, here, "here again", 3)
}

// otherLog is a database with a log of its own; those of the harness are copies
// of one.
func otherLog(t *testing.T) string {
	t.Helper()
	database := parleytest.Database(t)
	s, err := store.Open(t.Context(), store.Options{URL: database})
	require.NoError(t, err)
	require.NoError(t, s.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, tx.Builder().Update("log_heads").Set("epoch", s.Epoch/2))
		return err
	}))
	require.NoError(t, s.Close())
	return database
}

// Both keep a row while they run, and a common bus is known as such.
func TestProcessesKnowOfEachOther(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	one, two := pair(t, parleytest.Database(t), server.URL())
	rows := func() []peer.Process {
		all, err := peer.List(t.Context(), one.Store)
		require.NoError(t, err)
		return all
	}
	one.Eventually(func() bool { return len(rows()) == 2 }, "two rows")
	require.NotEmpty(t, rows()[0].Bus)
	require.Equal(t, rows()[0].Bus, rows()[1].Bus)
	two.Stop()
	require.Len(t, rows(), 1)
	require.Equal(t, one.Roster.Name(), rows()[0].Name)
}

// Agents see each other in a conversation, whatever process serves them.
func TestAgentsOfSeveralProcessesSeeEachOther(t *testing.T) {
	t.Parallel()
	one, two := pair(t, parleytest.Database(t), natstest.Start(t).URL())
	all := follow(two, "")
	one.Say(customer, parleytest.Sales, "Hello")
	all.text() // the conversation is there
	id := one.As("amy").Do(`{ conversations(view: {kind: ALL}) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	const watch = `subscription($id: ID!) { conversationPresence(id: $id) { agents { agent { username } state } } }`
	vars := parleytest.Vars{"id": id}
	amy := one.As("amy").Subscribe(watch, vars)
	require.Empty(t, amy.Next().Get("conversationPresence", "agents").List())
	bo := two.As("bo").Subscribe(watch, vars)
	there := amy.Next().Get("conversationPresence", "agents", 0)
	require.Equal(t, "bo", there.Get("agent", "username").String())
	require.Equal(t, "VIEWING", there.Get("state").String())
	two.As("bo").Do(`mutation($id: ID!) { setTyping(input: {conversationId: $id, isTyping: true}) { errors { code } } }`, vars)
	require.Equal(t, "TYPING", amy.Next().Get("conversationPresence", "agents", 0, "state").String())
	bo.Close()
	two.As("bo").Do(`mutation($id: ID!) { setTyping(input: {conversationId: $id, isTyping: false}) { errors { code } } }`, vars)
	for len(amy.Next().Get("conversationPresence", "agents").List()) > 0 {
	}
}
