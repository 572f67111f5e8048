// Package index keeps what search looks things up in: full-text tables of FTS5 on
// SQLite, a GIN index on PostgreSQL, both fed with the words of package word and
// written in the transaction of what they tell of.
//
// A message stands at a spot: its time to the millisecond, and below that the
// end of its key. Messages are kept in buckets, each a stretch of time with about
// BucketSize of them, and every word carries the number of its bucket before it.
// So one bucket is read at a time, the newest first, and a word that is in every
// second message costs what a rare one does.
//
// There are two sets of tables, generation 0 and 1. One is served; while the
// other is built anew (Build), writes go to both.
package index

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"parley/internal/clock"
	"parley/internal/search/word"
	"parley/internal/store"
)

// Message is a message to be found by its text.
type Message struct {
	ID, ConversationID int64
	At                 clock.Time // when it was created
	Text               string
}

// Customer is who a conversation is with, to be found by name and number.
type Customer struct {
	ConversationID int64
	Name, Address  string
}

// AddMessages has messages found when the transaction commits. They must be new.
// Bulk loaders call it with what one write inserts, and Expect before the first.
func AddMessages(tx *store.Tx, messages ...Message) {
	for _, m := range messages {
		if tokens := word.Index(m.Text); len(tokens) > 0 {
			tx.Leave(late, entry{SpotOf(m.At, m.ID), m.ID, m.ConversationID, tokens})
		}
	}
}

// SetCustomers has conversations found by these names and numbers, and no longer
// by others, when the transaction commits.
func SetCustomers(tx *store.Tx, customers ...Customer) {
	for _, c := range customers {
		tx.Leave(late, person{c.ConversationID, customerTokens(c)})
	}
}

// late writes what a group left, for all its writes together.
var late = &store.Late{Name: "write the search index", Do: func(ctx context.Context, tx *store.Tx, left []any) error {
	state, err := ReadState(ctx, tx)
	if err != nil {
		return err
	}
	var entries []entry
	var people []person
	for _, item := range left {
		switch item := item.(type) {
		case entry:
			entries = append(entries, item)
		case person:
			people = append(people, item)
		}
	}
	for _, g := range state.written() {
		if err := g.add(ctx, tx, entries, people); err != nil {
			return err
		}
	}
	return nil
}}

// entry is a message as it is indexed.
type entry struct {
	spot         Spot
	message      int64
	conversation int64
	tokens       []string
}

// person is a customer as they are indexed.
type person struct {
	conversation int64
	tokens       []string
}

// Spot is where a message stands among all, newest last. Two messages may share
// one, once in a great while.
type Spot int64

// keyBits are the bits of a spot that hold the end of a message's key.
const keyBits = 21

// Last is beyond every spot.
const Last = Spot(1<<63 - 1)

// SpotOf is the spot of a message created at an instant.
func SpotOf(at clock.Time, id int64) Spot {
	return Spot(max(0, int64(at)/1000)<<keyBits | id&(1<<keyBits-1))
}

// term spells a token as the index keeps it: behind the number of its bucket in
// four characters. Everything that is written and asked passes here, so that a
// key could be put in the token's place.
func term(bucket int64, token string) string {
	n := strconv.FormatInt(bucket, 36)
	return strings.Repeat("0", max(0, 4-len(n))) + n + token
}

// The first character of a customer's token says what it is.
const (
	nameMark     = "n"
	forwardMark  = "f" // a number in full, or an address that is none
	nationalMark = "g" // without the country
	backwardMark = "r" // from its end
)

func customerTokens(c Customer) []string {
	var out []string
	for _, token := range word.Index(c.Name) {
		out = append(out, nameMark+token)
	}
	n := word.NumberOf(c.Address)
	for mark, digits := range map[string]string{forwardMark: n.Full, nationalMark: n.National, backwardMark: n.Backward()} {
		if digits != "" {
			out = append(out, mark+digits)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// add writes entries and people into a generation.
func (g generation) add(ctx context.Context, tx *store.Tx, entries []entry, people []person) error {
	if len(people) > 0 {
		if err := g.addPeople(ctx, tx, latest(people)); err != nil {
			return err
		}
	}
	if len(entries) == 0 {
		return nil
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(cmp.Compare(a.spot, b.spot), cmp.Compare(a.message, b.message)) })
	d, err := g.directory(ctx, tx, entries)
	if err != nil {
		return err
	}
	placed := make([]placed, len(entries))
	for i, e := range entries {
		bucket, err := d.bucketFor(ctx, tx, e)
		if err != nil {
			return err
		}
		placed[i] = e.in(bucket)
	}
	return g.insert(ctx, tx, placed)
}

// latest keeps what was said last of each conversation.
func latest(people []person) []person {
	out := make([]person, 0, len(people))
	at := make(map[int64]int, len(people))
	for _, p := range people {
		if i, ok := at[p.conversation]; ok {
			out[i] = p
			continue
		}
		at[p.conversation] = len(out)
		out = append(out, p)
	}
	return out
}

// placed is an entry with its tokens spelled for their bucket.
type placed struct {
	entry
	terms string
}

func (e entry) in(bucket int64) placed {
	terms := make([]string, len(e.tokens))
	for i, token := range e.tokens {
		terms[i] = term(bucket, token)
	}
	return placed{e, strings.Join(terms, " ")}
}
