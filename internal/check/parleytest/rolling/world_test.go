//go:build rolling

package rolling

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"parley/internal/channel/sandbox"
	"parley/internal/check/blackbox"
	"parley/internal/check/parleytest"
	"parley/internal/desk/feed/natsbus/natstest"
)

// The programs, as environment variables name them.
const (
	lastProgram = "PARLEY_TEST_LAST"
	thisProgram = "PARLEY_TEST_THIS"
)

// patience bounds every wait. The longest is for lanes of a killed process: a lease
// of 30 s, and a sweep that finds them.
const patience = 75 * time.Second

// world is both versions on one database, the carrier, and the customers.
type world struct {
	t          *testing.T
	database   string
	args       []string // of both
	last, this *side
	carrier    *sandbox.Carrier
	public     string // URL of both
	customers  []*customer

	mu      sync.Mutex
	written map[string][]string // texts by customer, in order
	kept    map[string][]string // texts by their first word
}

// side is one version.
type side struct {
	t       *testing.T
	name    string // the word its writes are found by
	process *blackbox.Process
	client  *blackbox.Client
	streams map[string]*stream
}

// customer writes to one sender ID, in one conversation.
type customer struct {
	number, to, id string
	first          string // id of the first message
	texts          atomic.Int64
}

// begin has the last version make the database, fill it and serve it. On PostgreSQL
// the database is the bus; on SQLite, where both share the file, NATS is.
func begin(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, database: parleytest.Empty(t), written: map[string][]string{}, kept: map[string][]string{}}
	if !parleytest.OnPostgres() {
		w.args = []string{"--nats", natstest.Start(t).URL()}
	}
	w.last, w.this = w.side("heron", lastProgram), w.side("falcon", thisProgram)
	w.balance()
	w.command(w.last, "seed", "--conversations", "40", "--messages", "300")
	w.connectCarrier()
	tokens := map[string]string{}
	for _, username := range []string{"ada", "amy", "bo", "sue"} {
		tokens[username] = strings.TrimSpace(string(w.command(w.last, "token", username)))
	}
	w.last.client.Tokens, w.this.client.Tokens = tokens, tokens
	w.start(w.last)
	w.meetCustomers()
	return w
}

// side is a version that does not run yet.
func (w *world) side(name, variable string) *side {
	w.t.Helper()
	program := os.Getenv(variable)
	require.FileExists(w.t, program, "%s names no program: run make test-rolling", variable)
	address, err := blackbox.FreeAddress(w.t.Context())
	require.NoError(w.t, err)
	p := &blackbox.Process{Program: []string{program}, Address: address, Database: w.database, Args: w.args}
	s := &side{t: w.t, name: name, process: p, client: &blackbox.Client{URL: p.URL()}, streams: map[string]*stream{}}
	w.t.Cleanup(func() {
		p.Kill()
		if w.t.Failed() {
			w.t.Logf("%s logged at last:\n%s", name, p.Log())
		}
	})
	return s
}

// balance puts a proxy before both versions, which hands each request to the next one;
// a carrier tries again when that does not run.
func (w *world) balance() {
	var turn atomic.Int64
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", w.both()[turn.Add(1)%2].process.Address
		},
		ErrorHandler: func(answer http.ResponseWriter, _ *http.Request, _ error) { answer.WriteHeader(http.StatusBadGateway) },
	})
	w.t.Cleanup(front.Close)
	w.public = front.URL
	w.last.process.PublicURL, w.this.process.PublicURL = front.URL, front.URL
}

// connectCarrier has the sandbox account of the database send to a carrier of the
// test's own, and leaves no other account.
func (w *world) connectCarrier() {
	w.t.Helper()
	w.carrier = sandbox.NewCarrier(sandbox.CarrierOptions{
		Tries: 10, Backoff: 250 * time.Millisecond, SentAfter: 5 * time.Millisecond, DeliveredAfter: 10 * time.Millisecond,
	})
	server := httptest.NewServer(w.carrier)
	w.t.Cleanup(func() {
		w.carrier.Close()
		server.CloseClientConnections()
		server.Close()
	})
	w.exec(`UPDATE provider_accounts SET base_url = '` + server.URL + `', active = (provider = 'sandbox')`)
}

func (w *world) open() *sql.DB {
	w.t.Helper()
	driver := "sqlite3"
	if parleytest.OnPostgres() {
		driver = "pgx"
	}
	db, err := sql.Open(driver, w.database)
	require.NoError(w.t, err)
	return db
}

func (w *world) exec(statement string) {
	w.t.Helper()
	db := w.open()
	defer func() { _ = db.Close() }()
	_, err := db.ExecContext(w.t.Context(), statement)
	require.NoError(w.t, err)
}

// column reads the strings that a statement selects.
func (w *world) column(statement string) (out []string) {
	w.t.Helper()
	db := w.open()
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(w.t.Context(), statement)
	require.NoError(w.t, err)
	defer rows.Close()
	for rows.Next() {
		var value string
		require.NoError(w.t, rows.Scan(&value))
		out = append(out, value)
	}
	require.NoError(w.t, rows.Err())
	return out
}

func (w *world) start(s *side) {
	w.t.Helper()
	require.NoError(w.t, s.process.Start(w.t.Context()), s.name)
}

func (w *world) both() []*side { return []*side{w.last, w.this} }

func (w *world) otherThan(s *side) *side {
	if s == w.last {
		return w.this
	}
	return w.last
}

// command runs another command of a version's program and returns what it prints.
func (w *world) command(s *side, args ...string) []byte {
	w.t.Helper()
	command := exec.CommandContext(w.t.Context(), s.process.Program[0], append(args, "--database", w.database)...) //nolint:gosec // the program under test
	var said strings.Builder
	command.Stderr = &said
	out, err := command.Output()
	require.NoError(w.t, err, "%s %v\n%s%s", filepath.Base(s.process.Program[0]), args, out, said.String())
	return out
}

func deadline(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), patience)
}

func (w *world) eventually(condition func() bool, what string, args ...any) {
	w.t.Helper()
	require.Eventually(w.t, condition, patience, 50*time.Millisecond, fmt.Sprintf(what, args...))
}

// together has something done for all customers at once.
func (w *world) together(do func(*customer) error) {
	w.t.Helper()
	var all errgroup.Group
	for _, c := range w.customers {
		all.Go(func() error { return do(c) })
	}
	require.NoError(w.t, all.Wait())
}

// meetCustomers has each write for the first time, and learns of the conversations.
func (w *world) meetCustomers() {
	w.t.Helper()
	for n, to := range []string{parleytest.Sales, parleytest.Sales, parleytest.Support, parleytest.Sales, parleytest.Support, parleytest.Sales} {
		w.customers = append(w.customers, &customer{number: fmt.Sprintf("+1202555%04d", 1000+n), to: to})
	}
	w.together(func(c *customer) error { return w.say(c, w.last) })
	var page struct {
		Conversations struct {
			Nodes []struct {
				ID, MobileNumber string
				Messages         struct{ Nodes []struct{ ID string } }
			}
		}
	}
	const list = `{ conversations(view: {kind: ALL}, first: 100) { nodes { id mobileNumber messages(first: 1) { nodes { id } } } } }`
	require.NoError(w.t, w.last.client.Query(w.t.Context(), "ada", list, nil, &page))
	for _, node := range page.Conversations.Nodes {
		for _, c := range w.customers {
			if c.number == node.MobileNumber {
				c.id, c.first = node.ID, node.Messages.Nodes[0].ID
			}
		}
	}
	for _, c := range w.customers {
		require.NotEmpty(w.t, c.id, c.number)
	}
}

// ask runs a query and returns its data as JSON with sorted keys.
func (s *side) ask(username, document string, variables map[string]any) string {
	s.t.Helper()
	var data any
	require.NoError(s.t, s.client.Query(s.t.Context(), username, document, variables, &data), s.name)
	out, err := json.Marshal(data)
	require.NoError(s.t, err)
	return string(out)
}

// texts are those written, by the word of the version that took them.
func (w *world) texts() map[string][]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.kept)
}
