package seed

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"parley/internal/ground/clock"
)

// The bounds of a set: enough to try any size the design speaks of.
const (
	MostConversations = 1_000_000
	MostMessages      = 20_000_000
)

// set is the data that one Options value describes. Conversation i of it depends
// on the set and i alone, so that batches can be made in any number of runs.
type set struct {
	options Options
	key     uint64
	anchor  clock.Time // when the set ends; the last thing in it is not later
	extra   []int      // messages of each conversation beyond the first
	teams   int
}

func newSet(o Options) (*set, error) {
	switch {
	case o.Conversations < 1 || o.Conversations > MostConversations:
		return nil, fmt.Errorf("seed: ask for 1 to %d conversations, not %d", MostConversations, o.Conversations)
	case o.Messages < o.Conversations || o.Messages > MostMessages:
		return nil, fmt.Errorf("seed: ask for at least one message per conversation and at most %d; %d do not do for %d conversations",
			MostMessages, o.Messages, o.Conversations)
	}
	s := &set{options: o, teams: teamsFor(o.Conversations)}
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.prefix()))
	s.key = h.Sum64()
	s.share()
	return s, nil
}

// prefix begins the external id of every record of the set, by which the set is
// found again.
func (s *set) prefix() string {
	return fmt.Sprintf("demo-%d-%d-%d-", s.options.Seed, s.options.Conversations, s.options.Messages)
}

func (s *set) externalID(i int) string { return fmt.Sprintf("%s%07d", s.prefix(), i) }

// random returns the generator of conversation i.
func (s *set) random(i int) *rand.Rand {
	return rand.New(rand.NewPCG(s.key, uint64(i))) //nolint:gosec // the same data for the same seed is the point
}

// weights make a few threads long and most of them short.
var weights = []int{1, 1, 1, 2, 2, 3, 4, 6, 10, 16, 40}

// share deals the messages out, in whole numbers so that they add up exactly.
func (s *set) share() {
	r := s.random(-1)
	n, sum := s.options.Conversations, 0
	s.extra = make([]int, n)
	for i := range s.extra {
		s.extra[i] = weights[r.IntN(len(weights))]
		sum += s.extra[i]
	}
	left := s.options.Messages - n
	rest := left
	for i, w := range s.extra {
		s.extra[i] = left * w / sum
		rest -= s.extra[i]
	}
	for i := 0; rest > 0; i++ {
		s.extra[i%n]++
		rest--
	}
}

// messages is how many messages conversation i holds.
func (s *set) messages(i int) int { return 1 + s.extra[i] }

// exchanges and lines of an area code that the scheme below uses.
const exchanges, lines = 800, 100

// number is the n-th customer number of the set: +1, an area code, and first the
// exchange 555 with 01xx, which is kept for fiction; as those run out, other
// exchanges with 01xx. It is a number like any other in length and nothing is
// ever sent to it. Every n below 5 million gives another one.
func (s *set) number(n int) string {
	area, n := areaCodes[n%len(areaCodes)], n/len(areaCodes)
	exchange, line := 200+(355+n/lines)%exchanges, (uint64(n)+s.key)%lines
	return fmt.Sprintf("+1%s%03d01%02d", area, exchange, line)
}

// textID is the carrier's id of the message with a number in conversation i.
func (s *set) textID(i int, seq int64) string { return fmt.Sprintf("SM%016x%08x%08x", s.key, i, seq) }
