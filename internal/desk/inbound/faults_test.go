package inbound_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	twiliosms "parley/internal/channel/twilio"
	"parley/internal/check/parleytest"
	"parley/internal/desk/inbound"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// A list without end is not followed for ever, nor kept.
func TestAListThatRepeatsItsPageIsGivenUp(t *testing.T) {
	t.Parallel()
	p, _, _ := twilio(t)
	p.Clock.Advance(2 * time.Hour)
	var asked atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"messages": []map[string]any{{
				"sid": fmt.Sprintf("SM%032x", 1), "from": customer, "to": parleytest.Billing, "direction": "inbound", "status": "received",
				"body": "again", "num_media": "0", "date_sent": parleytest.Start.Add(time.Minute).Format(time.RFC1123Z),
			}},
			"next_page_uri": "/2010-04-01/Accounts/" + twiliosms.DemoSID + "/Messages.json?Page=1",
		})
	}))
	defer front.Close()
	base(t, p, front.URL)
	_, err := p.Receiver.CatchUp(context.Background(), inbound.CatchUpOptions{Account: "twilio-demo", Since: clock.Of(parleytest.Start)})
	require.ErrorContains(t, err, "does not end")
	require.LessOrEqual(t, asked.Load(), int64(2))
}

// A carrier that is busy for a moment costs no file: the message waits for it.
func TestAFileThatCannotBeHadNowIsHadLater(t *testing.T) {
	t.Parallel()
	p, server, _ := twilio(t)
	p.Clock.Advance(2 * time.Hour)
	k := kept(5, "look at this")
	k.SID = "MM" + k.SID[2:]
	k.Files = []string{"image/png"}
	server.Keep(k)
	var answer atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := int(answer.Load()); status != 0 && strings.HasSuffix(r.URL.Path, "/Media.json") {
			w.WriteHeader(status)
			return
		}
		server.ServeHTTP(w, r)
	}))
	defer front.Close()
	base(t, p, front.URL)
	for _, status := range []int64{http.StatusTooManyRequests, http.StatusBadGateway} {
		answer.Store(status)
		_, err := p.Receiver.CatchUp(context.Background(), inbound.CatchUpOptions{Account: "twilio-demo", Since: clock.Of(parleytest.Start)})
		require.ErrorContains(t, err, fmt.Sprint("HTTP ", status))
		require.Empty(t, parleytest.Rows(t, p.Store, "SELECT id FROM messages"))
	}
	answer.Store(0)
	require.Equal(t, 1, catchUp(t, p).Missing)
	require.Len(t, messages(t, p), 1, "with its file: nothing is said to be missing")
}

// base has the demo account call another address.
func base(t *testing.T, p *parleytest.Parley, url string) {
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return account(tx.Ent).SetBaseURL(url).Exec(ctx)
	}))
}
