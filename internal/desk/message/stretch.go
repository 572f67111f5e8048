package message

import (
	"context"

	"parley/internal/desk/conversation"
	"parley/internal/ground/cursor"
)

// A thread is read as a row of stretches: those of the conversations that are merged
// into it, in the order of their keys, and then its own. In each, numbers are dense.

// stretch is the numbers of one conversation.
type stretch struct{ conversation, first, last int64 }

func (s stretch) size() int64 { return s.last - s.first + 1 }

// thread is a conversation's stretches, its own last.
type thread []stretch

func (t thread) total() (n int64) {
	for _, s := range t {
		n += s.size()
	}
	return n
}

// spot is a message's place in its thread: its number, and the conversation that it is
// of when that is merged into the one whose thread is read.
type spot struct{ earlier, seq int64 }

// Cursor returns the message's place in its thread.
func (r *Row) Cursor() string {
	if r.earlier {
		return r.service.Cursors.Seal(cursor.Messages, r.Seq, r.ConversationID)
	}
	return r.service.Cursors.Seal(cursor.Messages, r.Seq)
}

// place reads the window's cursor.
func (m Reader) place(w Window) (at spot, err error) {
	if w.Cursor == "" || m.Cursors.Open(cursor.Messages, w.Cursor, &at.seq, &at.earlier) {
		return at, nil
	}
	return at, w.Place(m.Cursors.Sealer, cursor.Messages, "messages", &at.seq)
}

// index returns how many messages of the thread there are up to a place. In a conversation
// that is no longer merged into it, a page goes on where its own messages begin.
func (t thread) index(at spot, backward bool) int64 {
	var before int64
	own := t[len(t)-1]
	for _, s := range t[:len(t)-1] {
		if s.conversation == at.earlier {
			return before + at.seq - s.first + 1
		}
		before += s.size()
	}
	switch {
	case at.earlier == 0 || at.earlier == own.conversation:
		return before + at.seq - own.first + 1
	case backward:
		return before + 1
	}
	return before
}

// wanted is what a statement reads: ranges of numbers of conversations, each of which
// is there once.
type wanted struct {
	ranges [][3]int64
	pages  map[int64]*Page
}

func newWanted(n int) *wanted { return &wanted{make([][3]int64, 0, n), make(map[int64]*Page, n)} }

// want adds the messages from one index to another, the first being 1.
func (t thread) want(from, to int64, p *Page, earlier, own *wanted) {
	var before int64
	for i, s := range t {
		into := earlier
		if i == len(t)-1 {
			into = own
		}
		first, last := max(s.first, s.first+from-before-1), min(s.last, s.first+to-before-1)
		if before += s.size(); first <= last {
			into.ranges = append(into.ranges, [3]int64{s.conversation, first, last})
			into.pages[s.conversation] = p
		}
	}
}

// threads are the stretches of conversations, read in one statement if others are
// merged into any.
func (m Reader) threads(ctx context.Context, of []*conversation.Row) ([]thread, error) {
	earlier, err := m.Conversations.Earlier(ctx, of)
	if err != nil {
		return nil, err
	}
	out := make([]thread, len(of))
	for i, c := range of {
		for _, r := range append(earlier[c.Key], c) {
			out[i] = append(out[i], stretch{r.Key, r.FirstSeq, r.LastSeq})
		}
	}
	return out, nil
}
