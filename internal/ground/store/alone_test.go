package store_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// Of those who want to be alone each is, one after the other, and who waits is told.
func TestAlone(t *testing.T) {
	t.Parallel()
	url := parleytest.Database(t)
	one, two := open(t, url), open(t, url)
	unexpected := func() { t.Error("nobody is there to wait for") }
	release, err := one.Alone(t.Context(), unexpected)
	require.NoError(t, err)
	t.Cleanup(func() { release() })

	ctx, cancel := context.WithCancel(t.Context())
	_, err = two.Alone(ctx, cancel) // who waits may give up
	require.ErrorIs(t, err, context.Canceled)

	told, second := make(chan struct{}), make(chan func())
	go func() {
		release, err := two.Alone(context.WithoutCancel(t.Context()), func() { close(told) })
		if err != nil {
			t.Error(err)
		}
		second <- release
	}()
	<-told
	require.NoError(t, one.Write(t.Context(), put("x")), "servers go on")
	release()
	(<-second)()
	release = func() {}
	if parleytest.OnPostgres() {
		return
	}
	info, err := os.Stat(url + ".busy")
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
}

// However many come at once, two never are alone together.
func TestManyAreAloneOneByOne(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	var alone sync.Mutex
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			release, err := s.Alone(context.WithoutCancel(t.Context()), func() {})
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			if !alone.TryLock() {
				t.Error("somebody else is alone too")
				return
			}
			defer alone.Unlock()
			if err := s.Write(context.WithoutCancel(t.Context()), put(fmt.Sprint("x", i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// What a killed process left of its lock holds nobody off.
func TestALockThatWasLeftIsFree(t *testing.T) {
	t.Parallel()
	url := parleytest.Database(t)
	s := open(t, url)
	if !parleytest.OnPostgres() {
		require.NoError(t, os.WriteFile(url+".busy", nil, 0o600))
	}
	release, err := s.Alone(t.Context(), func() { t.Error("waits") })
	require.NoError(t, err)
	release()
}
