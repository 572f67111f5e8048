package server_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
	"parley/internal/edge/token"
	"parley/internal/ground/viewer"
)

// withTokens starts a server that takes Parley's own tokens, at the start of a
// second, and mints one for two seconds.
func withTokens(t *testing.T) (b *bench, bearer string) {
	t.Helper()
	var own *token.Authority
	b = start(t, func(o *server.Options) {
		o.Authenticate = func(_ context.Context, bearer string) (*viewer.Viewer, time.Time, error) {
			claims, err := own.Verify(bearer)
			return &viewer.Viewer{AgentID: 1, Username: claims.Username}, claims.Expiry, err
		}
	})
	now := b.clock.Now().Std()
	b.clock.Advance(now.Truncate(time.Second).Add(time.Second).Sub(now))
	own, err := token.New(make([]byte, token.KeyBytes), b.clock)
	require.NoError(t, err)
	bearer, err = own.Mint("amy", 2*time.Second)
	require.NoError(t, err)
	return b, bearer
}

// TestATokenEndsAtItsSecondEverywhere is the one rule of exp.
func TestATokenEndsAtItsSecondEverywhere(t *testing.T) {
	t.Parallel()
	b, bearer := withTokens(t)
	init := `{"type":"connection_init","payload":{"authorization":"` + bearer + `"}}`
	try := func() (http, events, header int, socket string) {
		plain := b.query(t, `{ me }`, "Authorization", "Bearer "+bearer)
		stream := b.query(t, `subscription { count(to: 1) }`, "Authorization", "Bearer "+bearer, "Accept", "text/event-stream")
		s := b.knock(t)
		_, err := s.Write(frame(1, true, []byte(init)))
		require.NoError(t, err)
		answer, err := s.Peek(4)
		require.NoError(t, err)
		return plain.StatusCode, stream.StatusCode, b.sendUpgrade(t, append([]string{"Authorization", "Bearer " + bearer}, upgrade...)...), string(answer)
	}
	good := func() {
		t.Helper()
		plain, events, header, socket := try()
		require.Equal(t, []int{200, 200, 101}, []int{plain, events, header})
		require.Equal(t, "\x81", socket[:1])
	}
	good()
	b.clock.Advance(2*time.Second - time.Microsecond)
	good()
	b.clock.Advance(time.Microsecond)
	plain, events, header, socket := try()
	require.Equal(t, []int{401, 401, 401}, []int{plain, events, header})
	require.Equal(t, "\x88", socket[:1])
	require.Equal(t, 4403, int(socket[2])<<8|int(socket[3]))
}

// TestWhatIsOpenEndsWithItsToken by a timer that goes by the same instant.
func TestWhatIsOpenEndsWithItsToken(t *testing.T) {
	t.Parallel()
	b, bearer := withTokens(t)
	b.clock.Advance(2*time.Second - 200*time.Millisecond)
	began := time.Now()
	c := b.dial(t, "graphql-transport-ws")
	c.write(`{"type":"connection_init","payload":{"authorization":"`+bearer+`"}}`, subscribe("a", `subscription { never }`))
	c.expect(`{"type":"connection_ack"}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url("/graphql?query="+url.QueryEscape(`subscription { never }`)), nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+bearer)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "Unauthorized: The token has expired. Get a new one and subscribe from the last cursor.", c.expectClose(4401))
	var said string
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		said += lines.Text()
	}
	require.True(t, strings.Contains(said, "UNAUTHENTICATED") && strings.Contains(said, "event: complete"), said)
	require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond, "and not before")
}
