package conversation

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/feed"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
)

// A conversation that is merged into another stays where it is, with its messages. It
// is in no list because it is stored with a time below 0, where no list looks: every
// index that lists are read by ends in that time, so that keeping merged conversations
// out is where its range begins, and costs no page anything.

// listedAt is where lists find the conversation.
var listedAt = table.Value[Row]{
	Read: func(r *Row, s *store.Row, i int) {
		at := s.Int(i)
		if at < 0 {
			at = ^at
		}
		r.LastMessageAt = clock.Time(at)
	},
	Write: func(r *Row) any { return r.listedAt() },
	Same:  func(a, b *Row) bool { return a.listedAt() == b.listedAt() },
}

func (r *Row) listedAt() int64 {
	if r.MergedInto != 0 {
		return ^int64(r.LastMessageAt)
	}
	return int64(r.LastMessageAt)
}

// listed is the SQL condition that keeps to conversations, or to participants, in
// lists.
func listed(col columnOf) *entsql.Predicate {
	return entsql.P(func(b *entsql.Builder) { b.Ident(col("last_message_at")).WriteString(" >= 0") })
}

// listed is the condition for conversations, unless the conditions asked imply it: an
// index is read from a time on only if nothing else says where to begin.
func (a *asked) listed(col columnOf) *entsql.Predicate {
	if since, ok := a[sinceTime].(int64); ok && since >= 0 {
		return nil
	}
	return listed(col)
}

// OwnState is what a conversation that others are merged into is by itself.
type OwnState string

// The states.
const (
	ownRead   OwnState = "READ"
	ownUnread OwnState = "UNREAD"
	// seen says that it was read since: what is unread follows from what is new.
	seen OwnState = "SEEN"
)

// Ordinal is how many inbound messages it has by itself.
func (r *Row) Ordinal() int64 { return r.InboundCount - r.EarlierInbound }

func (r *Row) fresh() int64 { return r.InboundCount - r.ReadCount }

// Thread is a conversation with those that are merged into it, its earlier stretches in
// the order of their keys.
type Thread struct {
	Row     *Row
	Earlier []*Row
}

// fresh is what was new in the earlier stretches at the last merge.
func (t Thread) fresh() (n int64) {
	for _, e := range t.Earlier {
		n += e.fresh()
	}
	return n
}

// part makes every conversation of the thread what it is by itself. The whole was read
// from its beginning on, so what was read since they were joined is of the earliest.
func (t Thread) part() {
	r := t.Row
	if len(t.Earlier) == 0 {
		return
	}
	own := max(r.ReadCount, r.OwnRead)
	read, unread := t.fresh()-(own-r.ReadCount), false
	t.partQuestion()
	for _, e := range t.Earlier {
		n := min(max(read, 0), e.fresh())
		read -= n
		if e.ReadCount += n; r.OwnState == seen {
			e.IsUnread = e.fresh() > 0
		}
		unread = unread || e.IsUnread
	}
	r.IsUnread = r.IsUnread && (own < r.InboundCount || r.OwnState == ownUnread || !unread)
	r.InboundCount, r.ReadCount = r.Ordinal(), own-r.EarlierInbound
	r.EarlierMessages, r.EarlierInbound, r.OwnRead, r.OwnState = 0, 0, 0, ""
}

// partQuestion gives the open question back to the conversation that it was asked in. What
// was answered since they were joined, or had a later question behind it, stays closed.
func (t Thread) partQuestion() {
	asked := t.Row.AskedID
	for _, e := range t.Earlier {
		if e.AskedID != asked {
			e.AskedID = 0
		} else if asked != 0 {
			t.Row.AskedID = 0
		}
	}
}

// join makes the conversation the whole of its thread.
func (t Thread) join() {
	r := t.Row
	if len(t.Earlier) == 0 {
		return
	}
	slices.SortFunc(t.Earlier, func(a, b *Row) int { return cmp.Compare(a.Key, b.Key) })
	if r.OwnState = ownRead; r.IsUnread {
		r.OwnState = ownUnread
	}
	for _, e := range t.Earlier {
		e.MergedInto, e.due = r.Key, 0
		r.AskedID = max(r.AskedID, e.AskedID) // the last question is the open one
		r.IsUnread = r.IsUnread || e.IsUnread
		r.EarlierMessages += e.OwnMessages()
		r.EarlierInbound += e.InboundCount
	}
	r.InboundCount += r.EarlierInbound
	r.OwnRead = r.ReadCount + r.EarlierInbound
	r.ReadCount = r.OwnRead - t.fresh()
}

// reach is how far reading up to one of its messages reads the whole: the message of a
// conversation of the thread that had so many inbound ones up to it.
func (t Thread) reach(conversation, ordinal int64) int64 {
	r := t.Row
	if conversation == r.Key {
		return max(r.EarlierInbound+ordinal, r.OwnRead)
	}
	upTo := r.OwnRead - t.fresh()
	for _, e := range t.Earlier {
		if e.Key == conversation {
			return upTo + max(0, ordinal-e.ReadCount)
		}
		upTo += e.fresh()
	}
	return upTo
}

// holds reports whether a conversation is of the thread.
func (t Thread) holds(conversation int64) bool {
	return conversation == t.Row.Key || slices.ContainsFunc(t.Earlier, func(e *Row) bool { return e.Key == conversation })
}

// loadEarlier reads what is merged into a conversation that this write has locked.
var loadEarlier = store.Locking("SELECT "+strings.Join(columns, ", ")+" FROM conversations WHERE merged_into = ? ORDER BY id", "conversations")

func (d *Service) thread(ctx context.Context, tx *store.Tx, row *Row) (Thread, error) {
	t := Thread{Row: row}
	if row.OwnState == "" {
		return t, nil
	}
	err := tx.Query(ctx, loadEarlier.With(row.Key), func(rows *sql.Rows) error {
		e, err := d.scan(rows)
		t.Earlier = append(t.Earlier, e)
		return err
	})
	return t, err
}

// earlier are the columns that matter of a conversation that is read as a part of another.
var earlier = conversations.Only("id", "last_message_at", "name", "address", "topic", "first_seq", "last_seq", "merged_into")

// Earlier reads the conversations that are merged into some that the viewer has seen, in
// the order of their keys: in one statement if there are any.
func (d *Service) Earlier(ctx context.Context, of []*Row) (map[int64][]*Row, error) {
	var keys []any
	for _, r := range of {
		if r.EarlierMessages > 0 {
			keys = append(keys, r.Key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	q := d.Store.Builder().Select(conversations.Names(earlier)...).From(entsql.Table("conversations")).
		Where(entsql.In("merged_into", keys...)).OrderBy("id")
	out := make(map[int64][]*Row, len(keys))
	err := d.Store.Each(ctx, inHand, q, func(s *store.Row) error {
		r := &Row{service: d}
		conversations.Read(r, s, 0, earlier)
		out[r.MergedInto] = append(out[r.MergedInto], r)
		return nil
	})
	return out, err
}

// inHand reads what is merged into conversations that the viewer has seen.
const inHand = store.System("parts of conversations in hand")

// LoadThread reads and locks a conversation, or the one that it was merged into, with
// all that are merged into it. It asks for no rights.
func (d *Service) LoadThread(ctx context.Context, tx *store.Tx, key int64) (Thread, error) {
	row, err := d.current(ctx, tx, key)
	if err != nil || row == nil {
		return Thread{}, cmp.Or(err, error(fault.Missing("conversation")))
	}
	return d.thread(ctx, tx, row)
}

// Merge makes one thread an earlier part of another. The loser's conversation leaves
// every list and count. Each of the two has one event.
func (d *Service) Merge(ctx context.Context, tx *store.Tx, winner, loser Thread, idempotencyKey string) error {
	return d.regroup(ctx, tx, winner, loser, feed.ConversationMerged, idempotencyKey, func() {
		winner.part()
		loser.part()
		winner.Earlier = append(append(winner.Earlier, loser.Row), loser.Earlier...)
		winner.join()
	})
}

// Unmerge takes conversations out of a thread again: part.Row, with part.Earlier merged
// into it.
func (d *Service) Unmerge(ctx context.Context, tx *store.Tx, whole, part Thread) error {
	rest := Thread{Row: whole.Row, Earlier: slices.DeleteFunc(slices.Clone(whole.Earlier), func(r *Row) bool {
		return r == part.Row || slices.Contains(part.Earlier, r)
	})}
	return d.regroup(ctx, tx, whole, part, feed.ConversationUnmerged, "", func() {
		whole.part()
		part.Row.MergedInto, part.Row.due = 0, part.Row.dueAt(tx.Now)
		part.join()
		rest.join()
	})
}

// regroup changes two threads, saves what changed and records an event of each.
func (d *Service) regroup(ctx context.Context, tx *store.Tx, a, b Thread, cause feed.Cause, idempotencyKey string, change func()) error {
	rows := append([]*Row{a.Row, b.Row}, a.Earlier...)
	rows = append(rows, b.Earlier...)
	var edits []edit
	for _, r := range rows {
		before := *r
		if !slices.ContainsFunc(edits, func(e edit) bool { return e.after == r }) {
			edits = append(edits, edit{&before, r})
		}
	}
	change()
	for _, e := range edits {
		if err := save(ctx, tx, e.before, e.after); err != nil {
			return err
		}
	}
	for i, other := range []int64{b.Row.Key, a.Row.Key} {
		event := feed.Event{Cause: cause, With: other, IdempotencyKey: idempotencyKey}
		if err := tell(ctx, tx, edits[i].before, edits[i].after, &event); err != nil {
			return err
		}
	}
	return nil
}
