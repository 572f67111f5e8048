package quota_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/clock"
	"parley/internal/ground/quota"
)

func TestABucketFillsUpAgain(t *testing.T) {
	t.Parallel()
	clk := clock.NewFake(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	c := quota.NewCallers(quota.Rate{PerSecond: 10, Burst: 100}, 10, clk)
	require.Zero(t, c.Take("amy", 60))
	require.Equal(t, 2*time.Second, c.Take("amy", 60), "20 are missing, and nothing was taken")
	require.Zero(t, c.Take("amy", 40))
	require.Zero(t, c.Take("bo", 100), "everybody has a bucket of their own")
	require.Equal(t, 100*time.Millisecond, c.Take("amy", 1))
	clk.Advance(time.Second)
	require.Zero(t, c.Take("amy", 10))
	require.Positive(t, c.Take("amy", 1))
	clk.Advance(time.Hour)
	require.Zero(t, c.Take("amy", 1e9), "more than the burst is the burst")
	require.Equal(t, 10*time.Second, c.Take("amy", 1e9))
	c.Give("amy", 30)
	require.Zero(t, c.Take("amy", 30))
	c.Give("amy", 1e9)
	require.Zero(t, c.Take("amy", 100))
	require.Positive(t, c.Take("amy", 1), "no bucket holds more than the burst")
}

func TestTheTableOfCallersIsBounded(t *testing.T) {
	t.Parallel()
	c := quota.NewCallers(quota.Rate{PerSecond: 1, Burst: 1}, 100, clock.NewFake(time.Now()))
	for n := range 101 {
		require.Zero(t, c.Take(fmt.Sprint(n), 1))
	}
	require.Positive(t, c.Take("100", 1))
	require.Zero(t, c.Take("0", 1), "who was not heard of for longest is forgotten")
}

func TestCallersAreCountedTogether(t *testing.T) {
	t.Parallel()
	c := quota.NewCallers(quota.Rate{PerSecond: 1, Burst: 500}, 10, clock.NewFake(time.Now()))
	var taken atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if c.Take("amy", 1) == 0 {
					taken.Add(1)
				}
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 500, taken.Load())
}

func TestNobodyIsBoundedWithoutATable(t *testing.T) {
	t.Parallel()
	var c *quota.Callers
	require.Zero(t, c.Take("amy", 1e9))
	c.Give("amy", 1)
}
