package message_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel/sandbox"
	"parley/internal/check/parleytest"
	"parley/internal/desk/access"
	"parley/internal/ground/clock"
	"parley/internal/ground/viewer"
)

// shared is a buffer that many goroutines write.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// Not parallel: it takes the process's log.
func TestTheLogHoldsNoTextNoTokenAndNoWholeNumber(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	log := &shared{}
	slog.SetDefault(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	p := parleytest.New(t)
	p.Run()
	c := begin(p, customer, parleytest.Sales)
	amy := starter{p.As("amy"), p}
	socket := c.Subscribe(`subscription($id: ID!) { conversationChanged(id: $id) { __typename } }`, parleytest.Vars{"id": c.id})
	socket.Next()
	for _, text := range []string{"secret-words", "secret-words #reject=2001", "secret-words #undelivered=2004", "secret-words #down"} {
		c.send(text)
	}
	amy.start(parleytest.Sales, parleytest.Vars{"number": "+442079460018", "text": "secret-words"})
	c.ask("secret-words", "")
	c.Raw(`{ conversation(id: "secret-words") { nothing } }`, nil)
	forged, err := sandbox.Compose("wrong", p.PublicURL()+"/webhooks/sandbox/demo", sandbox.Entry{Type: "message", ID: "e", From: customer, To: parleytest.Sales, Text: "secret-words"})
	require.Equal(t, 403, post(p, forged, err))
	bad, err := sandbox.Compose(sandbox.DemoSecret, p.PublicURL()+"/webhooks/sandbox/demo", sandbox.Entry{Type: "message", ID: "e", From: customer, To: "+12025550177", Text: "secret-words"})
	require.Equal(t, 200, post(p, bad, err))
	p.Eventually(func() bool { return len(p.Carrier.Got()) >= 2 && p.Carrier.Pending() == 0 }, "the journey ends")
	socket.Close()
	token, err := p.Tokens.Mint("amy", time.Hour)
	require.NoError(t, err)
	_, pat, err := p.Schema.Access.Create(p.Context("amy"), access.CreateInput{
		AgentID: p.Directory.AgentNamed("amy").ID, Name: "n", Scopes: []viewer.Scope{viewer.Read}, ExpiresAt: clock.Of(time.Now().Add(time.Hour)), IdempotencyKey: "pat",
	})
	require.NoError(t, err)
	p.With(pat).Do(`{ viewer { agent { id } } }`, nil)
	p.With(pat[:len(pat)-1]).Raw(`{ viewer { agent { id } } }`, nil)
	p.With(pat).Raw(`mutation { revokeTokens(input: {agentId: ""}) { errors { code } } }`, nil)
	p.Stop()
	written := log.String()
	require.Contains(t, written, "route=/graphql", "the log was taken")
	require.NotContains(t, written, "secret-words")
	require.NotContains(t, written, token[:20], "tokens share their header")
	require.NotContains(t, written, pat[4:40])
	require.NotContains(t, written, sandbox.DemoSecret)
	for _, number := range []string{customer, parleytest.Sales, "+442079460018", "+12025550177"} {
		require.NotContains(t, written, strings.TrimPrefix(number, "+"))
	}
}
