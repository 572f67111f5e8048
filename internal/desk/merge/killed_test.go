package merge_test

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/check/parleytest/victim"
	"parley/internal/desk/merge"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

type task struct {
	victim.Task

	Merge   []string // or
	Unmerge string
}

func TestMain(m *testing.M) {
	victim.Work(workUntilKilled)
	os.Exit(m.Run())
}

func workUntilKilled(t task) error {
	a, begin, err := t.Open()
	if err != nil {
		return err
	}
	v, err := a.Directory.Viewer("ada")
	if err != nil {
		return err
	}
	ctx := viewer.NewContext(context.Background(), v)
	begin()
	if t.Unmerge == "" {
		_, err = a.Schema.Merger.Merge(ctx, merge.Input{IDs: t.Merge, IdempotencyKey: "k"})
		return err
	}
	if _, err = a.Schema.Merger.Unmerge(ctx, t.Unmerge); fault.CodeOf(err) == fault.Conflict {
		return nil // undone by the one before, which was killed after its commit
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
	before, states := d.state(), [][]string{}
	for killed := true; killed; t.Statement += 2 {
		killed = victim.Run(d.T.Context(), d.T, t)
		states = append(states, d.state())
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
	d.killed(task{Task: victim.Task{Database: database, Statement: 1}, Merge: []string{d.user[address(0)], d.user[address(1)]}})
	require.Equal(t, []string{address(0)}, d.listed())
	d.killed(task{Task: victim.Task{Database: database, Statement: 1}, Unmerge: d.user[address(1)]})
	require.Equal(t, []string{address(1), address(0)}, d.listed())
}
