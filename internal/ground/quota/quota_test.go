package quota_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/quota"
	"parley/internal/ground/viewer"
)

func as(agent int64) context.Context {
	return viewer.NewContext(context.Background(), &viewer.Viewer{AgentID: agent})
}

func TestAQuotaIsAnHoursWorkAndASixthAtOnce(t *testing.T) {
	t.Parallel()
	clk := clock.NewFake(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	q := quota.New("do", "sends", 60, clk)
	take := func(ctx context.Context) error { return quota.Spend(ctx, q).Take() }
	for range 10 {
		require.NoError(t, take(as(1)))
	}
	var f *fault.Error
	require.True(t, errors.As(take(as(1)), &f))
	require.Equal(t, fault.LimitExceeded, f.Code)
	require.Equal(t, time.Minute, f.RetryAfter)
	require.Contains(t, f.Message, "60 sends per hour")
	require.NoError(t, take(as(2)), "each agent has their own")
	for range 20 {
		require.NoError(t, take(viewer.AsSystem(context.Background(), "seed")), "the system is not bounded")
	}
	require.Error(t, take(viewer.AsSystem(as(1), "edge")), "what is done for an agent is theirs")
	clk.Advance(time.Minute)
	require.NoError(t, take(as(1)))
	require.Error(t, take(as(1)))
}

func TestARequestTakesOnce(t *testing.T) {
	t.Parallel()
	q := quota.New("do", "sends", 6, clock.NewFake(time.Now()))
	s := quota.Spend(as(1), q)
	for range 3 {
		require.NoError(t, s.Take(), "a write that runs again")
	}
	require.Error(t, quota.Spend(as(1), q).Take())
	s.Return()
	s.Return()
	require.NoError(t, quota.Spend(as(1), q).Take())
	require.Error(t, quota.Spend(as(1), q).Take(), "what was put back twice is there once")
}

func TestWithoutAQuotaNobodyIsBounded(t *testing.T) {
	t.Parallel()
	q := quota.New("do", "sends", -1, clock.Real{})
	require.Nil(t, q)
	for range 1000 {
		require.NoError(t, quota.Spend(as(1), q).Take())
	}
}

func TestARequestMayTakeFromSeveral(t *testing.T) {
	t.Parallel()
	clk := clock.NewFake(time.Now())
	sends, starts := quota.New("do", "sends", 12, clk), quota.New("start", "conversations", 6, clk)
	require.NoError(t, quota.Spend(as(1), sends, starts).Take())
	s := quota.Spend(as(1), sends, starts)
	require.ErrorContains(t, s.Take(), "start 6 conversations")
	s.Return()
	require.NoError(t, quota.Spend(as(1), sends).Take(), "what was taken of the other was put back")
	require.Error(t, quota.Spend(as(1), sends).Take())
}
