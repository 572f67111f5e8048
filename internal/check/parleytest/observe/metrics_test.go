package observe_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/feed/natsbus/natstest"
)

// busy is a Parley with a private listener that has seen some of everything.
func busy(t *testing.T) *parleytest.Parley {
	t.Helper()
	nats := natstest.Start(t)
	p := parleytest.New(t, func(c *app.Config) { c.PrivateAddr, c.NATS = "127.0.0.1:0", nats.URL() }).Run()
	p.Say(customer, parleytest.Sales, "Hello")
	id := p.As("amy").Do(inbox, nil).Get("conversations", "nodes", 0, "id").String()
	watch := p.As("amy").Subscribe(`subscription { messageAdded { kind } }`, nil)
	watch.Next()
	p.As("amy").Do(send, parleytest.Vars{"id": id, "text": "Hello #silent"})
	watch.Next()
	require.Equal(t, []string{"RESYNC_REQUIRED"}, refused(p))
	return p
}

// refused subscribes from a cursor of nobody's and returns the codes it is told.
func refused(p *parleytest.Parley) []string {
	s := p.As("amy").Subscribe(`subscription { messageAdded(after: "forged") { kind } }`, nil)
	f, err := s.Read(10 * time.Second)
	require.NoError(p.T, err)
	return regexp.MustCompile(`RESYNC_REQUIRED`).FindAllString(string(f.Payload), -1)
}

func get(t *testing.T, addr net.Addr, path string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr.String()+path, nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(text)
}

// scrape reads /metrics: every family's name, without those that the Prometheus
// client brings, and the whole text.
func scrape(t *testing.T, p *parleytest.Parley) (names []string, text string) {
	t.Helper()
	status, text := get(t, p.Server.PrivateAddr(), "/metrics")
	require.Equal(t, http.StatusOK, status, text)
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\w+) `).FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`^(go|process|promhttp)_`).MatchString(m[1]) {
			names = append(names, m[1])
		}
	}
	return names, text
}

func TestTheOperationsPageNamesEveryMetricAndNoOther(t *testing.T) {
	t.Parallel()
	p := busy(t)
	var names []string
	p.Eventually(func() bool {
		names, _ = scrape(t, p)
		return slices.Contains(names, "parley_job_seconds") && slices.Contains(names, "parley_carrier_call_seconds")
	}, "a job has sent the message")
	page, err := os.ReadFile("../../../../docs/operations.md")
	require.NoError(t, err)
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(parley_\\w+)[`{].*$").FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(row[0], "(SQLite)") && parleytest.OnPostgres() {
			continue
		}
		documented = append(documented, row[1])
	}
	require.ElementsMatch(t, documented, names)

	// What the rest of the page speaks of, alerts too, is in the tables.
	for _, word := range regexp.MustCompile(`parley_[a-z0-9_]+`).FindAllString(string(page), -1) {
		base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(word, "")
		require.Contains(t, string(page), "| `"+base, word)
	}
}

func TestMetricsTellWhatHappened(t *testing.T) {
	t.Parallel()
	p := busy(t)
	wanted := []string{
		`parley_http_requests_total{route="/graphql",status="200"} 2`,
		`parley_http_request_seconds_count{route="/webhooks/{provider}/{account}"} `,
		`parley_graphql_operations_total{kind="mutation",outcome="ok"} 1`,
		`parley_graphql_operations_total{kind="subscription",outcome="RESYNC_REQUIRED"} 1`,
		`parley_graphql_subscriptions 1`,
		`parley_feed_resyncs_total{reason="FORGED"} 1`,
		`parley_feed_streams 1`,
		`parley_feed_lag_events 0`,
		`parley_inbound_entries_total{outcome="DONE"} `,
		`parley_carrier_call_seconds_count{outcome="accepted",provider="sandbox"} 1`,
		`parley_job_seconds_count{kind="drain_lane",outcome="ok"} 1`,
		`parley_lane_waiting 0`,
		`parley_lane_oldest_seconds 0`,
		`parley_lane_pace_seconds 0`,
		`parley_write_queue 0`,
		`parley_bus_connected 1`,
	}
	for _, line := range wanted {
		p.Eventually(func() bool {
			_, text := scrape(t, p)
			return strings.Contains(text, "\n"+line)
		}, line)
	}
}

func TestAWaitingMessageIsSeenToWait(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t) // no workers
	p.Say(customer, parleytest.Sales, "Hello")
	id := p.As("amy").Do(inbox, nil).Get("conversations", "nodes", 0, "id").String()
	p.As("amy").Do(send, parleytest.Vars{"id": id, "text": "Hello"})
	p.Clock.Advance(90 * time.Second)
	families, err := p.Server.Registry().Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "parley_lane_") && f.GetMetric()[0].GetGauge() != nil {
			got[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	require.Equal(t, map[string]float64{"parley_lane_waiting": 1, "parley_lane_oldest_seconds": 90, "parley_lane_pace_seconds": 0}, got)
}

func TestOperatorsPagesAreOnThePrivateListenerAlone(t *testing.T) {
	t.Parallel()
	p := busy(t)
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/goroutine?debug=1", "/debug/pprof/heap", "/debug/pprof/profile?seconds=1"} {
		status, body := get(t, p.Server.PrivateAddr(), path)
		require.Equal(t, http.StatusOK, status, path)
		require.NotEmpty(t, body, path)
		status, _ = get(t, p.Server.Addr(), path)
		require.NotEqual(t, http.StatusOK, status, path)
	}
	for _, path := range []string{"/debug/pprof/profile?seconds=301", "/debug/pprof/trace?seconds=NaN", "/debug/pprof/heap?seconds=many"} {
		status, _ := get(t, p.Server.PrivateAddr(), path)
		require.Equal(t, http.StatusBadRequest, status, path)
	}
}

func TestMetricsAnswerWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	require.NoError(t, p.Store.Close())
	families, err := p.Server.Registry().Gather()
	require.NoError(t, err)
	require.NotEmpty(t, families)
}
