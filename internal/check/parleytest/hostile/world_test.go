// Package hostile attacks the program as an agent who is signed in: with a good
// token, over HTTP, WebSocket and event streams, against a server that runs as it
// is shipped and with the bounds it has by default. Each test is an attack, and
// fails when the bound that stops it gives way.
package hostile_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/blackbox"
	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/edge/token"
	"parley/internal/ground/publicid"
)

// binary is the program, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "parley-hostile-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binary = filepath.Join(folder, "parley")
	build := exec.CommandContext(context.Background(), "go", "build", "-tags", "sqlite_fts5", "-o", binary, "parley/cmd/parley") //nolint:gosec // the path is the test's own
	build.Env = append(os.Environ(), "CGO_CFLAGS=-O1 -g0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}

// world is a server in production and what a judge knows of it beside the
// attacker: its keys, and the tokens of all agents.
type world struct {
	*blackbox.Process
	t       *testing.T
	ids     *publicid.Codec
	cursors *feed.Cursors
	tokens  *token.Authority
}

// newWorld serves a database that holds so many conversations, and an import of
// an old sender ID of which no agent but the administrator has anything; flags are
// further ones of serve.
func newWorld(t *testing.T, conversations int, flags ...string) *world {
	t.Helper()
	address, err := blackbox.FreeAddress(t.Context())
	require.NoError(t, err)
	w := &world{t: t, Process: &blackbox.Process{
		Program: []string{binary}, Address: address, Database: parleytest.Database(t), Bounded: true, Args: flags,
	}}
	w.parley("seed", "--conversations", fmt.Sprint(conversations), "--messages", fmt.Sprint(2*conversations))
	folder := t.TempDir()
	old := filepath.Join(folder, "old.csv")
	require.NoError(t, os.WriteFile(old, []byte(oldMessages()), 0o600))
	w.parley("access", "add", "ada")
	w.parley("import", "--incoming", old, "--staging", folder, "--inbound-only", filepath.Join(folder, "o.csv"), "--refused", filepath.Join(folder, "r.csv"))
	w.takeKeys()
	require.NoError(t, w.Start(t.Context()))
	t.Cleanup(func() {
		w.Kill()
		if t.Failed() {
			t.Log(w.Log())
		}
	})
	return w
}

// Of what is imported: a word of one message, a word of many messages, and the
// number of a customer.
const (
	hiddenWord   = "zebulon"
	frequentWord = "krakatoa"
	hiddenNumber = "+12025568123"
	nowhere      = "qqxnowhere"
	manyHidden   = 25_000
)

func oldMessages() string {
	var b strings.Builder
	b.WriteString("Id,FromNumber,SenderId,Text,ReceivedAt\n")
	fmt.Fprintf(&b, "z,%s,+12025559998,merger with %s approved,2020-01-01T08:00:34Z\n", hiddenNumber, hiddenWord)
	first := time.Date(2020, 2, 1, 0, 0, 0, 0, time.UTC)
	for n := range manyHidden {
		at := first.Add(time.Duration(n) * 2 * time.Hour)
		fmt.Fprintf(&b, "k%d,+1202557%04d,+12025559998,%s %d,%s\n", n, n%250, frequentWord, n, at.Format(time.RFC3339))
	}
	return b.String()
}

// parley runs another command of the program.
func (w *world) parley(args ...string) {
	w.t.Helper()
	command := exec.CommandContext(w.t.Context(), binary, append(args, "--database", w.Database)...) //nolint:gosec // the program under test
	out, err := command.CombinedOutput()
	require.NoError(w.t, err, string(out))
}

func (w *world) takeKeys() {
	w.t.Helper()
	a, err := app.Open(w.t.Context(), app.Config{Database: w.Database})
	require.NoError(w.t, err)
	w.ids, w.cursors, w.tokens = a.Conversations.IDs, a.Conversations.Cursors, a.Tokens
	require.NoError(w.t, a.Close())
}

// absent is an id that could be, of nothing that is there.
func (w *world) absent(kind publicid.Kind) string { return w.ids.Encode(kind, 1<<40) }
