package store_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/parleytest"
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
	left, err := filepath.Glob(url + ".busy*")
	require.NoError(t, err)
	require.Empty(t, left)
}

// However many come at once, two never are alone together.
func TestManyAreAloneOneByOne(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	var alone sync.Mutex
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			release, err := s.Alone(context.WithoutCancel(t.Context()), func() {})
			if err != nil || !alone.TryLock() {
				t.Error("somebody else is alone too", err)
				return
			}
			alone.Unlock()
			release()
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
