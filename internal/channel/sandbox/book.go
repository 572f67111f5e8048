package sandbox

import (
	"crypto/rand"
	"fmt"
	"slices"
	"sync"

	"parley/internal/channel"
)

// Message is a message that the carrier was given. ID is set once it is taken.
type Message struct {
	ID, Key   string
	From, To  string
	Text      string
	Type      channel.Type // of the channel that it came by, where the sender told
	Payload   string       // a component's document, as the platform of the channel has it; JSON, or empty
	StatusURL string
	Secret    string `json:"-"` // of the account that sent it; signs its receipts
}

// book remembers keys and the messages taken, each up to a bound.
type book struct {
	mu    sync.Mutex
	limit int
	run   string // makes ids of this carrier unlike those before a restart
	ids   int
	known map[bookKey]*entry
	order []bookKey    // of known, oldest first
	taken []Message    // oldest first
	tries map[said]int // of what was not taken yet
}

// said is what somebody wants to say to somebody, whatever key it comes under: a
// message that was put off comes again under another.
type said struct{ secret, from, to, text string }

func saidIn(m Message) said { return said{m.Secret, m.From, m.To, m.Text} }

// bookKey keeps the keys of two accounts apart.
type bookKey struct{ secret, key string }

type entry struct {
	message Message
	taken   bool
}

func newBook(limit int) *book {
	return &book{limit: limit, run: rand.Text()[:12], known: map[bookKey]*entry{}, tries: map[said]int{}}
}

// id returns a new id, unique for ever. The lock is held.
func (b *book) id(prefix string) string {
	b.ids++
	return fmt.Sprintf("%s%s%08d", prefix, b.run, b.ids)
}

// receiptID returns the id of a new receipt.
func (b *book) receiptID() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.id("SR")
}

// visit is what the book says of one send.
type visit struct {
	try      int  // 1 for the first send of these words
	taken    bool // an earlier send with this key was taken, as id
	id       string
	conflict bool // the key was used for another message
}

// try counts a send of m.
func (b *book) try(m Message) visit {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entry(m)
	if len(b.tries) >= b.limit {
		clear(b.tries) // only directives ask for them
	}
	b.tries[saidIn(m)]++
	same := e.message
	same.ID = ""
	return visit{try: b.tries[saidIn(m)], taken: e.taken, id: e.message.ID, conflict: same != m}
}

// take records m once. It returns the message's id and whether this call was
// the one that took it.
func (b *book) take(m Message) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entry(m)
	if e.taken {
		return e.message.ID, false
	}
	e.message.ID = b.id("SB")
	e.taken = true
	delete(b.tries, saidIn(m))
	b.taken = append(b.taken, e.message)
	if len(b.taken) > b.limit {
		b.taken = b.taken[1:]
	}
	return e.message.ID, true
}

// entry finds or makes the entry of a message's key.
func (b *book) entry(m Message) *entry {
	key := bookKey{m.Secret, m.Key}
	if e, ok := b.known[key]; ok {
		return e
	}
	e := &entry{message: m}
	b.known[key] = e
	b.order = append(b.order, key)
	if len(b.order) > b.limit {
		delete(b.known, b.order[0])
		b.order = b.order[1:]
	}
	return e
}

// lastComponent is the last component taken that went from one address to another; ok is
// false without one.
func (b *book) lastComponent(secret, from, to string) (m Message, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range slices.Backward(b.taken) {
		if m.Payload != "" && m.Secret == secret && m.From == from && m.To == to {
			return m, true
		}
	}
	return Message{}, false
}

func (b *book) got() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Message(nil), b.taken...)
}
