package related_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/object"
	"parley/internal/desk/related"
	"parley/internal/ground/allowance"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// crm is a CRM whose definitions and rights a test chooses.
type crm struct {
	*parleytest.Parley
	types      map[string]*object.Definition
	rights     *object.Rights
	last       int64 // key of the last record
	statements atomic.Int64
}

func newCRM(t testing.TB) *crm {
	c := &crm{rights: object.Everything, types: map[string]*object.Definition{}}
	c.Parley = parleytest.New(t, func(config *app.Config) {
		config.Trace = func(context.Context, string) func(error) { c.statements.Add(1); return nil }
	})
	for _, name := range []string{"A", "B", "C"} {
		c.types[name] = &object.Definition{Name: name, Fields: []object.Field{
			{Name: "F", Kind: object.Reference, Targets: []string{"A", "B"}},
			{Name: "G", Kind: object.Reference, Targets: []string{"A", "B", "C"}, Sensitive: name == "B"},
		}}
	}
	return c
}

func (c *crm) Definition(name string) *object.Definition { return c.types[name] }

func (c *crm) RecordRights(*viewer.Viewer) *object.Rights { return c.rights }

// row is a record as it is stored.
type row struct {
	key          int64
	objectType   string
	gone, stub   bool
	mergedInto   *row
	byField      map[string]int64
	referencedAs map[string][]int64
}

// place is the record that has the place of r.
func (r *row) place() *row {
	if r.mergedInto != nil {
		return r.mergedInto
	}
	return r
}

// write adds records with their lookups, which name records by their place in the list.
func (c *crm) write(rows []*row, lookups map[[2]any]int) {
	c.T.Helper()
	var records, links [][]any
	for _, r := range rows {
		c.last++
		r.key = c.last
	}
	for _, r := range rows {
		r.byField, r.referencedAs = map[string]int64{}, map[string][]int64{}
		deleted, mergedInto := 0, int64(0)
		if r.mergedInto != nil {
			mergedInto = r.mergedInto.key
		}
		if r.gone {
			deleted = 1
		}
		records = append(records, []any{r.key, r.objectType, fmt.Sprint(r.key), "", "", false, 1, "", r.stub, deleted, mergedInto})
	}
	for at, to := range lookups {
		from, field, target := rows[at[0].(int)], at[1].(string), rows[to]
		from.byField[field] = target.key
		target.referencedAs[field] = append(target.referencedAs[field], from.key)
		links = append(links, []any{from.key, field, target.key})
	}
	require.NoError(c.T, c.Store.Write(c.System(), func(ctx context.Context, tx *store.Tx) error {
		columns := []string{"id", "object_type", "external_id", "name", "mobile_number", "opted_out", "updated_at", "body", "stub", "deleted_at", "merged_into"}
		if err := tx.InsertRows(ctx, "records", columns, records); err != nil {
			return err
		}
		return tx.InsertRows(ctx, "lookups", []string{"record_id", "field", "target_id"}, links)
	}))
}

// read reads a trail and returns the label by which each record is related, and whether
// it was truncated.
func (c *crm) read(root int64) (by map[int64]string, truncated bool) {
	c.T.Helper()
	trail, err := related.Read(c.System(), c.Store, c, root)
	require.NoError(c.T, err)
	for _, key := range trail.Records() {
		require.True(c.T, trail.Has(key))
		require.Contains(c.T, trail.Passed(), key)
	}
	by = labels(trail)
	require.Len(c.T, by, len(trail.Records()), "each once")
	return by, trail.Truncated
}

// labels are the labels by which records are related.
func labels(trail *related.Trail) map[int64]string {
	by := map[int64]string{}
	for _, key := range trail.Records() {
		if by[key] = "itself"; trail.By(key) != nil {
			by[key] = trail.By(key).Label
		}
	}
	return by
}

// naive walks the paths of a record one record at a time.
func (c *crm) naive(rows []*row, root *row) map[int64]string {
	there := map[int64]*row{}
	for _, r := range rows {
		if !r.gone {
			there[r.key] = r
		}
	}
	if there[root.place().key] == nil {
		return map[int64]string{root.key: "itself"}
	}
	root = root.place()
	by := map[int64]string{root.key: "itself"}
	mayRead := func(s object.Step) bool {
		d := c.types[s.Object]
		return c.rights.Object(s.Object).Includes(object.Read) && c.rights.Field(d, d.Field(s.Field)).Includes(object.Read)
	}
	for _, m := range c.types[root.objectType].Related {
		at := []*row{root}
		for _, s := range m.Path {
			var next []*row
			for _, r := range at {
				next = append(next, follow(s, r, there)...)
			}
			at = slices.DeleteFunc(next, func(r *row) bool {
				return !mayRead(s) || !c.rights.Object(r.objectType).Includes(object.Read)
			})
		}
		for _, r := range at {
			r = r.place()
			if by[r.key] == "" && !r.gone && c.rights.Object(r.objectType).Includes(object.Read) {
				by[r.key] = m.Label
			}
		}
	}
	return by
}

// follow takes a step from a record.
func follow(s object.Step, r *row, there map[int64]*row) (to []*row) {
	if s.Direction == object.Up {
		if target := there[r.byField[s.Field]]; target != nil && r.objectType == s.Object {
			return []*row{target}
		}
		return nil
	}
	for _, key := range r.referencedAs[s.Field] {
		if from := there[key]; from != nil && from.objectType == s.Object {
			to = append(to, from)
		}
	}
	return to
}

// A trail holds what a walk along the paths finds that looks at one record after the
// other, for any graph of records, cycles too, any mappings and any rights; and the
// database is asked twice.
func TestATrailIsWhatAWalkAlongItsPathsFinds(t *testing.T) {
	t.Parallel()
	c := newCRM(t)
	found, statements := 0, map[int64]bool{}
	for seed := range uint64(300) {
		d := dice{rand.New(rand.NewPCG(seed, 0))}
		rows, lookups := d.graph()
		for _, name := range []string{"A", "B", "C"} { // in this order, so that a seed is a case
			def := c.types[name]
			def.Related = nil
			for i := range d.IntN(7) {
				def.Related = append(def.Related, object.Mapping{Label: fmt.Sprint(name, i), Path: d.path(name)})
			}
		}
		if c.rights = object.Everything; d.once(2) {
			c.rights = d.rights()
		}
		c.write(rows, lookups)
		if d.once(2) { // else they are as a version before wrote them
			fill(t, c)
		}
		root, before := rows[d.IntN(len(rows))], c.statements.Load()
		by, truncated := c.read(root.key)
		statements[c.statements.Load()-before] = true
		require.Equal(t, c.naive(rows, root), by, "seed %d", seed)
		require.False(t, truncated)
		found += len(by) - 1
		c.requireAll(rows, seed)
	}
	require.Greater(t, found, 50, "records were related at all")
	require.Equal(t, map[int64]bool{1: true, 2: true}, statements, "one without paths")
}

// requireAll requires that the trails of all records, read at once, are those of each, in a
// statement and one more for each object type.
func (c *crm) requireAll(rows []*row, seed uint64) {
	c.T.Helper()
	roots := make([]int64, len(rows))
	for i, r := range rows {
		roots[i] = r.key
	}
	before := c.statements.Load()
	trails, err := related.ReadAll(c.System(), c.Store, c, roots)
	require.NoError(c.T, err)
	require.LessOrEqual(c.T, c.statements.Load()-before, int64(1+len(c.types)), "for %d records", len(rows))
	for _, r := range rows {
		require.Equal(c.T, c.naive(rows, r), labels(trails[r.key]), "seed %d, record %d", seed, r.key)
	}
}

// dice draw a CRM.
type dice struct{ *rand.Rand }

// once is true one time in n.
func (d dice) once(n int) bool { return d.IntN(n) == 0 }

func (d dice) objectType() string { return []string{"A", "B", "C"}[d.IntN(3)] }

func (d dice) graph() ([]*row, map[[2]any]int) {
	rows, lookups := make([]*row, 1+d.IntN(30)), map[[2]any]int{}
	for i := range rows {
		rows[i] = &row{objectType: d.objectType(), gone: d.once(10), stub: d.once(10)}
		if winner := rows[d.IntN(i+1)]; d.once(10) && winner.mergedInto == nil && winner != rows[i] {
			rows[i].mergedInto = winner
		}
		for _, field := range []string{"F", "G"} {
			if !d.once(3) {
				lookups[[2]any{i, field}] = d.IntN(len(rows))
			}
		}
	}
	for at, to := range lookups { // as merging leaves them
		if r := rows[at[0].(int)]; r.mergedInto != nil && r.mergedInto.objectType == r.objectType {
			delete(lookups, at)
		} else if winner := rows[to].mergedInto; winner != nil {
			lookups[at] = slices.Index(rows, winner)
		}
	}
	return rows, lookups
}

// path goes on, as a rule, from where it is.
func (d dice) path(at string) (path []object.Step) {
	for range 1 + d.IntN(1+d.IntN(object.MostSteps)) {
		s := object.Step{Direction: object.Up, Object: at, Field: []string{"F", "G"}[d.IntN(2)]}
		if at = d.objectType(); d.once(2) {
			s.Direction, s.Object = object.Down, at
		}
		path = append(path, s)
	}
	return path
}

func (d dice) rights() *object.Rights {
	var rights []object.Right
	access := func() object.Access {
		return []object.Access{object.None, object.Read, object.Read, object.Write}[d.IntN(4)]
	}
	for _, name := range []string{"A", "B", "C"} {
		right := object.Right{Object: name, Access: access()}
		for _, field := range []string{"F", "G"} {
			if d.once(3) {
				right.Fields = append(right.Fields, object.FieldRight{Field: field, Access: access()})
			}
		}
		rights = append(rights, right)
	}
	return object.Sum(rights)
}

// The bound counts what the viewer may read, and says when there is more.
func TestATrailIsBounded(t *testing.T) {
	t.Parallel()
	c := newCRM(t)
	rows, lookups := []*row{{objectType: "A"}}, map[[2]any]int{}
	add := func(objectType string, n int) {
		for range n {
			lookups[[2]any{len(rows), "F"}] = 0
			rows = append(rows, &row{objectType: objectType})
		}
	}
	add("B", related.MostRecords)
	add("C", 30)
	c.write(rows, lookups)
	bs := object.Mapping{Label: "Bs", Path: []object.Step{{Direction: object.Down, Object: "B", Field: "F"}}}
	cs := object.Mapping{Label: "Cs", Path: []object.Step{{Direction: object.Down, Object: "C", Field: "F"}}}
	trail := func(of ...object.Mapping) (int, bool) {
		c.types["A"].Related = of
		by, truncated := c.read(rows[0].key)
		return len(by) - 1, truncated
	}
	n, truncated := trail(bs)
	require.Equal(t, "2000 false", fmt.Sprint(n, " ", truncated))
	n, truncated = trail(cs, bs)
	require.Equal(t, "2000 true", fmt.Sprint(n, " ", truncated))
	back := object.Mapping{Label: "Back", Path: append(slices.Clone(bs.Path), object.Step{Direction: object.Up, Object: "B", Field: "F"}, cs.Path[0])}
	n, truncated = trail(back)
	require.Equal(t, "30 false", fmt.Sprint(n, " ", truncated))

	more := []*row{{objectType: "B"}}
	c.write(more, nil)
	require.NoError(t, c.Store.Write(c.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.InsertRows(ctx, "lookups", []string{"record_id", "field", "target_id"}, [][]any{{more[0].key, "F", rows[0].key}})
	}))
	n, truncated = trail(back)
	require.Equal(t, "30 true", fmt.Sprint(n, " ", truncated), "a step on the way is cut too")
	c.rights = object.Sum([]object.Right{{Object: "A", Access: object.Read}, {Object: "C", Access: object.Read}})
	n, truncated = trail(bs, cs)
	require.Equal(t, "30 false", fmt.Sprint(n, " ", truncated), "what may not be read counts for nothing")
}

// Trails of records of trails, and so on, are more than prices can tell: what they pass is part
// of what one answer may read.
func TestTrailsAreBoundedTogether(t *testing.T) {
	t.Parallel()
	c := newCRM(t)
	rows, lookups := []*row{{objectType: "B"}}, map[[2]any]int{}
	for range 1_000 {
		lookups[[2]any{len(rows), "F"}] = 0
		rows = append(rows, &row{objectType: "A"})
	}
	c.types["A"].Related = []object.Mapping{{Label: "Others", Path: []object.Step{
		{Direction: object.Up, Object: "A", Field: "F"}, {Direction: object.Down, Object: "A", Field: "F"},
	}}}
	c.write(rows, lookups)
	read := func(n int) error {
		ctx, allowed := allowance.NewPool(allowance.Bounds{Answer: 200_000}).NewContext(c.System())
		defer allowed.Close()
		roots := make([]int64, n)
		for i := range roots {
			roots[i] = rows[i+1].key
		}
		_, err := related.ReadAll(ctx, c.Store, c, roots)
		return err
	}
	require.NoError(t, read(10))
	require.Equal(t, fault.LimitExceeded, fault.CodeOf(read(20)))
}
