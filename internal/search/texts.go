package search

import (
	"context"
	"sort"
	"time"

	"parley/internal/clock"
	"parley/internal/conversation"
	"parley/internal/search/index"
)

// How texts are read: from one bucket first, then from as many as stayed quick;
// and as many messages as the page still lacks first, then more.
const (
	mostBuckets = 128
	mostTerms   = 256 // words times buckets in a statement
	mostAtOnce  = 1_024
	quick       = 5 * time.Millisecond
)

// A viewer who turned out to see little of what was found, and who has this few
// conversations with this few messages, is served from those alone.
const (
	fewThreads   = 200
	fewMessages  = 10_000
	littleOfWhat = 10 // less than one in so many
)

// texts finds messages by their text.
func (r *run) texts(ctx context.Context, at place) (done bool, err error) {
	buckets, err := r.index.Buckets(ctx)
	if err != nil {
		return false, err
	}
	t := &reading{run: r, at: at, width: 1}
	for {
		i := sort.Search(len(buckets)-1, func(i int) bool {
			return place{at: int64(buckets[i].From)}.older(t.at)
		})
		window := buckets[i:min(len(buckets), i+t.width)]
		more, err := t.step(ctx, window)
		if err != nil || r.full() {
			return false, err
		}
		if !more {
			end := window[len(window)-1]
			if end.From == 0 {
				return true, nil
			}
			t.at = place{kind: Text, at: int64(end.From)}
			r.reach(t.at)
		}
		if r.spent() {
			return false, nil
		}
		if t.seldom() {
			if served, err := t.fromFew(ctx); err != nil || served {
				return !r.full(), err
			}
		}
	}
}

// reading is how far texts have been read.
type reading struct {
	*run
	at         place
	width      int // buckets at once
	told, seen int
	refused    bool // the viewer has too many conversations to be served from them
}

// step reads one window of buckets, or as much of it as one statement tells. It
// reports whether there is more in it.
func (t *reading) step(ctx context.Context, window []index.Bucket) (more bool, err error) {
	began := time.Now()
	found, more, err := t.index.Texts(ctx, index.Lookup{
		Tokens: t.tokens, Buckets: window, Before: t.at.text(), Seen: t.scope.Holds("c"), Most: t.most(),
	})
	if err != nil {
		return false, err
	}
	t.out.Visited += len(found)
	t.told += len(found)
	for _, f := range found {
		if f.Seen {
			t.seen++
		}
		if t.take(f); t.full() {
			return more, nil
		}
		t.at = place{Text, int64(f.Spot), f.Message}
	}
	t.reach(t.at)
	t.width = max(1, t.width/2)
	if !more && time.Since(began) < quick {
		t.width = min(4*t.width, mostBuckets, max(1, mostTerms/len(t.tokens)))
	}
	return more, nil
}

// most is how many messages to ask for: what the page lacks, and more the fewer
// of them the viewer saw so far.
func (t *reading) most() int {
	lacks := t.in.Size + 1 - len(t.out.Hits)
	if t.told > 0 {
		lacks = lacks * (t.told + 1) / (t.seen + 1)
	}
	return min(max(lacks, 10), mostAtOnce)
}

// take takes a message in if it is seen and matches.
func (r *run) take(f index.Found) {
	if !f.Seen {
		return
	}
	if where, ok := r.words.Match(f.Text); ok {
		r.add(&Hit{Kind: Text, Conversation: f.Conversation, Message: f.Message, Highlights: where, at: place{Text, int64(f.Spot), f.Message}})
	}
}

// seldom reports whether it is time to ask if the viewer sees few conversations.
func (t *reading) seldom() bool {
	return !t.refused && t.told >= t.ways.tried && t.seen*littleOfWhat < t.told
}

// fromFew finishes the search in the viewer's conversations alone, when these are
// few. It reports whether it did.
func (t *reading) fromFew(ctx context.Context) (served bool, err error) {
	page, err := t.Desk.Desk.List(ctx, *t.in.View, nil, nil, conversation.Window{Size: fewThreads})
	if err != nil {
		return false, err
	}
	keys, messages := make([]int64, len(page.Rows)), int64(0)
	for i, row := range page.Rows {
		keys[i] = row.Key
		messages += row.LastSeq
	}
	t.out.Visited += len(page.Rows)
	if page.HasNextPage || messages > fewMessages {
		t.refused = true
		return false, nil
	}
	found, err := t.index.Threads(ctx, keys, t.at.text())
	t.out.Visited += int(messages)
	for _, f := range found {
		if t.take(f); t.full() {
			break
		}
	}
	return err == nil, err
}

func timeOf(p place) clock.Time { return clock.Time(p.at) }
