package staff_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent/agent"
	"parley/internal/check/parleytest"
	"parley/internal/desk/bulk"
	"parley/internal/desk/conversation"
	"parley/internal/desk/staff"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Two administrators deactivate each other at once, at two processes: one stays.
func TestTwoAdministratorsCannotDeactivateEachOther(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here, there := parleytest.OpenAt(t, database), parleytest.OpenAt(t, database)
	require.NoError(t, here.Directory.Change(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Agent.Update().Where(agent.Username("bo")).SetRole(viewer.Admin).Exec(ctx)
	}))
	require.NoError(t, there.Directory.Refresh(t.Context()))
	for range 5 {
		var errs [2]error
		var both sync.WaitGroup
		both.Go(func() {
			_, _, errs[0] = here.Schema.Staff.Deactivate(here.Context("ada"), here.Directory.AgentNamed("bo").ID)
		})
		both.Go(func() {
			_, _, errs[1] = there.Schema.Staff.Deactivate(there.Context("bo"), there.Directory.AgentNamed("ada").ID)
		})
		both.Wait()
		require.True(t, (errs[0] == nil) != (errs[1] == nil), "%v, %v", errs[0], errs[1])
		for _, err := range errs {
			if err != nil {
				require.Equal(t, fault.Forbidden, fault.CodeOf(err), "the other was quicker: they are no administrator any more")
			}
		}
		active := here.Store.Ent.Agent.Query().Where(agent.UsernameIn("ada", "bo"), agent.Active(true)).CountX(here.System())
		require.Equal(t, 1, active)
		require.NoError(t, here.Directory.Change(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return tx.Ent.Agent.Update().SetActive(true).Exec(ctx)
		}))
		require.NoError(t, there.Directory.Refresh(t.Context()))
	}
}

// Two agents are created under one name at once, in another case: one is.
func TestTwoAgentsCannotShareAName(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here, there := parleytest.OpenAt(t, database), parleytest.OpenAt(t, database)
	var errs [2]error
	var both sync.WaitGroup
	for i, p := range []*parleytest.Parley{here, there} {
		both.Go(func() {
			_, errs[i] = p.Schema.Staff.CreateAgent(p.System(), staff.CreateAgentInput{
				Username: []string{"zoe", "ZOE"}[i], Name: "Zoe", Role: viewer.Standard, IdempotencyKey: fmt.Sprint(i),
			})
		})
	}
	both.Wait()
	require.True(t, (errs[0] == nil) != (errs[1] == nil), "%v, %v", errs[0], errs[1])
}

const live = `subscription { messageAdded { kind } }`

// ends returns how long it takes until the socket is refused.
func ends(t *testing.T, s *parleytest.Socket) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		if _, err := s.Read(5 * time.Second); err != nil {
			require.ErrorContains(t, err, "4403")
			return time.Since(began)
		}
	}
}

// At another process too, which hears of it by the log alone on SQLite.
func TestDeactivationEndsEverythingWithinASecond(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	b := &bundle{Parley: parleytest.OpenAt(t, database).Run()}
	there := parleytest.OpenAt(t, database).Run()
	b.Say("+12025550199", parleytest.Direct, "Hello")
	b.Say("+12025550198", parleytest.Direct, "Hello")
	streams := []*parleytest.Socket{b.As("amy").Subscribe(live, nil), there.As("amy").Subscribe(live, nil)}
	for _, s := range streams {
		require.Equal(t, "OPEN", s.Next().Get("messageAdded", "kind").String())
	}
	idle, others := there.As("amy").Dial(), there.As("bo").Subscribe(live, nil)
	require.Equal(t, "OPEN", others.Next().Get("messageAdded", "kind").String())

	got := b.call("ada", "deactivateAgent", vars{"id": b.id("amy")})
	require.Equal(t, `{"count":2,"ownerId":"`+b.id("amy")+`","viewKind":"ALL"}`, got.Get("ownedConversations").String())
	for _, s := range append(streams, idle) {
		require.Less(t, ends(t, s), 2*time.Second)
	}
	for _, p := range []*parleytest.Parley{b.Parley, there} {
		require.Equal(t, []string{"UNAUTHENTICATED"}, p.As("amy").Raw(`{ viewer { agent { id } } }`, nil).Codes())
	}
	b.Say("+12025550199", parleytest.Sales, "Still there?")
	require.Equal(t, "ENTER", others.Next().Get("messageAdded", "kind").String(), "colleagues go on")

	given := b.As("ada").Do(`mutation($to: ID, $of: ID) { bulkAssignConversations(input: {selection: {view: {kind: ALL}, filterBy: {ownerId: $of}}, agentId: $to, dryRun: true,
		idempotencyKey: "on"}) { preview { changed } } }`, vars{"to": b.id("sue"), "of": b.id("amy")})
	require.Equal(t, 2, given.Get("bulkAssignConversations", "preview", "changed").Int())
	require.Empty(t, code(b.call("ada", "activateAgent", vars{"id": b.id("amy")})))
	b.Eventually(func() bool { return len(there.As("amy").Raw(`{ viewer { agent { id } } }`, nil).Codes()) == 0 }, "amy is back")
}

// A process that changes rights and ends, as the command line does, is heard by those
// that run.
func TestRunningProcessesFollowAChangeWithinASecond(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	running := parleytest.OpenAt(t, database).Run()
	bo := running.As("bo").Subscribe(`subscription { conversationsChanged(view: {kind: ALL}) { kind } }`, nil)
	require.Equal(t, "OPEN", bo.Next().Get("conversationsChanged", "kind").String())
	command := parleytest.OpenAt(t, database)
	role := viewer.Supervisor
	_, err := command.Schema.Staff.UpdateAgent(command.System(), staff.UpdateAgentInput{ID: command.Directory.AgentNamed("bo").ID, Role: &role})
	require.NoError(t, err)
	command.Stop()
	began := time.Now()
	require.Equal(t, "RESET", bo.Next().Get("conversationsChanged", "kind").String())
	require.Less(t, time.Since(began), 2*time.Second)
	require.Equal(t, "SUPERVISOR", running.As("bo").Do(`{ viewer { agent { role } } }`, nil).Get("viewer", "agent", "role").String())
}

// An operation that has begun does not go on for somebody who may no longer sign in.
func TestDeactivationStopsBulkOperations(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	p.Say("+12025550199", parleytest.Direct, "Hello")
	begun, err := p.Bulk.MarkRead(p.Context("amy"), bulk.MarkInput{
		Selection: &bulk.Selection{View: &conversation.View{Kind: conversation.All}}, IdempotencyKey: "all",
	})
	require.NoError(t, err)
	_, owned, err := p.Schema.Staff.Deactivate(p.System(), p.Directory.AgentNamed("amy").ID)
	require.NoError(t, err)
	require.EqualValues(t, 1, owned.Count)
	p.Run()
	p.Eventually(func() bool {
		found, err := p.Bulk.ByKey(p.Context("ada"), []int64{begun.Operation.Key})
		require.NoError(t, err)
		op := found[begun.Operation.Key]
		return op.State == bulk.Stopped && *op.StopReason() == bulk.CreatorInactive && op.Changed == 0
	}, "the operation stopped")
}

// Another process on the same database knows within a second, whatever the bus.
func TestAnotherProcessFollowsAChange(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here, there := parleytest.OpenAt(t, database).Run(), parleytest.OpenAt(t, database).Run()
	var took []time.Duration
	for i := range 20 {
		name := fmt.Sprint("Bo ", i)
		_, err := here.Schema.Staff.UpdateAgent(here.Context("ada"), staff.UpdateAgentInput{ID: here.Directory.AgentNamed("bo").ID, Name: &name})
		require.NoError(t, err)
		since := time.Now()
		require.Eventually(t, func() bool { return there.Directory.AgentNamed("bo").Name == name }, 5*time.Second, 2*time.Millisecond)
		took = append(took, time.Since(since))
	}
	slices.Sort(took)
	t.Logf("seen by another process after %v (median), %v (slowest of %d)", took[len(took)/2], took[len(took)-1], len(took))
}

// What somebody sent was accepted: it goes out although they may no longer sign in.
func TestMessagesOfADeactivatedAgentStillGoOut(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	p.Say("+12025550199", parleytest.Direct, "Hello")
	conversation := p.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	sent := p.As("amy").Do(`mutation($id: ID!) { sendMessage(input: {conversationId: $id, text: "Good bye", idempotencyKey: "k"}) { message { id status } errors { code } } }`,
		vars{"id": conversation}).Get("sendMessage")
	require.Equal(t, "QUEUED", sent.Get("message", "status").String(), sent.String())
	_, _, err := p.Schema.Staff.Deactivate(p.System(), p.Directory.AgentNamed("amy").ID)
	require.NoError(t, err)
	p.Run()
	p.Eventually(func() bool {
		found := p.As("ada").Do(`query($id: ID!) { node(id: $id) { ... on Message { status } } }`, vars{"id": sent.Get("message", "id").String()}).Get("node")
		return found.Get("status").String() == "SENT" || found.Get("status").String() == "DELIVERED"
	}, "it was sent")
}
