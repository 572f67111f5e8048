package inbound_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/ent/provideraccount"
	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

func ask(t *testing.T, p *parleytest.Parley, account string, query url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.PublicURL()+"/webhooks/"+account+"?"+query.Encode(), http.NoBody)
	require.NoError(t, err)
	return p.Answer(r)
}

func handshake(token, challenge string) url.Values {
	return url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {token}, "hub.challenge": {challenge}}
}

func TestACarrierThatAsksWhetherTheAddressIsOurs(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	rec := ask(t, p, "sandbox/demo", handshake(sandbox.DemoVerifyToken, "1158201444"))
	require.Equal(t, http.StatusOK, rec.Code)
	require.Equal(t, "1158201444", rec.Body.String())
	require.Equal(t, "text/plain; charset=utf-8", rec.Header().Get("Content-Type"))
	require.Equal(t, "nosniff", rec.Header().Get("X-Content-Type-Options"), "what came in the query is no document")
	for name, query := range map[string]url.Values{
		"no query":         nil,
		"another token":    handshake("guessed", "1"),
		"no token":         handshake("", "1"),
		"the secret":       handshake(sandbox.DemoSecret, "1"),
		"no challenge":     handshake(sandbox.DemoVerifyToken, ""),
		"a long challenge": handshake(sandbox.DemoVerifyToken, strings.Repeat("1", channel.MostChallenge+1)),
		"another mode":     {"hub.mode": {"unsubscribe"}, "hub.verify_token": {sandbox.DemoVerifyToken}, "hub.challenge": {"1"}},
	} {
		rec := ask(t, p, "sandbox/demo", query)
		require.Equal(t, http.StatusForbidden, rec.Code, name)
		require.NotContains(t, rec.Body.String(), "guessed")
	}
	right := handshake(sandbox.DemoVerifyToken, "1")
	for account, status := range map[string]int{
		"sandbox/nobody": http.StatusNotFound, "sandbox/twilio-demo": http.StatusNotFound,
		"twilio/twilio-demo": http.StatusMethodNotAllowed, "pigeon/demo": http.StatusMethodNotAllowed,
	} {
		require.Equal(t, status, ask(t, p, account, right).Code, account)
	}
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ProviderAccount.Update().Where(provideraccount.Key("demo")).SetActive(false).Exec(ctx)
	}))
	require.Equal(t, http.StatusNotFound, ask(t, p, "sandbox/demo", right).Code)
	require.Zero(t, count(t, p, "raw_inbounds", nil))
}

// Not parallel: it takes the process's log.
func TestTheTokenOfAChallengeIsNotLogged(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	p := parleytest.New(t)
	require.Equal(t, http.StatusOK, ask(t, p, "sandbox/demo", handshake(sandbox.DemoVerifyToken, "1")).Code)
	require.Equal(t, http.StatusForbidden, ask(t, p, "sandbox/demo", handshake("guessed", "1")).Code)
	require.Contains(t, log.String(), "status=403", "the log was taken")
	require.NotContains(t, log.String(), sandbox.DemoVerifyToken)
	require.NotContains(t, log.String(), "guessed")
}

// What is posted to an account whose credentials cannot be read is not lost.
func TestAnAccountWithCredentialsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	store := func(credentials string) {
		require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
			return tx.Ent.ProviderAccount.Update().Where(provideraccount.Key("demo")).SetCredentials(credentials).Exec(ctx)
		}))
	}
	store("{")
	require.Equal(t, http.StatusServiceUnavailable, p.Answer(compose(t, p, said("e1", "Hello"))).Code)
	require.Equal(t, http.StatusForbidden, ask(t, p, "sandbox/demo", handshake("", "1")).Code)
	store("")
	require.Equal(t, http.StatusOK, p.Answer(compose(t, p, said("e1", "Hello"))).Code, "the columns of an earlier version")
	require.Equal(t, http.StatusForbidden, ask(t, p, "sandbox/demo", handshake("", "1")).Code, "it has no verify token")
	store(`{"secret":"another"}`)
	require.Equal(t, http.StatusForbidden, p.Answer(compose(t, p, said("e2", "Hello"))).Code, "the document goes before the columns")
}
