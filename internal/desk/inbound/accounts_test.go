package inbound_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Carriers repeat what is answered 503, and not what is answered 404: while nothing is
// set up, as on a database by mistake, no customer's message may be lost.
func TestWhileThereIsNoAccountWebhooksAreToBePostedAgain(t *testing.T) {
	t.Parallel()
	p := parleytest.OpenAt(t, parleytest.Empty(t), func(c *app.Config) { c.Create = true })
	post := func(account string) (status int, again string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.PublicURL()+"/webhooks/"+account, http.NoBody)
		require.NoError(t, err)
		answer := p.Answer(r)
		return answer.Code, answer.Header().Get("Retry-After")
	}
	account := func(key, provider string) {
		require.NoError(t, p.Directory.Change(viewer.AsSystem(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error {
			return tx.Ent.ProviderAccount.Create().SetKey(key).SetProvider(provider).SetName(key).SetCreatedAt(tx.Now).Exec(ctx)
		}))
	}
	status, again := post("sandbox/unknown")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.NotEmpty(t, again)
	account("old", channel.NoCarrier)
	status, _ = post("sandbox/unknown")
	require.Equal(t, http.StatusServiceUnavailable, status, "an import's account takes no webhooks")
	account("other", "sandbox")
	for _, unknown := range []string{"sandbox/unknown", "sandbox/old", channel.NoCarrier + "/old"} {
		status, again = post(unknown)
		require.Equal(t, http.StatusNotFound, status, unknown)
		require.Empty(t, again)
	}
}
