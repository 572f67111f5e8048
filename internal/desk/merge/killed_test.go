package merge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/merge"
	"parley/internal/ground/viewer"
)

// victim describes, as JSON in the environment, a process that is killed within a merge
// or an undo.
const victim = "PARLEY_TEST_MERGE_VICTIM"

type task struct {
	Database string
	Merge    []string // or
	Unmerge  string
	// Statement is the one at which the process is killed; the work ends if it has
	// fewer.
	Statement int64
}

func TestMain(m *testing.M) {
	if text := os.Getenv(victim); text != "" {
		if err := workUntilKilled(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func workUntilKilled(text string) error {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return err
	}
	var begun atomic.Bool
	var statements atomic.Int64
	a, err := app.Open(context.Background(), app.Config{Database: t.Database, Trace: func(context.Context, string) func(error) {
		if begun.Load() && statements.Add(1) == t.Statement {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	}})
	if err != nil {
		return err
	}
	v, err := a.Directory.Viewer("ada")
	if err != nil {
		return err
	}
	ctx := viewer.NewContext(context.Background(), v)
	begun.Store(true)
	if t.Unmerge != "" {
		_, err = a.Schema.Merger.Unmerge(ctx, t.Unmerge)
	} else {
		_, err = a.Schema.Merger.Merge(ctx, merge.Input{IDs: t.Merge, IdempotencyKey: "k"})
	}
	return err
}

// state is everything that a merge writes.
func (d *desk) state() (rows []string) {
	for _, table := range []string{"conversations", "messaging_users", "participants", "count_cells", "audit_entries", "events"} {
		rows = append(rows, parleytest.Rows(d.T, d.Store, "SELECT * FROM "+table+" ORDER BY 1, 2, 3")...)
	}
	return rows
}

// killed has the work done by processes that are killed at one statement after another,
// and requires that it is done whole or not at all.
func (d *desk) killed(t task) {
	d.T.Helper()
	self, err := os.Executable()
	require.NoError(d.T, err)
	before, states := d.state(), [][]string{}
	for t.Statement = 1; ; t.Statement += 2 {
		text, err := json.Marshal(t)
		require.NoError(d.T, err)
		c := exec.CommandContext(d.T.Context(), self) //nolint:gosec // this very test
		c.Env = append(os.Environ(), victim+"="+string(text))
		out, err := c.CombinedOutput()
		states = append(states, d.state())
		if err == nil || bytes.Contains(out, []byte("they are merged into nobody")) { // undone by the one before, killed after its commit
			break
		}
		require.Equal(d.T, "signal: killed", err.Error(), string(out))
	}
	after := states[len(states)-1]
	require.NotEqual(d.T, before, after)
	absent := slices.IndexFunc(states, func(s []string) bool { return !slices.Equal(s, before) })
	require.Greater(d.T, absent, 3, "killed within the transaction")
	for _, s := range states[absent:] {
		require.Equal(d.T, after, s)
	}
}

// A process that is killed within a merge or an undo leaves all of it or nothing.
func TestAMergeThatIsKilledIsWholeOrAbsent(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	d := meetAt(parleytest.OpenAt(t, database), 3)
	d.merged(1, 2)
	d.killed(task{Database: database, Merge: []string{d.user[address(0)], d.user[address(1)]}})
	require.Equal(t, []string{address(0)}, d.listed())
	d.killed(task{Database: database, Unmerge: d.user[address(1)]})
	require.Equal(t, []string{address(1), address(0)}, d.listed())
}
