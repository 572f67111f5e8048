// Package textindex keeps the index that search uses: full-text tables of FTS5 on SQLite,
// a GIN index on PostgreSQL, both filled with the words of package word and written in
// the transaction of the texts themselves.
//
// A message has a spot: its time to the millisecond, followed by the end of its key.
// Time is divided into buckets of about BucketSize messages, and several consecutive
// buckets form an era. Each word is stored twice: behind its message's bucket, for
// searches of all channels, and behind its era and channel, for searches of some. So a
// search reads one stretch of time after another, newest first; a word that occurs in
// every second message costs no more than a rare one; and messages on other channels
// than those searched cost nothing.
//
// There are two sets of tables, called generations. One is served; while the other is
// rebuilt (Rebuild), writes go to both.
package textindex

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/word"
)

// Message is a message to be found by its text.
type Message struct {
	ID, ConversationID, ChannelID int64
	At                            clock.Time // when it was created
	Text                          string
}

// Customer is who a conversation is with and what it is about, to be found by name, topic
// and number.
type Customer struct {
	ConversationID, ChannelID int64
	Name, Topic, Address      string
}

// AddMessages has messages found when the transaction commits. One whose text has
// changed is added again: the words it had before find it, and the match of its text
// drops it.
// Bulk loaders call it with what one write inserts, and Expect before the first.
func AddMessages(tx *store.Tx, messages ...Message) {
	for _, m := range messages {
		if tokens := word.Index(m.Text); len(tokens) > 0 {
			found.Defer(tx, entry{SpotOf(m.At, m.ID), m.ID, m.ConversationID, m.ChannelID, tokens})
		}
	}
}

// SetCustomers has conversations found by these names and numbers, and no longer
// by others, when the transaction commits.
func SetCustomers(tx *store.Tx, customers ...Customer) {
	for _, c := range customers {
		found.Defer(tx, person{c.ConversationID, customerTerms(c)})
	}
}

// found writes the entries and people of a group, for all its writes together.
var found = &store.Deferred[any]{Name: "write the search index", Do: func(ctx context.Context, tx *store.Tx, items []any) error {
	state, err := ReadState(ctx, tx)
	if err != nil {
		return err
	}
	var entries []entry
	var people []person
	for _, item := range items {
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
	channel      int64
	tokens       []string
}

// person is a customer as they are indexed.
type person struct {
	conversation int64
	terms        []string
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

// term spells a message's token as the index keeps it: on a channel behind the number
// of an era, on anyChannel behind that of a bucket. Everything that is written and
// asked passes here, so that a keyed token could take the token's place.
func term(stretch, channel int64, token string) string {
	return number(channel) + number(stretch) + token
}

// number spells a key behind its own length, so that no number begins another.
func number(n int64) string {
	digits := strconv.FormatInt(n, 36)
	return strconv.FormatInt(int64(len(digits)), 36) + digits
}

// anyChannel stands for all channels together.
const anyChannel = 0

// customerTerm spells a customer's token as the index keeps it.
func customerTerm(channel int64, mark, token string) string { return number(channel) + mark + token }

// The mark of a customer's token says what it is.
const (
	nameMark     = "n"
	forwardMark  = "f" // a number in full, or an address that is not a number
	nationalMark = "g" // without the country
	backwardMark = "r" // from its end
)

// Named is the text that a conversation is found in: its customer's name, and behind it
// what it is about.
func Named(name, topic, address string) string {
	if name = word.NameOf(name, address); topic == "" {
		return name
	}
	return name + "\n" + topic
}

func customerTerms(c Customer) []string {
	var out []string
	add := func(mark, token string) {
		if token != "" {
			out = append(out, customerTerm(anyChannel, mark, token), customerTerm(c.ChannelID, mark, token))
		}
	}
	for _, token := range word.Index(Named(c.Name, c.Topic, c.Address)) {
		add(nameMark, token)
	}
	n := word.NumberOf(c.Address)
	add(forwardMark, n.Full)
	add(nationalMark, n.National)
	add(backwardMark, n.Backward())
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

func (e entry) in(bucket Bucket) placed {
	all, own := term(bucket.ID, anyChannel, ""), term(bucket.era, e.channel, "")
	terms := make([]byte, 0, len(e.tokens)*(len(all)+len(own)+16))
	for _, token := range e.tokens {
		terms = append(append(append(terms, all...), token...), ' ')
		terms = append(append(append(terms, own...), token...), ' ')
	}
	return placed{e, string(terms[:len(terms)-1])}
}
