// Package related finds the records whose conversations belong together: a record, and
// those that the mappings of its object type lead to. Package conversation lists what is
// said with them.
//
// A viewer walks a path if they may read each object type and each lookup on it. Records
// that they may not read, and what the CRM has deleted or merged, are passed over, and
// count for no bound. A path has few steps, so that a cycle ends by itself.
package related

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"parley/internal/desk/object"
	"parley/internal/ground/allowance"
	"parley/internal/ground/memo"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// MostRecords is how many records a trail has, and how many each step of a path leads to.
const MostRecords = 2_000

// Definitions say what object types there are, and what of them agents may read. The
// directory does.
type Definitions interface {
	Definition(name string) *object.Definition
	RecordRights(v *viewer.Viewer) *object.Rights
}

// Trail is a record with the records that are related to it, as a viewer may read them.
type Trail struct {
	// Root is the record's key.
	Root int64
	// Position is that of the log before the trail was read: it holds every change up to
	// there, and may hold later ones.
	Position int64

	paths paths
	*members
}

// Read is ReadAll of one record, once for a query.
func Read(ctx context.Context, s *store.Store, types Definitions, root int64) (*Trail, error) {
	return memo.Read(ctx, fmt.Sprintf("trail %d", root), func() (*Trail, error) {
		trails, err := ReadAll(ctx, s, types, []int64{root})
		return trails[root], err
	})
}

// ReadAll reads the trails of records under the viewer of ctx, however many they are: in one
// statement, and one more for each object type among them that has paths. Records that have
// one place share a trail.
func ReadAll(ctx context.Context, s *store.Store, types Definitions, roots []int64) (map[int64]*Trail, error) {
	trails, byRoot, byType := make(map[int64]*Trail, len(roots)), map[int64]*Trail{}, map[string][]*Trail{}
	err := s.Read(ctx, access, rootsQuery(s.Dialect(), roots), func(rows *sql.Rows) error {
		var position, asked, place int64
		var there sql.NullInt64
		var objectType sql.NullString
		if err := rows.Scan(&position, &asked, &place, &there, &objectType); err != nil {
			return err
		}
		root := place
		if !there.Valid {
			root = asked
		}
		if byRoot[root] == nil {
			t := newTrail(root, position)
			byRoot[root], byType[objectType.String] = t, append(byType[objectType.String], t)
		}
		trails[asked] = byRoot[root]
		trails[asked].passed[place] = struct{}{} // which may come back
		return nil
	})
	for _, objectType := range slices.Sorted(maps.Keys(byType)) {
		if err == nil {
			err = walkFrom(ctx, s, byType[objectType], pathsOf(viewer.FromContext(ctx), types, objectType))
		}
	}
	return trails, err
}

func newTrail(root, position int64) *Trail {
	return &Trail{Root: root, Position: position, members: &members{
		records: []int64{root}, by: map[int64]*object.Mapping{root: nil}, passed: map[int64]struct{}{root: {}},
	}}
}

// access reads records whoever asks: the statement keeps to what the viewer may read.
const access = store.System("records along paths that the viewer may read")

// walkFrom reads the records that paths lead to from the roots of trails.
func walkFrom(ctx context.Context, s *store.Store, trails []*Trail, p paths) error {
	byRoot, roots := make(map[int64]*Trail, len(trails)), make([]int64, len(trails))
	for i, t := range trails {
		t.paths = p
		byRoot[t.Root], roots[i] = t, t.Root
	}
	if len(p.Mappings) == 0 {
		return nil
	}
	w := newWalk(s.Dialect(), roots, &p)
	return s.Read(ctx, access, w, func(rows *sql.Rows) error {
		var root int64
		var ends string
		if err := rows.Scan(&root, &ends); err != nil {
			return err
		}
		levels, err := w.levels(ends)
		if err != nil {
			return err
		}
		t := byRoot[root]
		t.take(w, levels)
		return allowance.FromContext(ctx).Read(ctx, recordBytes*len(t.passed))
	})
}

// recordBytes is what a record on a path counts as of what is read for an answer: related
// conversations have related conversations, and so on.
const recordBytes = 16

// take makes the trail of what the steps lead to: each record once, by its first mapping.
func (t *Trail) take(w *walk, levels [][]reached) {
	for _, level := range levels {
		t.Truncated = t.Truncated || len(level) > MostRecords
		for _, r := range level {
			t.passed[r.key] = struct{}{}
			if r.into != 0 {
				t.passed[r.into] = struct{}{} // which may come back
			}
		}
		slices.SortFunc(level, func(a, b reached) int { return cmp.Compare(a.place, b.place) })
	}
	for i := range t.paths.Mappings {
		for _, r := range levels[w.ends[i]] {
			key := r.place
			if _, there := t.by[key]; there || key == 0 {
				continue
			}
			if len(t.records) > MostRecords {
				t.Truncated = true
				return
			}
			t.records, t.by[key] = append(t.records, key), &t.paths.Mappings[i]
		}
	}
}

// Has reports whether a record is on the trail.
func (t *Trail) Has(record int64) bool {
	_, is := t.by[record]
	return is
}

// Records are the keys of the records on the trail, the root first.
func (t *Trail) Records() []int64 { return t.records }

// By is the mapping that relates a record to the root; nil for the root itself, and for
// one that is not on the trail.
func (t *Trail) By(record int64) *object.Mapping { return t.by[record] }

// Differ are the records that only one of two trails has, or that they relate otherwise.
func (t *Trail) Differ(other *Trail) (records []int64) {
	for _, key := range t.records {
		if !other.Has(key) || !alike(t.by[key], other.by[key]) {
			records = append(records, key)
		}
	}
	for _, key := range other.records {
		if !t.Has(key) {
			records = append(records, key)
		}
	}
	return records
}

func alike(a, b *object.Mapping) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

// Touched reports whether a change of lookups may change the trail: one of its ends, or
// any if they are too many to be named, is a record that the paths pass.
func (t *Trail) Touched(ends []int64, anyEnd bool) bool {
	return anyEnd || slices.ContainsFunc(ends, func(key int64) bool { _, is := t.passed[key]; return is })
}

// Passed are the records that the paths pass, the trail's among them. What changes the
// trail changes a lookup, or the presence, of one of them.
func (t *Trail) Passed() map[int64]struct{} { return t.passed }

// Current reports whether v still walks the paths that the trail was read by.
func (t *Trail) Current(v *viewer.Viewer, types Definitions) bool {
	return t.paths.key() == pathsOf(v, types, t.paths.From).key()
}

// Key is the same for trails that are alike at any one moment.
func (t *Trail) Key() string { return fmt.Sprint(t.Root, " ", t.paths.key()) }

// paths are what a viewer may walk from records of an object type.
type paths struct {
	From     string
	Mappings []object.Mapping
	// Readable are the object types whose records are read; All says that all are.
	Readable []string
	All      bool
}

func pathsOf(v *viewer.Viewer, types Definitions, objectType string) paths {
	p := paths{From: objectType}
	rights, def := types.RecordRights(v), types.Definition(objectType)
	if def == nil {
		return p
	}
	for _, m := range def.Related {
		if rights.Walks(m.Path, types.Definition) {
			p.Mappings = append(p.Mappings, m)
		}
	}
	readable, some := rights.Readable()
	p.Readable, p.All = readable, !some
	return p
}

func (p paths) key() string {
	written, _ := json.Marshal(p) // texts alone
	return string(written)
}
