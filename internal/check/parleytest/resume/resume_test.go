// Package resume holds Parley to its promise that nothing is lost: clients whose
// connections break and a server that is killed, under continuous writes, end
// with what a fresh query says.
package resume_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/internal/channel/sandbox"
	"parley/internal/check/blackbox"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

const (
	posters  = 3
	webhooks = 480 // acknowledged in all
	drops    = 20
	kills    = 3
)

// 20 lost connections and 3 kills of the server, under continuous writes: every
// folded stream equals a fresh query, every message is told once, and every
// webhook that was answered 200 is there once.
func TestStreamsFoldToTheTruthThroughLostConnectionsAndKilledServers(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	crowd := watch(ctx, s)
	traffic := &traffic{server: s, acknowledged: map[string]bool{}}
	var writing sync.WaitGroup
	for n := range posters {
		writing.Go(func() { traffic.post(ctx, n) })
	}
	acting, stop := context.WithCancel(ctx)
	writing.Go(func() { traffic.act(acting) })

	disturb(ctx, t, s, crowd, traffic)
	require.Eventually(t, func() bool { return traffic.count.Load() >= webhooks }, time.Minute, 10*time.Millisecond, "all webhooks are acknowledged")
	stop()
	writing.Wait()
	crowd.settle(ctx, t, traffic)
	cancel()
	crowd.running.Wait()
	s.Kill()
	requireOnce(t, s, traffic)
}

// disturb breaks connections and kills the server, spread over the writes.
func disturb(ctx context.Context, t *testing.T, s *server, crowd *crowd, traffic *traffic) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const steps = drops + kills
	for step := range steps {
		due := int64(webhooks * (step + 1) / (steps + 2))
		require.Eventually(t, func() bool { return traffic.count.Load() >= due }, time.Minute, time.Millisecond, "writes go on")
		if step%(steps/kills) == steps/kills/2 {
			s.Kill()
			s.start()
			continue
		}
		require.Eventually(t, func() bool { return crowd.watchers[random.IntN(len(crowd.watchers))].Drop() }, 20*time.Second, time.Millisecond, "a client is connected")
	}
	require.NoError(t, ctx.Err())
}

// crowd is everybody who watches.
type crowd struct {
	watchers []*blackbox.Watcher
	hearer   *blackbox.Hearer
	running  sync.WaitGroup
}

func watch(ctx context.Context, s *server) *crowd {
	at := []*blackbox.Client{s.Client}
	c := &crowd{watchers: blackbox.Watchers(at), hearer: &blackbox.Hearer{Clients: at, Username: "ada"}}
	// The hearer hears from the beginning, whenever it connects first.
	var err error
	c.hearer.Cursor, err = c.watchers[0].Fresh(ctx)
	require.NoError(s.t, err)
	for _, w := range c.watchers {
		c.running.Go(func() { w.Run(ctx) })
	}
	c.running.Go(func() { c.hearer.Run(ctx) })
	return c
}

// settle waits until everybody has folded what a fresh query says.
func (c *crowd) settle(ctx context.Context, t *testing.T, traffic *traffic) {
	t.Helper()
	resumes := 0
	for _, w := range c.watchers {
		last := ""
		require.Eventually(t, func() bool {
			ok, difference := w.Settled(ctx)
			last = difference
			return ok
		}, 20*time.Second, 20*time.Millisecond, "%s", &last)
		broke, resyncs := w.Breaks()
		require.Zero(t, resyncs, "every cursor could be resumed")
		resumes += broke
	}
	require.GreaterOrEqual(t, resumes, drops+kills)
	require.Eventually(t, func() bool { return len(c.hearer.Times()) >= traffic.posted() }, 20*time.Second, 10*time.Millisecond, "every message is told")
	for text, n := range c.hearer.Times() {
		require.Equal(t, 1, n, "%q is told once", text)
	}
}

// traffic is what carriers and agents do meanwhile.
type traffic struct {
	server *server
	count  atomic.Int64

	mu           sync.Mutex
	acknowledged map[string]bool // texts
}

// pause keeps a client that is refused from asking in a tight loop.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Millisecond):
	}
}

func (f *traffic) posted() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.acknowledged)
}

// post delivers webhooks until there are enough, each again until it is
// acknowledged, as carriers do.
func (f *traffic) post(ctx context.Context, poster int) {
	for n := 0; f.count.Load() < webhooks && ctx.Err() == nil; n++ {
		text := fmt.Sprintf("message %d of poster %d", n, poster)
		for !f.deliver(ctx, text, n) && ctx.Err() == nil {
			pause(ctx)
		}
		f.mu.Lock()
		f.acknowledged[text] = true
		f.mu.Unlock()
		f.count.Add(1)
	}
}

func (f *traffic) deliver(ctx context.Context, text string, n int) bool {
	req, err := sandbox.Compose(sandbox.DemoSecret, f.server.Process.URL()+"/webhooks/sandbox/demo", sandbox.Entry{
		Type: "message", ID: text, From: fmt.Sprintf("+1202555018%d", n%7), Text: text,
		To: []string{parleytest.Sales, parleytest.Direct, parleytest.Support}[n%3],
	})
	if err != nil {
		return false
	}
	status, _, err := f.server.Do(ctx, req)
	return err == nil && status == http.StatusOK
}

const assign = `mutation($id: ID!, $to: ID) { assignConversations(input: {ids: [$id], agentId: $to}) { results { error { code } } } }`

const markRead = `mutation($id: ID!) { markConversationsRead(input: {conversations: [{id: $id}], confirmForOwner: true}) { results { error { code } } } }`

// act assigns and reads, as the administrator does, until ctx ends. What fails
// because the server is gone is left.
func (f *traffic) act(ctx context.Context) {
	var found struct {
		Agents        []struct{ ID string }
		Conversations struct{ Nodes []struct{ ID string } }
	}
	for step := 0; ctx.Err() == nil; step++ {
		if step%20 == 0 {
			_ = f.server.Query(ctx, "ada", `{ agents { id } conversations(view: {kind: ALL}, first: 100) { nodes { id } } }`, nil, &found)
		}
		if nodes := found.Conversations.Nodes; len(nodes) > 0 {
			id := nodes[step%len(nodes)].ID
			if step%3 == 0 {
				_ = f.server.Query(ctx, "ada", markRead, map[string]any{"id": id}, nil)
			} else {
				to := found.Agents[step%len(found.Agents)].ID
				_ = f.server.Query(ctx, "ada", assign, map[string]any{"id": id, "to": to}, nil)
			}
		}
		pause(ctx)
	}
}

// requireOnce looks into the database: what was acknowledged is there, once.
func requireOnce(t *testing.T, s *server, traffic *traffic) {
	t.Helper()
	a := s.open()
	defer func() { require.NoError(t, a.Close()) }()
	stored := map[string]int{}
	q := a.Store.Builder().Select("text").From(entsql.Table("messages")).Where(entsql.EQ("direction", "INBOUND"))
	require.NoError(t, a.Store.Read(context.Background(), store.System("a test looks"), q, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		stored[text]++
		return err
	}))
	require.GreaterOrEqual(t, traffic.posted(), webhooks)
	for text := range traffic.acknowledged {
		require.Equal(t, 1, stored[text], text)
	}
	require.Len(t, stored, traffic.posted(), "and nothing else")
}
