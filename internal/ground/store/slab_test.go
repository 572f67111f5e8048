package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/store"
)

func TestASlabIsUsedAgainWhenItIsDoneWith(t *testing.T) {
	t.Parallel()
	var slabs store.Slabs[int]
	var done func()
	lent := slabs.Slab(func(d func()) { done = d })
	first := lent.Next()
	*first = 7
	kept := slabs.Slab(nil)
	for n := range 300 { // more than a page: what was given stays where it is
		*kept.Next() = n
		*lent.Next() = n
	}
	require.Equal(t, 7, *first)
	done()
	again := slabs.Slab(func(func()) {})
	for range 300 {
		require.Zero(t, *again.Next())
	}
	require.Equal(t, 7, *first, "the first part of what grew is nobody's")
}
