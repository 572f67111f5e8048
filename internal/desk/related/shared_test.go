package related

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func trailOf(root int64, records ...int64) *Trail {
	t := newTrail(root, 1)
	for _, key := range records {
		t.records, t.by[key], t.passed[key] = append(t.records, key), nil, struct{}{}
	}
	return t
}

// Trails that are alike hold one set of records; what nobody holds is forgotten.
func TestTrailsThatAreAlikeHoldOneSet(t *testing.T) {
	t.Parallel()
	s := &Shared{}
	first := s.One(trailOf(1, 2, 3))
	again := trailOf(1, 2, 3)
	again.Position = 7
	one := s.One(again)
	require.Same(t, first.members, one.members)
	require.EqualValues(t, 7, one.Position, "each is read at its own position")
	changed := s.One(trailOf(1, 2))
	require.Equal(t, []int64{1, 2}, changed.Records(), "the records have changed since")
	require.Equal(t, []int64{2, 3}, s.One(trailOf(2, 3)).Records())
	runtime.KeepAlive(first)
	require.Eventually(t, func() bool {
		runtime.GC()
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.held) == 0
	}, 10*time.Second, 10*time.Millisecond)
}
