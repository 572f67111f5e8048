package crm

import (
	"context"
	"fmt"

	"parley/internal/desk/journal"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// DeletionInput is a record that the CRM holds no more.
type DeletionInput struct {
	ObjectType string
	ExternalID string
	// DeletedAt is when it was deleted in the CRM: a deletion that is older than the last
	// change taken is left out. Now, for nil.
	DeletedAt *clock.Time
	// Unseen takes a record that never came: an older change of it is left out then.
	Unseen bool
}

// Delete takes out records. Their conversations stay, anchored to nothing; a change that is
// newer than the deletion brings a record back, empty but for what it names.
func (s *Service) Delete(ctx context.Context, records []*DeletionInput) ([]*Result, error) {
	if n := len(records); n == 0 || n > MostPerCall {
		return nil, fault.Input("input.records", "Pass 1 to %d records, not %d.", MostPerCall, n)
	}
	rights := s.Definitions.RecordRights(viewer.FromContext(ctx))
	results, todo := make([]*Result, len(records)), make([]*writing, 0, len(records))
	seen := map[name]bool{}
	for i, in := range records {
		results[i] = &Result{ObjectType: in.ObjectType, ExternalID: in.ExternalID}
		at := fmt.Sprintf("input.records.%d", i)
		w, err := s.prepare(rights, at, &RecordInput{ObjectType: in.ObjectType, ExternalID: in.ExternalID, ModifiedAt: in.DeletedAt})
		if err == nil {
			err = once(seen, w.name, at)
		}
		if err != nil {
			results[i].Error = err
			continue
		}
		w.result, w.unseen = results[i], in.Unseen
		todo = append(todo, w)
	}
	if len(todo) == 0 {
		return results, nil
	}
	by := viewer.FromContext(ctx)
	return results, s.Store.Write(viewer.AsSystem(ctx, "records"), func(ctx context.Context, tx *store.Tx) error {
		if err := s.delete(ctx, tx, todo); err != nil {
			return err
		}
		var gone []string
		for _, w := range todo {
			if o := w.result.Outcome; o != nil && *o == Deleted {
				gone = append(gone, called(w.name))
			}
		}
		return note(ctx, tx, by, journal.Deleted, gone)
	})
}

func (s *Service) delete(ctx context.Context, tx *store.Tx, todo []*writing) error {
	if err := lock(ctx, tx); err != nil {
		return err
	}
	names := make([]name, len(todo))
	for i, w := range todo {
		names[i] = w.name
	}
	known, err := readNamed(ctx, tx, names)
	if err != nil {
		return err
	}
	var gone, fresh []*stored
	var keys []int64
	for _, w := range todo {
		if w.remove(known[w.name], tx.Now); w.after == nil {
			continue
		}
		if w.after.key == 0 {
			fresh = append(fresh, w.after)
			continue
		}
		if gone = append(gone, w.after); !w.noted {
			keys = append(keys, w.after.key)
		}
	}
	if err := reserve(ctx, tx, fresh); err != nil {
		return err
	}
	if err := save(ctx, tx, append(gone, fresh...)); err != nil || len(keys) == 0 {
		return err
	}
	l := &links{moved: keys}
	if l.before, err = clear(ctx, tx, keys, references(todo)); err != nil {
		return err
	}
	if err := l.record(ctx, tx); err != nil {
		return err
	}
	return s.Conversations.FollowRecords(ctx, tx, keys)
}

// remove says what becomes of a record that the CRM has deleted.
func (w *writing) remove(was *stored, now clock.Time) {
	outcome := Deleted
	w.result.Outcome, w.result.Error, w.after = &outcome, nil, nil
	at := w.at
	if at == 0 {
		at = now
	}
	switch {
	case was != nil && was.mergedInto != 0:
		outcome = Merged
	case was == nil && w.unseen:
		w.after = &stored{name: w.name, at: at, deletedAt: at}
	case was == nil || was.stub && !w.unseen:
		w.result.Outcome, w.result.Error = nil, fault.Missing("record")
	case was.deletedAt > 0:
		outcome = Unchanged
		if at > was.deletedAt {
			after := *was
			after.at, after.deletedAt = at, at
			w.after, w.noted = &after, true
		}
	case at < was.at:
		outcome = Older
	default:
		w.after = &stored{key: was.key, name: was.name, optedOut: was.optedOut, at: at, deletedAt: at}
	}
}
