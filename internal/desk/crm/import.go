package crm

import (
	"context"
	"slices"

	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// Import is what an export of conversations says of a record. What it leaves blank stays
// as it is.
type Import struct {
	Name
	Title, Mobile string
	OptedOut      *bool
	At            clock.Time // of the record's last change in the CRM
}

// Import changes records that are there, in the caller's write, as Upsert changes them:
// their conversations, references and suggestions follow, and so do linking rules and actions. A deleted record is there again.
// Records that changed after the export are left alone.
func (s *Service) Import(ctx context.Context, tx *store.Tx, records []Import) error {
	if len(records) == 0 {
		return nil
	}
	if err := lock(ctx, tx); err != nil {
		return err
	}
	for some := range slices.Chunk(records, MostPerCall) {
		if err := s.importSome(ctx, tx, some); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) importSome(ctx context.Context, tx *store.Tx, records []Import) error {
	names := make([]name, len(records))
	for i := range records {
		names[i] = records[i].Name
	}
	known, err := readNamed(ctx, tx, names)
	if err != nil {
		return err
	}
	var changed, plain []*writing
	for i := range records {
		was := known[records[i].Name]
		if was == nil || was.at > records[i].At {
			continue
		}
		w := &writing{name: was.name, def: s.Definitions.ObjectType(was.ObjectType), before: was, again: was.unindexed}
		if w.imports(&records[i]); w.def == nil || was.mergedInto != 0 {
			plain = append(plain, w)
			continue
		}
		changed = append(changed, w)
	}
	if err := s.savePlain(ctx, tx, plain); err != nil {
		return err
	}
	if err := s.save(ctx, tx, changed, known); err != nil {
		return err
	}
	return s.tell(ctx, tx, changed)
}

// imports makes of the record what an export says of it.
func (w *writing) imports(in *Import) {
	was := w.before
	after := *was
	after.at, after.stub, after.deletedAt, after.unindexed = in.At, false, 0, false
	w.after = &after
	if in.Title != "" {
		after.title = in.Title
	}
	if in.Mobile != "" {
		after.mobile = in.Mobile
	}
	if in.OptedOut != nil {
		after.optedOut = *in.OptedOut
	}
	if w.def == nil {
		return
	}
	says := bodyOf(&w.def.Definition, "", in.Title, in.Mobile, after.optedOut)
	if field := w.def.Messaging.OptedOut; field != "" && in.OptedOut != nil && !*in.OptedOut {
		says[field] = object.Value{}
	}
	w.fill(&after, &after, w.holds(was).with(says))
	if len(after.body) > mostBody { // the record's own fields go before
		after.body = was.body
	}
	w.noted = sameBut(&after, was)
}

// savePlain writes records that nothing is derived from: those of types that are not
// defined, and those that others took the place of.
func (s *Service) savePlain(ctx context.Context, tx *store.Tx, plain []*writing) error {
	var rows []*stored
	var followed []int64
	for _, w := range plain {
		if rows = append(rows, w.after); w.follows() {
			followed = append(followed, w.after.key)
		}
	}
	if err := save(ctx, tx, rows); err != nil || len(followed) == 0 {
		return err
	}
	return s.Conversations.FollowRecords(ctx, tx, followed)
}
