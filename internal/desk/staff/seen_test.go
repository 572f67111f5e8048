package staff_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/staff"
	"parley/internal/ground/viewer"
)

// While customers write at both processes, another process and a stream that is open at it
// know of a change within a second; -v prints how soon.
func TestChangesAreSeenWithinASecondUnderLoad(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here, there := parleytest.OpenAt(t, database).Run(), parleytest.OpenAt(t, database).Run()
	here.Say("+12025550199", parleytest.Sales, "Hello")
	bo := there.As("bo").Subscribe(`subscription { conversationChanged(id: "`+conversationOf(here)+`") { __typename } }`, nil)
	bo.Next()

	load, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for i, p := range []*parleytest.Parley{here, there} {
		writers.Go(func() {
			for n := 0; load.Err() == nil; n++ {
				p.Say(fmt.Sprintf("+12025550%d%02d", 180+i, n%20), parleytest.Direct, fmt.Sprint("Message ", n))
			}
		})
	}
	defer writers.Wait()
	defer stop()
	var process, stream []time.Duration
	for i := range 40 {
		role := []viewer.Role{viewer.Supervisor, viewer.Standard}[i%2]
		_, err := here.Schema.Staff.UpdateAgent(here.Context("ada"), staff.UpdateAgentInput{ID: here.Directory.AgentNamed("bo").ID, Role: &role})
		require.NoError(t, err)
		since := time.Now()
		require.Eventually(t, func() bool { return there.Directory.AgentNamed("bo").Role == role }, 5*time.Second, time.Millisecond)
		process = append(process, time.Since(since))
		for {
			if frame := bo.Next(); frame.Get("conversationChanged", "__typename").String() == "Reset" {
				break
			}
		}
		stream = append(stream, time.Since(since))
	}
	for what, took := range map[string][]time.Duration{"another process": process, "an open stream": stream} {
		slices.Sort(took)
		p50, p99 := took[len(took)/2], took[len(took)*99/100]
		t.Logf("seen by %s after %v (p50), %v (p99 of %d)", what, p50.Round(time.Millisecond), p99.Round(time.Millisecond), len(took))
		require.Less(t, p50, time.Second, what)
	}
}

func conversationOf(p *parleytest.Parley) string {
	return p.As("bo").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
}
