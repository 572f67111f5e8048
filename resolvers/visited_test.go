package resolvers_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/seed"
	"parley/internal/check/parleytest"
	"parley/internal/ground/price"
)

// visits is a document and how many rows of tables and indexes it visits in an
// organisation of so many conversations.
type visits struct {
	document string
	rows     int
}

// visited are documents of every field whose work is rows, by field.
func visited(of int) map[string]visits {
	list := func(filter, fields string) string {
		return `{ conversations(view: {kind: ALL}, first: 50, filterBy: {` + filter + `}) { ` + fields + ` } }`
	}
	edge := func(fields string) string { return list("", "nodes { "+fields+" }") }
	bulk := func(selection string) string {
		return `mutation { bulkMarkConversationsRead(input: {dryRun: true, idempotencyKey: "a", selection: {` + selection + `}}) { preview { total } } }`
	}
	return map[string]visits{
		"Query.conversations":          {list("", "nodes { id }"), 50},
		"a filter without an index":    {list("isAssigned: false, lastMessageDirection: OUTBOUND, lastMessageBefore: \"1990-01-01T00:00:00Z\"", "nodes { id }"), of},
		"totalCount by time":           {list(`lastMessageFrom: "1990-01-01T00:00:00Z"`, "totalCount"), of},
		"totalCount by direction":      {list(`lastMessageDirection: INBOUND`, "totalCount"), of},
		"Conversation.messagingUser":   {edge("messagingUser { id }"), 100},
		"Conversation.record":          {edge("record { id }"), 100},
		"Conversation.lastMessage":     {edge("lastMessage { id content { ... on TextContent { text } } }"), 100},
		"Conversation.messages":        {edge("messages(last: 2) { nodes { id } }"), 150},
		"Conversation.sendability":     {edge("sendability { canSend }"), 150},
		"Mutation.bulk…, by view":      {bulk(`view: {kind: ALL}`), of},
		"Mutation.bulk…, by search":    {bulk(`search: "the"`), of},
		"Viewer.inboxes":               {`{ viewer { inboxes { nodes { counts { total } } } } }`, 50},
		"totalCount of a standing one": {list("", "totalCount"), 50},
	}
}

// A row that is visited is paid for: between a thirtieth of a unit, for one that is
// only counted, and thirty units, what a statement of its own costs.
func TestPricesFollowTheRowsVisited(t *testing.T) {
	t.Parallel()
	const of = 2_000
	database := parleytest.Database(t)
	p := parleytest.OpenAt(t, database)
	require.NoError(t, seed.Fill(t.Context(), p.Directory, p.Store, seed.Options{Conversations: of, Messages: 2 * of, Seed: 1}))
	p.Stop()
	for name, v := range visited(of) {
		before := tuples(t, database)
		p := parleytest.OpenAt(t, database)
		paid := costOf(t, v.document) + charged(t, p, v.document)
		p.Stop()
		require.GreaterOrEqual(t, paid, v.rows/30, "%s visits %d rows", name, v.rows)
		require.LessOrEqual(t, paid, 3_500+v.rows*30, "%s visits %d rows", name, v.rows)
		if parleytest.OnPostgres() {
			n := tuples(t, database) - before
			t.Logf("%s: %d rows visited, %d said, %d paid", name, n, v.rows, paid)
			require.GreaterOrEqual(t, paid, n/60, "%s visits %d rows and entries of indexes", name, n)
		}
	}
}

// charged is what a document is charged for as it runs, as ada, who sees all.
func charged(t *testing.T, p *parleytest.Parley, document string) (units int) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": document})
	require.NoError(t, err)
	ctx := price.NewContext(t.Context(), func(n int) { units += n })
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://parley.test/graphql", bytes.NewReader(body))
	require.NoError(t, err)
	token, err := p.Tokens.Mint("ada", time.Hour)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	answer := p.Answer(req).Body.String()
	require.NotContains(t, answer, `"errors"`, document)
	return units
}

// tuples is how many rows and entries of indexes sessions that have ended visited in
// a PostgreSQL database, which counts them; 0 on SQLite, which does not.
func tuples(t *testing.T, database string) (n int) {
	t.Helper()
	if !parleytest.OnPostgres() {
		return 0
	}
	db, err := sql.Open("pgx", database)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	require.Eventually(t, func() bool {
		others := 1
		return db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'").Scan(&others) == nil && others == 0
	}, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT (SELECT COALESCE(SUM(seq_tup_read), 0) FROM pg_stat_user_tables)
		+ (SELECT COALESCE(SUM(idx_tup_read), 0) FROM pg_stat_user_indexes)`).Scan(&n))
	return n
}
