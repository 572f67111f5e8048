package crmsync

import (
	"cmp"
	"context"
	"slices"

	"parley/ent"
	entsync "parley/ent/crmsync"
	"parley/ent/rejectedchange"
	"parley/internal/channel"
	"parley/internal/connector"
	"parley/internal/desk/crm"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Bounds of what is kept of rejected changes.
const (
	mostKept      = 1_000  // of a connection
	mostKeptBytes = 64_000 // of a change
	mostProblem   = 400    // characters
)

// verdict is what became of a change: an outcome, or a problem.
type verdict struct {
	*change
	outcome crm.Outcome
	problem *fault.Error
}

// changed reports whether the change changed anything.
func (v *verdict) changed() bool {
	return v.problem == nil && v.outcome != crm.Unchanged && v.outcome != crm.Older
}

// take takes changes in their order, each decided by itself, in as few writes as that
// allows. Cut off between two, it can be called again with the same changes. Problems that
// some have already stay theirs.
func (s *Service) take(ctx context.Context, c *Connection, changes []*verdict) error {
	ctx = viewer.AsSystem(ctx, "sync")
	var run []*verdict
	names := map[crm.Name]bool{}
	for _, v := range changes {
		if v.problem == nil {
			v.problem = c.admits(v.change)
		}
		if v.problem != nil {
			continue
		}
		if len(run) > 0 && (names[v.name()] || !together(run[0].Operation, v.Operation)) {
			if err := s.write(ctx, c, run); err != nil {
				return err
			}
			run, names = nil, map[crm.Name]bool{}
		}
		run, names[v.name()] = append(run, v), true
	}
	return s.write(ctx, c, run)
}

// together reports whether changes of two kinds go into one write.
func together(a, b Operation) bool { return a == b || a.merges() && b.merges() }

// admits refuses changes of object types that the connection is not for.
func (c *Connection) admits(of *change) *fault.Error {
	is := func(name string) bool {
		return len(c.settings.Types) == 0 || slices.ContainsFunc(c.settings.Types, func(t connector.Type) bool { return t.ObjectType == name })
	}
	switch {
	case !is(of.ObjectType):
		return fault.Input("objectType", "The connection is not for this object type. Add it to the connection, or correct the name.")
	case of.Into != nil && of.Into.ObjectType != "" && !is(of.Into.ObjectType):
		return fault.Input("into.objectType", "The connection is not for this object type. Add it to the connection, or correct the name.")
	}
	return nil
}

// write takes changes of one kind, of records that differ.
func (s *Service) write(ctx context.Context, c *Connection, run []*verdict) error {
	for some := range slices.Chunk(run, crm.MostPerCall) {
		results, err := s.call(ctx, c, some)
		if err != nil {
			return err
		}
		for i, r := range results {
			if r.Error != nil {
				some[i].problem = some[i].inChange(r.Error)
			} else {
				some[i].outcome = *r.Outcome
			}
		}
	}
	return nil
}

func (s *Service) call(ctx context.Context, c *Connection, run []*verdict) ([]*crm.Result, error) {
	switch run[0].Operation {
	case Upsert:
		in, err := s.ahead(ctx, c, run)
		if err != nil {
			return nil, err
		}
		return s.Records.Upsert(ctx, in)
	case Delete:
		in := make([]*crm.DeletionInput, len(run))
		for i, v := range run {
			in[i] = &crm.DeletionInput{ObjectType: v.ObjectType, ExternalID: v.ExternalID, DeletedAt: &v.at, Unseen: true}
		}
		return s.Records.Delete(ctx, in)
	}
	in := make([]*crm.MergeInput, len(run))
	for i, v := range run {
		in[i] = &crm.MergeInput{ObjectType: v.ObjectType, ExternalID: v.ExternalID, IntoExternalID: v.Into.ExternalID}
		if v.Into.ObjectType != "" {
			in[i].IntoObjectType = &v.Into.ObjectType
		}
	}
	return s.Records.Merge(ctx, in)
}

// note writes what became of changes: those that were rejected are kept, and those before
// of the same records are not needed any more. Where a newer one is kept, it stays, and an
// older one is not kept. One that is rejected again counts once.
func (s *Service) note(ctx context.Context, tx *store.Tx, connection int64, done []*verdict) error {
	before, err := keptOf(ctx, tx, connection, done)
	if err != nil {
		return err
	}
	var taken, rejected int64
	var kept []*ent.RejectedChangeCreate
	var gone []int64
	for _, v := range done {
		over, newer, again := v.against(before[v.name()])
		gone = append(gone, over...)
		if v.changed() {
			taken++
		}
		if v.problem != nil && !again {
			rejected++
		}
		if v.problem != nil && !newer {
			kept = append(kept, v.keep(tx, connection))
		}
	}
	if len(gone) > 0 {
		if _, err := tx.Ent.RejectedChange.Delete().Where(rejectedchange.IDIn(gone...)).Exec(ctx); err != nil {
			return err
		}
	}
	if len(kept) > 0 {
		if err := tx.Ent.RejectedChange.CreateBulk(kept...).Exec(ctx); err != nil {
			return err
		}
		if err := trim(ctx, tx, connection); err != nil {
			return err
		}
	}
	if taken+rejected == 0 {
		return nil
	}
	update := tx.Ent.CrmSync.Update().Where(entsync.ConnectionID(connection)).AddTaken(taken).AddRejected(rejected)
	if taken > 0 {
		update.SetChangedAt(tx.Now)
	}
	return update.Exec(ctx)
}

// against says which of the changes of the record that were kept before are over with this
// one, whether there is a newer one, and whether this one is there again.
func (v *verdict) against(before []*ent.RejectedChange) (over []int64, newer, again bool) {
	for _, row := range before {
		if v.at > 0 && row.ChangedAt > v.at {
			newer = true
			continue
		}
		over, again = append(over, row.ID), again || v.is(row)
	}
	return over, newer, again
}

// keptOf are the rejected changes that are kept of the records of some changes, without
// what they hold.
func keptOf(ctx context.Context, tx *store.Tx, connection int64, done []*verdict) (map[crm.Name][]*ent.RejectedChange, error) {
	ids := map[string][]string{}
	for _, v := range done {
		of := v.name()
		ids[of.ObjectType] = append(ids[of.ObjectType], of.ExternalID)
	}
	kept := map[crm.Name][]*ent.RejectedChange{}
	for objectType, ids := range ids {
		rows, err := tx.Ent.RejectedChange.Query().
			Where(rejectedchange.ConnectionID(connection), rejectedchange.ObjectType(objectType), rejectedchange.ExternalIDIn(ids...)).
			Select(rejectedchange.FieldObjectType, rejectedchange.FieldExternalID, rejectedchange.FieldOperation, rejectedchange.FieldChangedAt).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			of := crm.Name{ObjectType: row.ObjectType, ExternalID: row.ExternalID}
			kept[of] = append(kept[of], row)
		}
	}
	return kept, nil
}

// is reports whether the change is the one that is kept; never without a time.
func (v *verdict) is(row *ent.RejectedChange) bool {
	return v.at > 0 && row.ChangedAt == v.at && row.Operation == string(v.Operation.known())
}

// keep is the row of a change that was rejected.
func (v *verdict) keep(tx *store.Tx, connection int64) *ent.RejectedChangeCreate {
	of := v.name()
	return tx.Ent.RejectedChange.Create().SetConnectionID(connection).SetObjectType(of.ObjectType).SetExternalID(of.ExternalID).
		SetOperation(string(v.Operation.known())).SetBody(v.kept()).SetCode(string(v.problem.Code)).SetField(cut(v.problem.Field, 80)).
		SetProblem(cut(v.problem.Message, mostProblem)).SetChangedAt(v.at).SetCreatedAt(tx.Now)
}

// trim forgets the oldest rejected changes beyond the bound.
func trim(ctx context.Context, tx *store.Tx, connection int64) error {
	last, err := tx.Ent.RejectedChange.Query().Where(rejectedchange.ConnectionID(connection)).Order(ent.Desc(rejectedchange.FieldID)).Offset(mostKept).Limit(1).IDs(ctx)
	if err != nil || len(last) == 0 {
		return err
	}
	_, err = tx.Ent.RejectedChange.Delete().Where(rejectedchange.ConnectionID(connection), rejectedchange.IDLTE(last[0])).Exec(ctx)
	return err
}

// Retried is what became of rejected changes that were tried again.
type Retried struct {
	Connection      *Connection
	Taken, Rejected int
}

// Retry tries up to 200 rejected changes of a connection again, the oldest first. Those
// that are rejected again go behind the others.
func (s *Service) Retry(ctx context.Context, id string) (*Retried, error) {
	c, err := s.admitted(ctx, id)
	if err != nil {
		return nil, err
	}
	ctx = viewer.AsSystem(ctx, "sync")
	rows, err := s.Store.Ent.RejectedChange.Query().Where(rejectedchange.ConnectionID(c.Key), rejectedchange.BodyNEQ("")).
		Order(ent.Asc(rejectedchange.FieldID)).Limit(crm.MostPerCall).All(ctx)
	if err != nil {
		return nil, err
	}
	changes := make([]*verdict, len(rows))
	for i, row := range rows {
		is, problem := read([]byte(row.Body))
		is.at = cmp.Or(is.at, row.ChangedAt) // merges are kept without
		changes[i] = &verdict{change: is, problem: problem}
	}
	if err := s.take(ctx, c, changes); err != nil {
		return nil, err
	}
	err = s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return s.note(ctx, tx, c.Key, changes) })
	if err != nil {
		return nil, err
	}
	r := &Retried{}
	for _, v := range changes {
		if v.problem != nil {
			r.Rejected++
		} else {
			r.Taken++
		}
	}
	r.Connection, err = s.byKey(ctx, c.Key)
	return r, err
}

// plain is a text for people, within the bounds of what is kept.
func plain(text string) string { return channel.Cut(channel.CleanText(text), mostProblem) }
