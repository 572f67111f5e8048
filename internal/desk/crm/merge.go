package crm

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/journal"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// MergeInput is a record that the CRM has merged into another, or converted to it, as a
// lead to a contact.
type MergeInput struct {
	ObjectType, ExternalID string
	IntoObjectType         *string // nil for the same as the record's
	IntoExternalID         string
}

// Merge gives the places of records to others, for ever: their ids find the others, their
// conversations are anchored to these, and whatever references them references these.
// What a converted record references itself stays, so that the contact that a lead became
// is related to what the lead was; of one that was merged into its like it goes. Records
// may come before or after they are merged, and merges in any order.
func (s *Service) Merge(ctx context.Context, merges []*MergeInput) ([]*Result, error) {
	if n := len(merges); n == 0 || n > MostPerCall {
		return nil, fault.Input("input.records", "Pass 1 to %d records, not %d.", MostPerCall, n)
	}
	if !viewer.FromContext(ctx).Can(viewer.ManageRecords) {
		return nil, fault.New(fault.Forbidden, "Merging records cannot be undone, so it needs the permission MANAGE_RECORDS. Ask an administrator.")
	}
	results, todo := make([]*Result, len(merges)), make([]*merging, 0, len(merges))
	for i, in := range merges {
		results[i] = &Result{ObjectType: in.ObjectType, ExternalID: in.ExternalID}
		at := fmt.Sprintf("input.records.%d.", i)
		loser, _, err := s.writable(object.Everything, inputNames{at + "objectType", at + "externalId"}, in.ObjectType, in.ExternalID)
		if err == nil && in.IntoObjectType == nil {
			in.IntoObjectType = &in.ObjectType
		}
		var winner name
		if err == nil {
			winner, _, err = s.writable(object.Everything, inputNames{at + "intoObjectType", at + "intoExternalId"}, *in.IntoObjectType, in.IntoExternalID)
		}
		if err == nil && loser == winner {
			err = fault.Input(at+"intoExternalId", "A record cannot be merged into itself. Use the id of the record that stays.")
		}
		if err != nil {
			results[i].Error = err
			continue
		}
		todo = append(todo, &merging{loser, winner, results[i], 0})
	}
	if len(todo) == 0 {
		return results, nil
	}
	by := viewer.FromContext(ctx)
	err := s.Store.Write(viewer.AsSystem(ctx, "records"), func(ctx context.Context, tx *store.Tx) error {
		if err := s.merge(ctx, tx, todo); err != nil {
			return err
		}
		return note(ctx, tx, by, journal.Merged, merged(todo))
	})
	if err != nil {
		return nil, err
	}
	return results, s.showMerged(ctx, todo)
}

// merged says what was merged into what.
func merged(todo []*merging) (said []string) {
	for _, m := range todo {
		if o := m.result.Outcome; o != nil && *o == Merged {
			said = append(said, called(m.loser)+" into "+called(m.winner))
		}
	}
	return said
}

// merging is a merge on its way into the store.
type merging struct {
	loser, winner name
	result        *Result
	into          int64 // the record that has the place now
}

func (s *Service) merge(ctx context.Context, tx *store.Tx, todo []*merging) error {
	if err := lock(ctx, tx); err != nil {
		return err
	}
	p, err := readPlaces(ctx, tx, todo)
	if err != nil {
		return err
	}
	var losers []*stored
	for _, m := range todo {
		if p.decide(m) {
			losers = append(losers, p.named[m.loser])
		}
	}
	if len(losers) == 0 {
		return nil
	}
	for _, l := range losers {
		l.mergedInto = p.root(l).key
	}
	changed := losers
	for _, stub := range p.stubs {
		if stub.mergedInto == 0 && p.wins(stub, losers) {
			changed = append(changed, stub)
		}
	}
	if err := save(ctx, tx, changed); err != nil {
		return err
	}
	return s.leave(ctx, tx, p, losers)
}

// leave has what leads to records go on to those that have their places.
func (s *Service) leave(ctx context.Context, tx *store.Tx, p *places, losers []*stored) (err error) {
	var keys, alike []int64
	l := &links{}
	for _, loser := range losers {
		root := p.root(loser)
		keys, l.moved = append(keys, loser.key), append(l.moved, loser.key, root.key)
		if root.ObjectType == loser.ObjectType {
			alike = append(alike, loser.key)
		}
	}
	if err := redirect(ctx, tx, keys); err != nil {
		return err
	}
	if err := clearIndex(ctx, tx, keys); err != nil {
		return err
	}
	if l.before, err = clearLookups(ctx, tx, inKeys("record_id", alike)); err != nil {
		return err
	}
	if err := l.record(ctx, tx); err != nil {
		return err
	}
	return s.Conversations.FollowRecords(ctx, tx, keys)
}

// places are records by name and key, and which of them have the place of which.
type places struct {
	named map[name]*stored
	keyed map[int64]*stored
	stubs []*stored // of names that nobody has yet
}

func readPlaces(ctx context.Context, tx *store.Tx, todo []*merging) (*places, error) {
	var names []name
	for _, m := range todo {
		names = append(names, m.loser, m.winner)
	}
	names = distinct(names)
	named, err := readNamed(ctx, tx, names)
	if err != nil {
		return nil, err
	}
	p := &places{named: named, keyed: map[int64]*stored{}}
	var roots []int64
	for _, n := range names {
		switch r := named[n]; {
		case r == nil:
			named[n] = &stored{name: n, stub: true}
			p.stubs = append(p.stubs, named[n])
		case r.mergedInto != 0:
			roots = append(roots, r.mergedInto)
		}
	}
	if err := p.readRoots(ctx, tx, roots); err != nil {
		return nil, err
	}
	keys, err := tx.ReserveKeys(ctx, "records", len(p.stubs))
	for i, key := range keys {
		p.stubs[i].key = key
	}
	for _, r := range named {
		p.keyed[r.key] = r
	}
	return p, err
}

// readRoots reads the records that others were merged into before.
func (p *places) readRoots(ctx context.Context, tx *store.Tx, keys []int64) error {
	if len(keys) == 0 {
		return nil
	}
	return tx.Query(ctx, selected(tx).Where(inKeys("id", keys)), func(rows *sql.Rows) error {
		r, err := scan(rows)
		p.keyed[r.key] = r
		return err
	})
}

// root is the record that has the place of r.
func (p *places) root(r *stored) *stored {
	for r.mergedInto != 0 {
		r = p.keyed[r.mergedInto]
	}
	return r
}

// wins reports whether a record has the place of one of the others.
func (p *places) wins(r *stored, losers []*stored) bool {
	for _, l := range losers {
		if l.mergedInto == r.key {
			return true
		}
	}
	return false
}

// decide says what becomes of a merge, and reports whether the loser changes.
func (p *places) decide(m *merging) bool {
	outcome := Unchanged
	m.result.Outcome, m.result.Error = &outcome, nil
	loser, root := p.named[m.loser], p.root(p.named[m.winner])
	m.into = root.key
	switch {
	case p.root(loser) == root:
		return false
	case loser.mergedInto != 0:
		m.result.Outcome, m.into = nil, 0
		m.result.Error = fault.New(fault.Conflict, "%s %s was merged into another record before, for ever. Merge that one instead.", m.loser.ObjectType, m.loser.ExternalID)
		return false
	}
	outcome, loser.mergedInto = Merged, root.key
	return true
}

// redirect has what was merged into records, or references them, go on to the records that
// these are merged into.
func redirect(ctx context.Context, tx *store.Tx, keys []int64) error {
	for _, c := range []struct{ table, column string }{{"records", "merged_into"}, {"lookups", "target_id"}} {
		winner := fmt.Sprintf("(SELECT w.merged_into FROM records w WHERE w.id = %s.%s)", c.table, c.column)
		update := tx.Builder().Update(c.table).Set(c.column, entsql.Expr(winner)).Where(entsql.And(inKeys(c.column, keys), entsql.GT(c.column, 0)))
		if _, err := tx.Exec(ctx, update); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) showMerged(ctx context.Context, todo []*merging) error {
	keys := make([]int64, 0, len(todo))
	for _, m := range todo {
		keys = append(keys, m.into)
	}
	records, err := s.Conversations.Records(ctx, keys)
	for _, m := range todo {
		m.result.Record = records[m.into]
	}
	return err
}

// placeKey is the key of the record that has the place of r.
func (r *stored) placeKey() int64 { return cmp.Or(r.mergedInto, r.key) }
