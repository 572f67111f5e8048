package related

import (
	"encoding/json"
	"fmt"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/object"
	"parley/internal/ground/anyof"
	"parley/internal/ground/store"
)

// rootsQuery reads the log's position and, for each record asked for, the key of what has its
// place (the other, if it was merged into another), and the key and object type of that if it
// is there.
func rootsQuery(d string, roots []int64) store.Query {
	b := &entsql.Builder{}
	b.SetDialect(d)
	const place = "COALESCE((SELECT NULLIF(merged_into, 0) FROM records WHERE id = k.value), k.value)"
	b.WriteString("SELECT h.position, k.value, " + place + ", r.id, r.object_type FROM log_heads AS h CROSS JOIN ")
	anyof.List(b, "k", roots)
	if d == dialect.Postgres {
		return b.WriteString(" LEFT JOIN LATERAL (SELECT id, object_type FROM records WHERE id = " + place + " AND deleted_at = 0 OFFSET 0) AS r ON TRUE WHERE h.id = 1")
	}
	return b.WriteString(" LEFT JOIN records AS r ON r.id = " + place + " AND r.deleted_at = 0 WHERE h.id = 1")
}

// walk is the statement that walks all paths at once, from each root by itself: a selection
// for each step, called s1, s2 and so on, from that of the step before. Paths that begin
// alike share what they begin with. A selection stops at one record more than a trail may
// have. What a root leads to is one row, a JSON list of steps with what they reach.
type walk struct {
	dialect string
	roots   []int64
	paths   *paths
	steps   []step
	ends    []int // the last step of each mapping
}

// step is a step from the records of another, 0 for the root.
type step struct {
	object.Step

	from int
}

func newWalk(dialect string, roots []int64, p *paths) *walk {
	w := &walk{dialect: dialect, roots: roots, paths: p, steps: make([]step, 1)}
	known := map[step]int{}
	for _, m := range p.Mappings {
		at := 0
		for _, s := range m.Path {
			next := step{s, at}
			if known[next] == 0 {
				known[next] = len(w.steps)
				w.steps = append(w.steps, next)
			}
			at = known[next]
		}
		w.ends = append(w.ends, at)
	}
	return w
}

// reached is a record that a step leads to: its key, that of the record it was converted to,
// 0 for none, and that of the one of both that the trail has: 0 if the viewer may not read
// that one, or it was deleted.
type reached struct{ key, into, place int64 }

// levels are the records that each step leads to, read from what a row says.
func (w *walk) levels(ends string) ([][]reached, error) {
	var rows [][4]int64
	err := json.Unmarshal([]byte(ends), &rows)
	levels := make([][]reached, len(w.steps))
	for _, r := range rows {
		levels[r[0]] = append(levels[r[0]], reached{r[1], r[2], r[3]})
	}
	return levels, err
}

// Query implements store.Query.
func (w *walk) Query() (string, []any) {
	b := &entsql.Builder{}
	b.SetDialect(w.dialect)
	b.WriteString("SELECT k.value, (WITH s0 AS (SELECT id, object_type FROM records WHERE id = k.value)")
	for i := range w.steps[1:] {
		b.WriteString(fmt.Sprintf(", s%d AS (", i+1))
		w.step(b, &w.steps[i+1])
		b.WriteString(")")
	}
	list := "json_group_array(json_array(step, id, merged_into, place))"
	if w.dialect == dialect.Postgres {
		list = "COALESCE(json_agg(json_build_array(step, id, merged_into, place)), '[]')::text"
	}
	b.WriteString(" SELECT " + list + " FROM (")
	for i := range w.steps[1:] {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		w.end(b, i+1)
	}
	b.WriteString(") AS ends) FROM ")
	anyof.List(b, "k", w.roots)
	return b.Query()
}

// end writes where a step leads to, and what has the place of a record that was converted to
// another.
func (w *walk) end(b *entsql.Builder, i int) {
	b.WriteString(fmt.Sprintf("SELECT %d AS step, p.id, p.merged_into, CASE WHEN p.merged_into = 0 THEN p.id ELSE (SELECT r.id FROM records AS r WHERE r.id = p.merged_into AND r.deleted_at = 0", i))
	w.readable(b)
	b.WriteString(fmt.Sprintf(") END AS place FROM s%d AS p", i))
}

// step writes the records that a step leads to.
func (w *walk) step(b *entsql.Builder, s *step) {
	distinct, near, far, owner := "DISTINCT ", "record_id", "target_id", "p"
	if s.Direction == object.Down {
		distinct, near, far, owner = "", "target_id", "record_id", "r" // a record has one target in a field
	}
	b.WriteString(fmt.Sprintf("SELECT %sr.id, r.object_type, r.merged_into FROM s%d AS p", distinct, s.from))
	w.join(b, "lookups AS l", func() {
		b.WriteString("l." + near + " = p.id AND l.field = ").Arg(s.Field)
		if s.Direction == object.Down { // those of other types are not even read
			b.WriteString(" AND l.record_type IN (").Arg(s.Object).WriteString(", '')")
		}
	})
	w.join(b, "records AS r", func() { b.WriteString("r.id = l." + far + " AND r.deleted_at = ").Arg(0) })
	b.WriteString(" WHERE " + owner + ".object_type = ").Arg(s.Object)
	w.readable(b)
	b.WriteString(" LIMIT ").Arg(MostRecords + 1)
}

// readable writes that the viewer may read the record r.
func (w *walk) readable(b *entsql.Builder) {
	if w.paths.All {
		return
	}
	b.WriteString(" AND r.object_type IN (")
	for i, name := range w.paths.Readable {
		if i > 0 {
			b.Comma()
		}
		b.Arg(name)
	}
	b.WriteString(")")
}

// join joins a table row by row, by its index, however small a planner thinks it is.
func (w *walk) join(b *entsql.Builder, table string, on func()) {
	if w.dialect == dialect.Postgres {
		b.WriteString(" CROSS JOIN LATERAL (SELECT * FROM " + table + " WHERE ")
		on()
		b.WriteString(" OFFSET 0) AS " + table[len(table)-1:])
		return
	}
	b.WriteString(" CROSS JOIN " + table + " ON ")
	on()
}
