package bulk_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/bulk"
	"parley/internal/desk/conversation"
	"parley/internal/ground/store"
)

// bundle is a Parley whose operations are worked off by hand, three
// conversations at a time.
type bundle struct {
	*parleytest.Parley
}

func setup(t *testing.T) *bundle {
	t.Helper()
	return open(t, parleytest.Database(t))
}

func open(t *testing.T, database string) *bundle {
	t.Helper()
	b := &bundle{parleytest.OpenAt(t, database)}
	b.Bulk.BatchSize = 3
	return b
}

func customer(i int) string { return fmt.Sprintf("+1202555%04d", 1000+i) }

// fill has n customers write to a number.
func (b *bundle) fill(n int, number string) {
	b.T.Helper()
	for i := range n {
		b.Say(customer(i), number, "Hello")
	}
}

// all selects whatever the viewer sees, with the filter.
func all(filter *conversation.Filter) *bulk.Selection {
	return &bulk.Selection{View: &conversation.View{Kind: conversation.All}, FilterBy: filter}
}

// reading asks for a selection to be marked read.
func reading(s *bulk.Selection) bulk.MarkInput {
	return bulk.MarkInput{Selection: s, IdempotencyKey: rand.Text()}
}

// ids are those of the conversations the agent sees, newest first.
func (b *bundle) ids(username string) (ids []string) {
	b.T.Helper()
	page, err := b.Conversations.List(b.Context(username), conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: 100}, conversation.Selected{})
	require.NoError(b.T, err)
	for _, row := range page.Nodes {
		ids = append(ids, row.ID())
	}
	return ids
}

// begun is the operation that was begun.
func (b *bundle) begun(begun bulk.Begun, err error) *bulk.Row {
	b.T.Helper()
	require.NoError(b.T, err)
	require.NotNil(b.T, begun.Operation)
	return begun.Operation
}

// finish works an operation off and returns it as it is then.
func (b *bundle) finish(op *bulk.Row) *bulk.Row {
	b.T.Helper()
	again, err := b.Bulk.Run(b.System(), op.Key)
	require.NoError(b.T, err)
	require.False(b.T, again)
	return b.now(op)
}

// step has a worker decide a batch, and tells whether there is more.
func (b *bundle) step(worker func(context.Context) (bool, error)) bool {
	b.T.Helper()
	more, err := worker(b.System())
	require.NoError(b.T, err)
	return more
}

func (b *bundle) now(op *bulk.Row) *bulk.Row {
	b.T.Helper()
	now, err := op.Again(b.System())
	require.NoError(b.T, err)
	return now
}

// results are all of an operation, or those with an outcome, by pages of seven.
func (b *bundle) results(op *bulk.Row, only *bulk.Outcome) (out []*bulk.Result) {
	b.T.Helper()
	w := bulk.Window{Size: 7}
	for {
		pages, err := b.Bulk.Results(b.System(), []*bulk.Row{op}, only, w)
		require.NoError(b.T, err)
		out = append(out, pages[0].Nodes...)
		if !pages[0].HasNextPage {
			return out
		}
		require.Len(b.T, pages[0].Nodes, 7)
		w.Cursor = *pages[0].PageInfo().EndCursor
	}
}

func (b *bundle) number(s string) (n int) {
	b.T.Helper()
	require.NoError(b.T, b.Store.Read(context.Background(), store.System("a test looks"), store.SQL(s), func(rows *sql.Rows) error { return rows.Scan(&n) }))
	return n
}

// pass moves the clock.
func (b *bundle) pass(d time.Duration) { b.Clock.Advance(d) }

func ptr[T any](v T) *T { return &v }
