package quicktext

import (
	"context"
	"unicode/utf8"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/ent/quicktext"
	"parley/internal/channel"
	"parley/internal/desk/feed"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Bounds: characters of a field, and how many there may be.
const (
	mostTitle  = 200
	mostText   = 10_000
	mostFolder = 200
	mostMine   = 1_000 // of an agent
	mostShared = 5_000 // of the organisation
)

// CreateInput is a new quick text.
type CreateInput struct {
	Title          string
	Text           string
	Folder         *string
	Scope          rule.Scope
	QueueID        *string
	IdempotencyKey string
}

// UpdateInput is what changes of a quick text; a nil field stays as it is.
type UpdateInput struct {
	ID         string
	Title      *string
	Text       *string
	Folder     *string
	IsArchived *bool
}

// Create makes a quick text for the viewer of ctx, once for an idempotency key.
func (s *Service) Create(ctx context.Context, in CreateInput) (made *QuickText, err error) {
	if err := idempotency.CheckKey(in.IdempotencyKey); err != nil {
		return nil, err
	}
	words := content{title: &in.Title, text: &in.Text, folder: in.Folder}
	if err := words.clean(); err != nil {
		return nil, err
	}
	v := viewer.FromContext(ctx)
	shelf, err := s.shelf(v, in)
	if err != nil {
		return nil, err
	}
	var key int64
	err = s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		key, _, err = idempotency.Do(ctx, tx, "createQuickText", in.IdempotencyKey, in, func() (int64, error) {
			if err := room(ctx, tx, shelf); err != nil {
				return 0, err
			}
			create := tx.Ent.QuickText.Create().SetScope(string(shelf.Scope)).SetCreatorID(shelf.Creator).
				SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
			if shelf.Queue != 0 {
				create.SetQueueID(shelf.Queue)
			}
			words.set(create.Mutation())
			row, err := create.Save(ctx)
			if err != nil {
				return 0, err
			}
			return row.ID, feed.Record(tx, changed(v, in.IdempotencyKey, nil, s.of(row)))
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.reread(ctx, key)
}

// shelf is where a new quick text goes, if v may put it there.
func (s *Service) shelf(v *viewer.Viewer, in CreateInput) (rule.Shelf, error) {
	shelf := rule.Shelf{Scope: in.Scope, Creator: v.AgentID}
	if (in.QueueID != nil) != (in.Scope == rule.OfQueue) {
		return shelf, fault.Input("input.queueId", "Give queueId with the scope QUEUE, and only then.")
	}
	if in.QueueID != nil {
		key, ok := s.IDs.Decode(publicid.Queue, *in.QueueID)
		if !ok || s.Directory.Queue(key) == nil {
			return shelf, fault.At("input.queueId", fault.Missing("queue"))
		}
		shelf.Queue = key
	}
	if !shelf.Edits(v) {
		return shelf, fault.New(fault.Forbidden, "%s", map[rule.Scope]string{
			rule.OfQueue:  "Only members of a queue create its quick texts. Ask an administrator to add you to the queue.",
			rule.Everyone: "Quick texts for everybody are created by holders of CONFIGURE_MESSAGING. Ask an administrator, or create one of your own.",
		}[shelf.Scope])
	}
	return shelf, nil
}

// room refuses one more than there may be.
func room(ctx context.Context, tx *store.Tx, shelf rule.Shelf) error {
	most, of, whose := mostMine, quicktext.And(quicktext.Scope(string(rule.Mine)), quicktext.CreatorID(shelf.Creator)), "You have"
	if shelf.Scope != rule.Mine {
		most, of, whose = mostShared, quicktext.ScopeIn(string(rule.OfQueue), string(rule.Everyone)), "The organisation shares"
	}
	n, err := tx.Ent.QuickText.Query().Where(of).Count(viewer.AsSystem(ctx, "quick texts"))
	if err == nil && n >= most {
		err = fault.New(fault.LimitExceeded, "%s %d quick texts, which is the limit. Nothing can be deleted: reuse an archived one.", whose, n)
	}
	return err
}

// Update changes a quick text that the viewer of ctx may edit. Nothing happens when
// nothing changes.
func (s *Service) Update(ctx context.Context, in UpdateInput) (*QuickText, error) {
	words := content{title: in.Title, text: in.Text, folder: in.Folder}
	if err := words.clean(); err != nil {
		return nil, err
	}
	key, _ := s.IDs.Decode(publicid.QuickText, in.ID)
	v := viewer.FromContext(ctx)
	err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		before, err := s.held(ctx, tx, key)
		if err != nil {
			return err
		}
		if !before.Shelf.Edits(v) {
			return fault.New(fault.Forbidden, "You may use this quick text but not change it. Ask its creator or an administrator.")
		}
		if !words.change(before) && (in.IsArchived == nil || *in.IsArchived == before.IsArchived) {
			return nil
		}
		update := tx.Ent.QuickText.UpdateOneID(key).SetNillableArchived(in.IsArchived).SetUpdatedAt(tx.Now)
		words.set(update.Mutation())
		row, err := update.Save(ctx)
		if err != nil {
			return err
		}
		return feed.Record(tx, changed(v, "", before, s.of(row)))
	})
	if err != nil {
		return nil, err
	}
	return s.reread(ctx, key)
}

// Use counts a use of a quick text that the viewer of ctx sees.
func (s *Service) Use(ctx context.Context, id string) (*QuickText, error) {
	key, _ := s.IDs.Decode(publicid.QuickText, id)
	err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := s.held(ctx, tx, key); err != nil {
			return err
		}
		return tx.Ent.QuickText.UpdateOneID(key).AddUseCount(1).Exec(viewer.AsSystem(ctx, "quick texts"))
	})
	if err != nil {
		return nil, err
	}
	return s.reread(ctx, key)
}

// Requeue gives the quick texts of a queue to another, archived ones too.
func (s *Service) Requeue(ctx context.Context, tx *store.Tx, from, to int64) error {
	rows, err := tx.Ent.QuickText.Query().Where(quicktext.QueueID(from)).Order(quicktext.ByID()).All(viewer.AsSystem(ctx, "quick texts"))
	if err != nil || len(rows) == 0 {
		return err
	}
	_, err = tx.Exec(ctx, tx.Builder().Update("quick_texts").Set("queue_id", to).Where(entsql.EQ("queue_id", from)))
	for _, row := range rows {
		if err != nil {
			return err
		}
		before, after := s.of(row), s.of(row)
		after.Shelf.Queue = to
		err = feed.Record(tx, changed(viewer.FromContext(ctx), "", before, after))
	}
	return err
}

// held reads a quick text that the viewer sees inside a write.
func (s *Service) held(ctx context.Context, tx *store.Tx, key int64) (*QuickText, error) {
	row, err := tx.Ent.QuickText.Get(ctx, key)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("quick text")
	}
	if err != nil {
		return nil, err
	}
	return s.of(row), nil
}

func (s *Service) reread(ctx context.Context, key int64) (*QuickText, error) {
	found, err := s.ByKey(ctx, []int64{key})
	if err == nil && found[key] == nil { // a repeat, after the agent left the queue
		err = fault.Missing("quick text")
	}
	return found[key], err
}

// content is the words of a quick text; nil for those that stay.
type content struct{ title, text, folder *string }

// wording is one of the fields of a content.
type wording struct {
	field    string // of the input
	words    **string
	most     int // characters
	required bool
	set      func(*ent.QuickTextMutation, string)
}

func (c *content) fields() []wording {
	return []wording{
		{"input.title", &c.title, mostTitle, true, (*ent.QuickTextMutation).SetTitle},
		{"input.text", &c.text, mostText, true, (*ent.QuickTextMutation).SetText},
		{"input.folder", &c.folder, mostFolder, false, (*ent.QuickTextMutation).SetFolder},
	}
}

// clean makes the words fit for storage, or returns what is wrong with them.
func (c *content) clean() error {
	for _, f := range c.fields() {
		if *f.words == nil {
			continue
		}
		clean := channel.CleanText(**f.words)
		if f.required && channel.IsBlank(clean) {
			return fault.Input(f.field, "Enter at least one visible character.")
		}
		if err := bounded(f.field, clean, f.most); err != nil {
			return err
		}
		*f.words = &clean
	}
	return nil
}

func bounded(field, words string, most int) error {
	if n := utf8.RuneCountInString(words); n > most {
		return fault.Input(field, "Use at most %d characters, not %d.", most, n)
	}
	return nil
}

// change reports whether the words differ from those of q.
func (c *content) change(q *QuickText) bool {
	was := content{&q.Title, &q.Text, &q.Folder}
	is := was.fields()
	for i, f := range c.fields() {
		if *f.words != nil && **f.words != **is[i].words {
			return true
		}
	}
	return false
}

func (c *content) set(m *ent.QuickTextMutation) {
	for _, f := range c.fields() {
		if *f.words != nil {
			f.set(m, **f.words)
		}
	}
}
