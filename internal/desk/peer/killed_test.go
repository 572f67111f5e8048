package peer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/clock"
)

// watch plays a peer that writes its row and says hello every ten seconds, each
// until its own end, to a roster that looks every ten seconds besides. It returns
// for how long the peer was held to share no bus.
func watch(lag, rowEnds, helloEnds time.Duration) (accused time.Duration) {
	r := New(Options{})
	begin := time.Unix(1_000_000, 0)
	row := Process{Name: "peer", Host: "h"}
	for at := time.Duration(0); at <= 5*time.Minute; at += time.Second {
		if at%(10*time.Second) == 0 && at < rowEnds {
			row.SeenAt = clock.Time(at.Microseconds() + 1)
		}
		if at%(10*time.Second) == 0 && at < helloEnds {
			r.heard["peer"] = begin.Add(at)
		}
		if (at-lag)%(10*time.Second) == 0 && len(r.compare(begin.Add(at), []Process{row})) > 0 {
			accused += 10 * time.Second
		}
	}
	return accused
}

// A process that is killed leaves a row and falls silent, whenever its peers look:
// nobody takes that for two buses.
func TestAKilledProcessIsNotHeldToShareNoBus(t *testing.T) {
	t.Parallel()
	for lag := range 10 {
		for killed := 91 * time.Second; killed <= 101*time.Second; killed += time.Second {
			require.Zero(t, watch(time.Duration(lag)*time.Second, killed, killed), "%d s, %s", lag, killed)
		}
	}
}

// One that lives and is not heard is told of: while it lives, and a lifetime more.
func TestALivingProcessThatIsNotHeardIsToldOf(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, watch(3*time.Second, 5*time.Minute, 0), 4*time.Minute)
	require.GreaterOrEqual(t, watch(3*time.Second, 5*time.Minute, time.Minute), 3*time.Minute)
	require.LessOrEqual(t, watch(3*time.Second, 2*time.Minute, time.Minute), time.Minute)
}
