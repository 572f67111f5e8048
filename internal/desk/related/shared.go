package related

import (
	"maps"
	"runtime"
	"slices"
	"sync"
	"weak"

	"parley/internal/desk/object"
)

// Shared saves memory: hundreds of streams may follow one record, and those of their trails
// that are equal hold one set of records for as long as any of them is in use. The zero value
// is ready for use by many goroutines.
type Shared struct {
	mu   sync.Mutex
	held map[string]weak.Pointer[members]
}

// One returns a trail equal to t, which shares its records with another that is in use, if
// there is one. Nobody may change t any more.
func (s *Shared) One(t *Trail) *Trail {
	key := t.Key()
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.held[key].Value(); m != nil && (m == t.members || m.equal(t.members)) {
		one := *t
		one.members = m
		return &one
	}
	if s.held == nil {
		s.held = map[string]weak.Pointer[members]{}
	}
	s.held[key] = weak.Make(t.members)
	runtime.AddCleanup(t.members, s.forget, key)
	return t
}

// forget drops the entry of records that nobody holds any more, unless another trail has
// taken it over.
func (s *Shared) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[key].Value() == nil {
		delete(s.held, key)
	}
}

// members are the records of a trail.
type members struct {
	// Truncated says that there are more records than a trail may have.
	Truncated bool

	records []int64                   // the root first, then by mapping and key
	by      map[int64]*object.Mapping // nil for the root
	passed  map[int64]struct{}        // every record on the paths
}

func (m *members) equal(other *members) bool {
	return m.Truncated == other.Truncated && slices.Equal(m.records, other.records) && maps.EqualFunc(m.by, other.by, alike) && maps.Equal(m.passed, other.passed)
}
