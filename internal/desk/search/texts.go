package search

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"time"

	"parley/internal/desk/textindex"
)

// How texts are read: from one stretch of time first, then from as many as stayed quick;
// and as many messages as the page still lacks first, then more. None of this
// shows in what is found, or in where a page ends.
const (
	mostStretches = 128
	mostTerms     = 256 // words, channels and stretches multiplied
	mostAtOnce    = 1_024
	quick         = 5 * time.Millisecond
)

// texts finds messages by their text: those of a few conversations read whole, and
// those in the index, merged.
func (r *run) texts(ctx context.Context, at place) (done bool, err error) {
	t := &reading{run: r, at: at, to: at, width: 1}
	if t.threads, err = r.threads(ctx, at); err != nil {
		return false, err
	}
	if r.where.indexed {
		if t.stretches, err = r.index.Stretches(ctx, r.where.channels); err != nil {
			return false, err
		}
	}
	for {
		found, err := t.step(ctx)
		if err != nil {
			return false, err
		}
		for _, f := range found {
			if t.take(f) {
				return false, nil
			}
		}
		if t.to == bottom {
			return true, nil
		}
		t.at = t.to
	}
}

// threads are the messages of the few conversations that match and are older than a
// place, as many as a page can take, the newest first.
func (r *run) threads(ctx context.Context, at place) ([]textindex.Found, error) {
	if len(r.where.few) == 0 || at == bottom {
		return nil, nil
	}
	keys, whole := make([]int64, len(r.where.few)), map[int64]int64{}
	for i, row := range r.where.few {
		keys[i] = row.Key
		for _, e := range r.where.earlier[row.Key] {
			keys, whole[e.Key] = append(keys, e.Key), row.Key
		}
	}
	match := func(text string) bool {
		_, ok := r.words.Match(text)
		return ok
	}
	found, err := textindex.Threads(ctx, r.Store, keys, at.text(), match, r.in.Size+1)
	for i, f := range found {
		found[i].Conversation = cmp.Or(whole[f.Conversation], f.Conversation)
	}
	return found, err
}

// reading is how far texts have been read.
type reading struct {
	*run
	stretches []textindex.Stretch
	threads   []textindex.Found // still to be read
	at, to    place             // what is read in one step
	width     int               // stretches at once

	told, inView int
}

// step reads what is older than t.at down to t.to, which it sets.
func (t *reading) step(ctx context.Context) (found []textindex.Found, err error) {
	t.to = bottom
	if len(t.stretches) > 0 && t.at != bottom {
		if found, err = t.lookup(ctx); err != nil {
			return nil, err
		}
	}
	n := sort.Search(len(t.threads), func(i int) bool { return t.threads[i].Before(t.to.text()) })
	if n > 0 {
		found = append(found, t.threads[:n]...)
		t.threads = t.threads[n:]
		slices.SortFunc(found, textindex.Newest)
	}
	return found, nil
}

// lookup reads one window of stretches, or as much of it as one statement returns.
func (t *reading) lookup(ctx context.Context) ([]textindex.Found, error) {
	i := sort.Search(len(t.stretches)-1, func(i int) bool { return place{at: int64(t.stretches[i].From)}.older(t.at) })
	window := t.stretches[i:min(len(t.stretches), i+t.width)]
	began := time.Now()
	found, more, err := t.index.Texts(ctx, textindex.Lookup{
		Tokens: t.tokens, Channels: t.where.channels, Stretches: window, Before: t.at.text(),
		Seen: t.scope.Seen, View: t.scope.InView, Most: t.most(),
	})
	t.told += len(found)
	for _, f := range found {
		if f.InView {
			t.inView++
		}
	}
	t.width = max(1, t.width/2)
	switch {
	case more:
		last := found[len(found)-1]
		t.to = place{Text, int64(last.Spot), last.Message}
	default:
		if from := window[len(window)-1].From; from > 0 {
			t.to = place{kind: Text, at: int64(from)}
		}
		if time.Since(began) < quick {
			t.width = min(4*t.width, mostStretches, max(1, mostTerms/(len(t.tokens)*max(1, len(t.where.channels)))))
		}
	}
	return found, err
}

// most is how many messages to ask for: what the page lacks, and more the fewer
// of them were in the view so far.
func (t *reading) most() int {
	lacks := t.in.Size + 1 - len(t.out.Nodes)
	if t.told > 0 {
		lacks = lacks * (t.told + 1) / (t.inView + 1)
	}
	return min(max(lacks, 10), mostAtOnce, t.left())
}

// take takes a message in if it matches. It reports whether it is the last.
func (t *reading) take(f textindex.Found) (last bool) {
	at := place{Text, int64(f.Spot), f.Message}
	if f.InView {
		if where, ok := t.words.Match(f.Text); ok {
			t.add(&Hit{Kind: Text, Conversation: f.Conversation, Message: f.Message, Highlights: where, at: at})
		}
	}
	return t.visit(at)
}
