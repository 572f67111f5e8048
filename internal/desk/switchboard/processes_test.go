package switchboard_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/switchboard"
)

// A process that changes channels and queues and ends, as the command line does, is
// heard by those that run: what agents see follows, and their streams begin anew.
func TestRunningProcessesFollowWithinASecond(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	running := parleytest.OpenAt(t, database).Run()
	command := &bundle{Parley: parleytest.OpenAt(t, database)}
	running.Say("+12025550199", parleytest.Direct, "Hello")
	bo := running.As("bo").Subscribe(`subscription { conversationsChanged(view: {kind: ALL}) { kind } }`, nil)
	require.Equal(t, "OPEN", bo.Next().Get("conversationsChanged", "kind").String())
	list := func() int {
		return len(running.As("bo").Do(`{ conversations(view: {kind: ALL}) { nodes { id } } }`, nil).Get("conversations", "nodes").List())
	}
	within := func(change func() error) {
		require.NoError(t, change())
		began := time.Now()
		require.Equal(t, "RESET", bo.Next().Get("conversationsChanged", "kind").String())
		require.Less(t, time.Since(began), 2*time.Second)
	}
	require.Zero(t, list())
	direct := switchboard.MembersInput{ID: command.channelAt(parleytest.Direct), AgentIDs: []string{command.agent("bo")}}
	within(func() error {
		_, err := command.Schema.Switchboard.AddChannelMembers(command.System(), direct)
		return err
	})
	require.Equal(t, 1, list())
	within(func() error {
		_, err := command.Schema.Switchboard.RemoveChannelMembers(command.System(), direct)
		return err
	})
	require.Zero(t, list())
	within(func() error {
		_, err := command.Schema.Switchboard.CreateQueue(command.System(), switchboard.CreateQueueInput{Name: "New", MemberIDs: direct.AgentIDs, IdempotencyKey: "new"})
		return err
	})
	_, _, err := command.Schema.Switchboard.DeactivateChannel(command.System(), switchboard.DeactivateChannelInput{ID: direct.ID})
	require.NoError(t, err)
	command.Stop()
	running.Eventually(func() bool {
		return !running.Directory.ChannelAt(running.Directory.Account("demo").ID, parleytest.Direct).IsActive
	}, "the channel is off")
}

// One number is given to two accounts at once, at two processes: one gets it.
func TestTwoChannelsCannotShareANumber(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	processes := []*bundle{{Parley: parleytest.OpenAt(t, database)}, {Parley: parleytest.OpenAt(t, database)}}
	var answers [2]parleytest.Tree
	var both sync.WaitGroup
	for i, p := range processes {
		input := p.number("+12025550177", vars{"providerAccountId": p.account([]string{"demo", "twilio-demo"}[i]), "idempotencyKey": strconv.Itoa(i)})
		both.Go(func() { answers[i] = p.call("ada", "createChannel", input) })
	}
	both.Wait()
	require.ElementsMatch(t, []string{"", "CONFLICT"}, []string{code(answers[0]), code(answers[1])})
}
