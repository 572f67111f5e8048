package plans

import (
	"database/sql/driver"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/clock"
)

// leaveAlone keeps PostgreSQL's own cleaning, which comes when it likes, from the
// tables.
func (d *database) leaveAlone(t *testing.T) {
	d.exec(t, `DO $$ DECLARE name text; BEGIN
		FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
			EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = false)', name);
		END LOOP; END $$`)
}

// crowd fills the tables that PostgreSQL would read whole while they are small,
// with what no retention removes.
func (d *database) crowd(t *testing.T) {
	later := int64(clock.Of(parleytest.Start.AddDate(1, 0, 0)))
	d.exec(t, fmt.Sprintf(`INSERT INTO raw_inbounds (provider_account_id, event_id, state, provider_id, payload, created_at)
		SELECT 1, 'e' || i, CASE WHEN i %% 2000 = 0 THEN 'FAILED' WHEN i %% 3000 = 1 THEN 'PENDING' ELSE 'DONE' END, 'p' || i, repeat('x', 200)::bytea, %d
		FROM generate_series(1, 20000) AS i`, later))
	d.exec(t, fmt.Sprintf(`INSERT INTO idempotency_keys (agent_id, mutation, key, payload_hash, created_at)
		SELECT i %% 10, 'sendMessage', 'k' || i, repeat('x', 32)::bytea, %d FROM generate_series(1, 20000) AS i`, later))
	d.exec(t, `INSERT INTO search_people_2 (conversation_id, tokens) SELECT 1000000 + i, array_to_tsvector(ARRAY['no one', 'n' || i])
		FROM generate_series(1, 24000) AS i`)
	d.exec(t, `INSERT INTO record_values (record_id, slot, value)
		SELECT r.id, o.id * 65536 + f.number, convert_to(CASE f.number WHEN 4 THEN 'account/a' || r.id % 100 ELSE 'day ' || r.id END, 'UTF8')
		FROM records AS r JOIN object_types AS o ON o.name = r.object_type CROSS JOIN (VALUES (4), (19)) AS f(number) WHERE r.object_type = 'Contact'`)
}

// settle lets PostgreSQL know the tables. SQLite is not told of them, as Parley
// never does: there a plan follows from the statement and the indexes alone.
func (d *database) settle(t *testing.T) {
	if d.major > 0 {
		d.exec(t, "VACUUM (ANALYZE)")
		d.exec(t, "SET plan_cache_mode = force_generic_plan")
	}
}

// explain tells the plan for any values.
func (d *database) explain(t *testing.T, text string) []string {
	if d.major > 0 {
		return d.explainPostgres(t, text)
	}
	return d.explainSQLite(t, text)
}

func (d *database) explainPostgres(t *testing.T, text string) (plan []string) {
	d.exec(t, "PREPARE explained AS "+text)
	defer d.exec(t, "DEALLOCATE explained")
	var arguments int
	require.NoError(t, d.db.QueryRowContext(t.Context(),
		"SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'explained'").Scan(&arguments))
	values := ""
	if arguments > 0 {
		values = "(" + strings.Repeat("NULL, ", arguments-1) + "NULL)"
	}
	rows, err := d.db.QueryContext(t.Context(), "EXPLAIN (COSTS OFF) EXECUTE explained"+values)
	require.NoError(t, err, text)
	defer rows.Close()
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		plan = append(plan, tidy(line))
	}
	require.NoError(t, rows.Err())
	return plan
}

// explainSQLite leaves the values out: Parley's connections choose no plan by
// them.
func (d *database) explainSQLite(t *testing.T, text string) (plan []string) {
	text = "EXPLAIN QUERY PLAN " + text
	conn, err := d.db.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	var values []any
	require.NoError(t, conn.Raw(func(c any) error {
		prepared, err := c.(driver.ConnPrepareContext).PrepareContext(t.Context(), text)
		if err != nil {
			return err
		}
		values = make([]any, prepared.NumInput())
		return prepared.Close()
	}), text)
	rows, err := conn.QueryContext(t.Context(), text, values...)
	require.NoError(t, err, text)
	defer rows.Close()
	depth := map[int]int{}
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		depth[id] = depth[parent] + 1
		plan = append(plan, strings.Repeat("  ", depth[id]-1)+tidy(detail))
	}
	require.NoError(t, rows.Err())
	return plan
}

var (
	spaces   = regexp.MustCompile(`\s+`)
	arrays   = regexp.MustCompile(`(\?|\$\d+)(::\w+)?(, (\?|\$\d+)(::\w+)?)+\)`)
	tuples   = regexp.MustCompile(`(\([^()]*…\))(, \([^()]*…\))+`)
	value    = regexp.MustCompile(`\$\d+`)
	inserted = regexp.MustCompile(`(INSERT INTO \S+) \([^()]+\)`)
	returned = regexp.MustCompile(`RETURNING .{60,}`)
	inner    = regexp.MustCompile(`\b(SubPlan|InitPlan|SUBQUERY|SUBPLAN) \d+`)
	anyOf    = regexp.MustCompile(`ANY \('\{[^}]*\}'|ANY \(ARRAY\[[^\]]*\]`)
	returns  = regexp.MustCompile(` \(returns \$\d+\)`)
)

// alike are the words of a statement without how many values its lists have:
// those that are alike have one plan.
func alike(text string) string {
	text = spaces.ReplaceAllString(strings.TrimSpace(text), " ")
	text = arrays.ReplaceAllString(text, "…)")
	return value.ReplaceAllString(tuples.ReplaceAllString(text, "$1"), "?")
}

// brief is a statement as testdata shows it: without long lists of columns.
func brief(text string) string {
	const long = 60
	before, after, found := strings.Cut(alike(text), "SELECT ")
	out := before
	for found {
		var part string
		part, after, found = strings.Cut(after, "SELECT ")
		if columns, rest, from := strings.Cut(part, " FROM "); from && len(columns) > long {
			part = "… FROM " + rest
		}
		out += "SELECT " + part
	}
	out = returned.ReplaceAllString(out, "RETURNING …")
	return inserted.ReplaceAllString(out, "$1 (…)")
}

// tidy is a line of a plan without what tells nothing.
func tidy(line string) string {
	line = inner.ReplaceAllString(strings.TrimRight(line, " "), "$1")
	return returns.ReplaceAllString(anyOf.ReplaceAllString(line, "ANY (…"), "")
}
