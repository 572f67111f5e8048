package access_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/access"
	"parley/internal/desk/directory"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
)

// follow opens an event stream, and returns what comes.
func follow(t *testing.T, p *parleytest.Parley, bearer string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	body := strings.NewReader(`{"query":"subscription { messageAdded { kind } }"}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL()+"/graphql", body)
	require.NoError(t, err)
	req.Header = http.Header{"Authorization": {"Bearer " + bearer}, "Content-Type": {"application/json"}, "Accept": {"text/event-stream"}}
	res, err := http.DefaultClient.Do(req) //nolint:bodyclose // closed by whoever reads it to its end
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	all := make(chan string, 1)
	go func() {
		defer func() { _ = res.Body.Close() }()
		text, _ := io.ReadAll(res.Body)
		all <- string(text)
	}()
	return all
}

// Sockets and streams at another process, too, end within a second of what took their
// token back; those of other tokens of the same agent go on.
func TestRevocationEndsEverythingWithinASecond(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	b := around(parleytest.OpenAt(t, database).Run())
	there := parleytest.OpenAt(t, database).Run()
	ended := func(what string, socket *parleytest.Socket, stream <-chan string) {
		t.Helper()
		began := time.Now()
		for {
			if _, err := socket.Read(5 * time.Second); err != nil {
				require.ErrorContains(t, err, "4403", what)
				break
			}
		}
		require.Contains(t, <-stream, "UNAUTHENTICATED", what)
		require.Less(t, time.Since(began), 2*time.Second, what)
	}
	id, bearer := b.token("k", "READ")
	_, other := b.token("other", "READ")
	b.Eventually(func() bool { return len(there.With(other).Raw(who, nil).Codes()) == 0 }, "the other process knows the tokens")
	socket, stream := there.With(bearer).Dial(), follow(t, there, bearer)
	stays := there.With(other).Subscribe(`subscription { messageAdded { kind } }`, nil)
	require.Equal(t, "OPEN", stays.Next().Get("messageAdded", "kind").String())
	require.Equal(t, id, b.call(b.As("ada"), "revokeAccessToken", vars{"id": id}).Get("revokedId").String())
	ended("one access token", socket, stream)
	require.Equal(t, []string{"UNAUTHENTICATED"}, there.With(bearer).Raw(who, nil).Codes())
	b.Say("+12025550199", parleytest.Sales, "Hello")
	require.Equal(t, "ENTER", stays.Next().Get("messageAdded", "kind").String())

	own, err := b.Tokens.Mint("amy", time.Hour)
	require.NoError(t, err)
	socket, stream = there.With(own).Dial(), follow(t, there, own)
	require.Empty(t, code(b.call(b.With(own), "revokeTokens", vars{"agentId": b.id("amy")})))
	ended("Parley's own", socket, stream)
	require.Equal(t, []string{"UNAUTHENTICATED"}, there.As("amy").Raw(who, nil).Codes(), "clocks may differ by the leeway")
	_, err = there.Directory.Holder("amy", time.Now(), 0)
	require.NoError(t, err, "a token that was surely issued afterwards is good")

	socket, stream = there.With(other).Dial(), follow(t, there, other)
	require.Empty(t, code(b.call(b.As("ada"), "revokeTokens", vars{"agentId": b.crm})))
	ended("all access tokens", socket, stream)
	require.Empty(t, b.As("ada").Do(`{ accessTokens { id } }`, nil).Get("accessTokens").List())
}

// The command line rotates and retires beside running servers.
func TestSigningKeysOverlap(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	running, command := parleytest.OpenAt(t, database).Run(), parleytest.OpenAt(t, database)
	old, err := running.Tokens.Mint("amy", time.Hour)
	require.NoError(t, err)
	socket := running.With(old).Dial()
	ctx, keys := command.System(), command.Schema.Access
	require.Equal(t, fault.Conflict, fault.CodeOf(keys.Retire(ctx, directory.FirstKey)), "it signs")
	require.NoError(t, keys.Rotate(ctx))
	states := keys.Keys()
	require.Len(t, states, 2)
	require.Equal(t, []access.KeyState{access.Verifying, access.Signing}, []access.KeyState{states[0].State, states[1].State})
	fresh := func() string {
		bearer, err := running.Tokens.Mint("amy", time.Hour)
		require.NoError(t, err)
		return bearer
	}
	running.Eventually(func() bool { return fresh()[:50] != old[:50] }, "the running server signs with the new key")
	bearer := fresh()
	require.Empty(t, running.With(old).Raw(who, nil).Codes())
	require.Empty(t, running.With(bearer).Raw(who, nil).Codes())

	require.NoError(t, keys.Retire(ctx, directory.FirstKey))
	began := time.Now()
	for {
		if _, err := socket.Read(5 * time.Second); err != nil {
			require.ErrorContains(t, err, "4403")
			break
		}
	}
	require.Less(t, time.Since(began), 2*time.Second)
	require.Equal(t, []string{"UNAUTHENTICATED"}, running.With(old).Raw(who, nil).Codes())
	require.Empty(t, running.With(bearer).Raw(who, nil).Codes())
	require.Equal(t, access.Retired, keys.Keys()[0].State)
	require.NoError(t, keys.Rotate(ctx))
	require.NoError(t, keys.Retire(ctx, states[1].ID))
	require.Equal(t, fault.NotFound, fault.CodeOf(keys.Retire(ctx, "nothing")))
	for _, row := range command.Store.Ent.SigningKey.Query().AllX(ctx) {
		require.Equal(t, row.RetiredAt != 0, row.Value == nil, "a retired key is erased")
	}
}

// Signing keys that cannot be used leave the former ones in force, and a metric says so.
func TestSigningKeysThatCannotBeUsedAreReported(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	stale := func() float64 {
		families, err := p.Server.Registry().Gather()
		require.NoError(t, err)
		for _, f := range families {
			if f.GetName() == "parley_signing_keys_stale" {
				return f.GetMetric()[0].GetGauge().GetValue()
			}
		}
		return -1
	}
	require.Zero(t, stale())
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.SigningKey.Create().SetKid("short").SetValue([]byte("x")).SetCreatedAt(tx.Now).Exec(ctx)
	}))
	p.Eventually(func() bool { return stale() == 1 }, "the keys cannot be used")
	require.Empty(t, p.As("amy").Raw(who, nil).Codes(), "the former key is still in use")
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Ent.SigningKey.Delete().Exec(ctx)
		return err
	}))
	p.Eventually(func() bool { return stale() == 0 }, "they are right again")
}
