// Package upgrade has a newer program migrate the database under a Parley that
// serves.
package upgrade_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/ent/migrate"
	"parley/internal/admin/doctor"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
	"parley/internal/ground/store/backup"
)

// newer is set for a process that plays the newer program on a database.
const newer = "PARLEY_TEST_NEWER_ON"

// TestMain is that program when it is asked for.
func TestMain(m *testing.M) {
	database := os.Getenv(newer)
	if database == "" {
		os.Exit(m.Run())
	}
	s, err := store.Open(context.Background(), store.Options{URL: database, Migrations: later()})
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// later are the migrations of the newer program: those there are, and one more,
// that adds to the tables that are used most.
func later() fs.FS {
	files := fstest.MapFS{}
	err := fs.WalkDir(migrate.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			var content []byte
			content, err = fs.ReadFile(migrate.Files, path)
			files[path] = &fstest.MapFile{Data: content}
		}
		return err
	})
	if err != nil {
		panic(err)
	}
	for _, folder := range []string{"sqlite", "postgres"} {
		files[folder+"/29990101000000_later.sql"] = &fstest.MapFile{Data: []byte(`-- +goose Up
			ALTER TABLE conversations ADD COLUMN later bigint NOT NULL DEFAULT 7;
			ALTER TABLE messages ADD COLUMN later bigint NOT NULL DEFAULT 7;
			ALTER TABLE attempts ADD COLUMN later bigint NOT NULL DEFAULT 7;
			ALTER TABLE events ADD COLUMN later bigint NOT NULL DEFAULT 7;
			CREATE INDEX conversation_later ON conversations (later);
			CREATE TABLE laters (id integer NOT NULL PRIMARY KEY);
-- +goose Down
			DROP TABLE laters;`)}
	}
	return files
}

// program runs the newer program on a database.
type program struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	log bytes.Buffer
}

// Write implements io.Writer: what the program logs.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func start(t *testing.T, database string) *program {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &program{cmd: exec.CommandContext(t.Context(), self)} //nolint:gosec // this very test
	p.cmd.Env = append(os.Environ(), newer+"="+database)
	p.cmd.Stderr = p
	require.NoError(t, p.cmd.Start())
	return p
}

// load is customers who write and agents who read and answer.
type load struct {
	p       *parleytest.Parley
	stop    <-chan struct{}
	halt    func()
	callers sync.WaitGroup

	mu     sync.Mutex
	failed []string
	took   []time.Duration
}

func press(p *parleytest.Parley) *load {
	stop := make(chan struct{})
	l := &load{p: p, stop: stop, halt: sync.OnceFunc(func() { close(stop) })}
	p.T.Cleanup(func() { l.halt(); l.callers.Wait() })
	for w := range 4 {
		l.caller(func(n int) string { return l.say(w, n) })
		l.caller(func(int) string {
			return l.ask(`{ conversations(view: {kind: ALL}, first: 20) { nodes { id preview messages(last: 2) { nodes { id } } } } }`, nil)
		})
	}
	l.caller(func(n int) string {
		page := p.As("ada").Raw(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Tree(p.T)
		nodes := page.Get("conversations", "nodes").List()
		if len(nodes) == 0 {
			return ""
		}
		return l.ask(`mutation($id: ID!, $key: String!) { sendMessage(input: {conversationId: $id, text: "Yes", idempotencyKey: $key}) { errors { message } message { id } } }`,
			parleytest.Vars{"id": nodes[0].Get("id").String(), "key": fmt.Sprintf("key-%d", n)})
	})
	return l
}

// caller calls again and again, and keeps how long it took and what failed.
func (l *load) caller(call func(n int) (failed string)) {
	l.callers.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-l.stop:
				return
			default:
			}
			began := time.Now()
			failed := call(n)
			l.mu.Lock()
			if l.took = append(l.took, time.Since(began)); failed != "" {
				l.failed = append(l.failed, failed)
			}
			l.mu.Unlock()
		}
	})
}

func (l *load) say(w, n int) string {
	id := fmt.Sprintf("SM%d-%d", w, n)
	answer := l.p.Answer(l.p.Inbound(channel.Inbound{EventID: id, ProviderID: id, From: fmt.Sprintf("+1202555%04d", w), To: parleytest.Sales, Text: id}))
	if answer.Code != http.StatusOK {
		return fmt.Sprint(answer.Code, " ", answer.Body.String())
	}
	return ""
}

func (l *load) ask(query string, vars parleytest.Vars) string {
	if r := l.p.As("ada").Raw(query, vars); len(r.Errors) > 0 {
		return fmt.Sprint(r.Errors)
	}
	return ""
}

func (l *load) calls() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.took)
}

// end stops the callers, wants that none failed, and returns the longest call.
func (l *load) end(t *testing.T) time.Duration {
	t.Helper()
	l.halt()
	l.callers.Wait()
	require.Empty(t, l.failed)
	return slices.Max(l.took)
}

// A newer program migrates while this one serves, and even while a long report
// reads the tables that change: no request fails, and none waits for the report.
func TestANewerProgramMigratesWhileThisOneServes(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	l := press(p)
	p.Eventually(func() bool { return l.calls() > 200 }, "they call")
	finish := report(t, p.Config.Database)
	migrating := start(t, p.Config.Database)
	if parleytest.OnPostgres() {
		require.Eventually(t, func() bool { return strings.Count(migrating.said(), "will try again") >= 2 }, 20*time.Second, 10*time.Millisecond, "it waits for the report")
	}
	finish()
	require.NoError(t, migrating.cmd.Wait(), migrating.said())
	before := l.calls()
	p.Eventually(func() bool { return l.calls() > before+200 }, "they go on")
	worst := l.end(t)
	t.Logf("%d calls, the longest %s", l.calls(), worst)
	require.Less(t, worst, 4*time.Second, "a second behind the change of a table, and the machine's own")

	var added int
	require.NoError(t, p.Store.Read(t.Context(), store.System("a test looks"), store.SQL("SELECT MIN(later) FROM messages"), func(rows *sql.Rows) error { return rows.Scan(&added) }))
	require.Equal(t, 7, added)
	olderProgram(t, p.Config.Database)
}

// report reads the tables in a transaction that stays open until finish.
func report(t *testing.T, database string) (finish func()) {
	t.Helper()
	driver := "sqlite3"
	if parleytest.OnPostgres() {
		driver = "pgx"
	}
	db, err := sql.Open(driver, database)
	require.NoError(t, err)
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: driver == "pgx"})
	require.NoError(t, err)
	var n int
	require.NoError(t, tx.QueryRowContext(t.Context(),
		"SELECT (SELECT COUNT(*) FROM conversations) + (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM events)").Scan(&n))
	finish = sync.OnceFunc(func() { _ = tx.Rollback(); _ = db.Close() })
	t.Cleanup(finish)
	return finish
}

// olderProgram starts on a database that a newer one has migrated, and the doctor
// says so; what it backs up can be restored by the newer alone.
func olderProgram(t *testing.T, database string) {
	t.Helper()
	older := parleytest.OpenAt(t, database)
	older.Say("+12025550199", parleytest.Sales, "Hello")
	var said string
	doctor.Examine(t.Context(), doctor.Options{Database: database, Demo: true}, func(f doctor.Finding) {
		if f.Check == "migrations" {
			said = f.Means
		}
	})
	require.Contains(t, said, "newer program")
	file := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, backup.Write(t.Context(), backup.Options{URL: database, File: file}))
	require.ErrorContains(t, backup.Restore(t.Context(), backup.RestoreOptions{File: file, URL: parleytest.Empty(t), Settle: app.Restored(false)}), "29990101000000")
}

var _ io.Writer = (*program)(nil)
