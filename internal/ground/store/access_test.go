package store_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/rule"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Who is nobody reads nothing: the statement does not even run.
func TestNobodyReadsNothing(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	read := func(access store.Access) (rows int, err error) {
		if err := s.Each(t.Context(), access, store.SQL("SELECT 1"), func(*store.Row) error { rows++; return nil }); err != nil {
			return rows, err
		}
		return rows, s.Read(t.Context(), access, store.SQL("SELECT 1"), func(*sql.Rows) error { rows++; return nil })
	}
	for _, access := range []store.Access{(*viewer.Viewer)(nil), rule.Visibility{}, rule.Visible(nil), rule.Visible(&viewer.Viewer{})} {
		rows, err := read(access)
		require.NoError(t, err)
		require.Zero(t, rows)
	}
	for _, access := range []store.Access{&viewer.Viewer{AgentID: 1}, rule.Visible(&viewer.Viewer{AgentID: 1}), rule.Visible(&viewer.Viewer{System: "test"}), store.System("a test looks")} {
		rows, err := read(access)
		require.NoError(t, err)
		require.Equal(t, 2, rows)
	}
}
