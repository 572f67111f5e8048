package crm

import (
	"context"

	"parley/internal/desk/journal"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Confirm gives a record that was made here the id that it has in the CRM, within a write
// that took Lock; its own id goes on to it. If the CRM's record has come already, that one
// has the place of both from then on. A record that was confirmed before stays as it is.
func (s *Service) Confirm(ctx context.Context, tx *store.Tx, own Name, externalID string) error {
	theirs := Name{ObjectType: own.ObjectType, ExternalID: externalID}
	known, err := readNamed(ctx, tx, []name{own, theirs})
	if err != nil {
		return err
	}
	mine, there := known[own], known[theirs]
	switch {
	case mine == nil || mine.mergedInto != 0:
		return nil
	case there == nil:
		return rename(ctx, tx, mine, theirs)
	case there.stub && there.mergedInto == 0:
		return s.replace(ctx, tx, mine, there)
	}
	todo := []*merging{{loser: own, winner: theirs, result: &Result{}}}
	if err := s.merge(ctx, tx, todo); err != nil {
		return err
	}
	return note(ctx, tx, viewer.FromContext(ctx), journal.Merged, merged(todo))
}

// rename gives a record a name that nothing has, and leaves its own to one that is merged
// into it.
func rename(ctx context.Context, tx *store.Tx, r *stored, to name) error {
	if err := call(ctx, tx, r, to.ExternalID); err != nil {
		return err
	}
	left := &stored{name: r.name, at: r.at, mergedInto: r.key}
	if err := reserve(ctx, tx, []*stored{left}); err != nil {
		return err
	}
	return save(ctx, tx, []*stored{left})
}

// replace has a record take the name of one that others reference and that has not come. They
// exchange names, and what references the other goes on to the record.
func (s *Service) replace(ctx context.Context, tx *store.Tx, r, stub *stored) error {
	for _, step := range []struct {
		of *stored
		id string
	}{{stub, r.ExternalID + "~"}, {r, stub.ExternalID}, {stub, r.ExternalID}} { // no two have one name meanwhile
		if err := call(ctx, tx, step.of, step.id); err != nil {
			return err
		}
	}
	r.name, stub.name = stub.name, r.name
	stub.mergedInto = r.key
	if err := save(ctx, tx, []*stored{stub}); err != nil {
		return err
	}
	return s.leave(ctx, tx, &places{keyed: map[int64]*stored{r.key: r, stub.key: stub}}, []*stored{stub})
}

// call gives a record another external id.
func call(ctx context.Context, tx *store.Tx, r *stored, externalID string) error {
	_, err := tx.Exec(ctx, callRecord.With(externalID, r.key))
	return err
}

var callRecord = store.Fixed("UPDATE records SET external_id = ? WHERE id = ?")

// Settle takes what the CRM has of a record that something was written to, within a write
// that took Lock. Where the record still has the version that an edit made here, what the CRM
// has counts, however old.
func (s *Service) Settle(ctx context.Context, tx *store.Tx, in *RecordInput, edit clock.Time) error {
	w, problem := s.prepare(object.Everything, "record", in)
	if problem != nil {
		return problem
	}
	w.result = &Result{}
	known, err := readNamed(ctx, tx, []name{w.name})
	if err != nil {
		return err
	}
	was := known[w.name]
	if was != nil && was.at == edit && was.deletedAt == 0 {
		was.at = min(was.at, w.at) - 1
	}
	w.decide(was, tx.Now)
	switch {
	case w.result.Error != nil:
		return w.result.Error
	case w.after == nil:
		return nil
	}
	ctx = viewer.AsSystem(ctx, "records")
	if err := s.save(ctx, tx, []*writing{w}, known); err != nil {
		return err
	}
	return s.tell(ctx, tx, []*writing{w})
}
