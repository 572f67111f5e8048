package job_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel/sandbox"
	"parley/internal/check/parleytest"
)

// The way from a commit to the carrier is notified, not polled: a lone message
// leaves in milliseconds.
func TestAMessageLeavesWithinMillisecondsOfItsCommit(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	arrived := make(chan time.Time, 1)
	p.Carrier.Script(func(sandbox.Message) sandbox.Plan {
		arrived <- time.Now()
		return sandbox.Plan{Silent: true}
	})
	p.Run()
	p.Say("+12025550199", parleytest.Sales, "Hello")
	amy := p.As("amy")
	id := amy.Do(`{ conversations(view: {kind: ALL}) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	var took []time.Duration
	for i := range 15 {
		amy.Do(`mutation($id: ID!, $key: String!) { sendMessage(input: {conversationId: $id, text: "x", idempotencyKey: $key}) { errors { code } } }`,
			parleytest.Vars{"id": id, "key": fmt.Sprint(i)})
		committed := time.Now()
		select {
		case at := <-arrived:
			took = append(took, at.Sub(committed))
		case <-time.After(5 * time.Second):
			require.Fail(t, "the message did not leave")
		}
	}
	slices.Sort(took)
	t.Logf("from commit to carrier: p50 %v, worst %v", took[len(took)/2], took[len(took)-1])
	require.Less(t, took[len(took)/2], 100*time.Millisecond, took)
}
