package peer_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/ground/store"
)

// A process that nobody calls finds out by its own row that the database takes no
// writes, and that it takes them again.
func TestAnIdleProcessSeesThatWritesAreRefused(t *testing.T) {
	t.Parallel()
	p := start(t, parleytest.Database(t), feed.NewLocal())
	eventually(t, func() bool { return len(p.list(t)) == 1 }, "its row is there")
	refuse, allow := []string{"PRAGMA query_only = 1"}, []string{"PRAGMA query_only = 0"}
	if parleytest.OnPostgres() {
		refuse = []string{
			`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'read-only' USING ERRCODE = '25006'; END $$`,
			`CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON processes FOR EACH ROW EXECUTE FUNCTION refuse()`,
		}
		allow = []string{"DROP TRIGGER refuse ON processes"}
	}
	run := func(statements []string) {
		for _, statement := range statements {
			_, err := p.store.WriterDB().ExecContext(context.WithoutCancel(t.Context()), statement)
			require.NoError(t, err)
		}
	}
	run(refuse)
	eventually(t, func() bool { return errors.Is(p.store.Ready(t.Context()), store.ErrRefused) }, "it is seen")
	run(allow)
	eventually(t, func() bool { return p.store.Ready(t.Context()) == nil }, "it is seen that writes pass again")
}
