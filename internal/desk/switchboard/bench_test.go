package switchboard_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/ent"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/desk/switchboard"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// full is the largest organisation: 5,000 agents, each a member of two of 2,000
// channels and of one of 2,000 queues.
func full(b *testing.B) *bundle {
	b.Helper()
	p := &bundle{Parley: parleytest.New(b)}
	require.NoError(b, p.Directory.Change(b.Context(), func(ctx context.Context, tx *store.Tx) error {
		agents := make([]int64, 5_000-len(p.Directory.Agents()))
		for i := range agents {
			row, err := tx.Ent.Agent.Create().SetUsername(fmt.Sprint("agent-", i)).SetName("Agent").SetRole(viewer.Standard).SetCreatedAt(tx.Now).Save(ctx)
			if err != nil {
				return err
			}
			agents[i] = row.ID
		}
		member := func(i int) int64 { return agents[i%len(agents)] }
		channels, queues := []*ent.ChannelCreate{}, []*ent.QueueCreate{}
		for i := range 2_000 - 10 {
			channels = append(channels, tx.Ent.Channel.Create().SetProviderAccountID(p.Directory.Account("demo").ID).SetType(channel.Web).SetAddress(fmt.Sprint("site-", i)).
				SetName("Site").SetCreatedAt(tx.Now).AddMemberIDs(member(5*i), member(5*i+1), member(5*i+2), member(5*i+3), member(5*i+4)))
			queues = append(queues, tx.Ent.Queue.Create().SetName(fmt.Sprint("Queue ", i)).AddMemberIDs(member(3*i), member(3*i+1), member(3*i+2)))
		}
		for start := 0; start < len(channels); start += 500 {
			if err := tx.Ent.Channel.CreateBulk(channels[start:min(start+500, len(channels))]...).Exec(ctx); err != nil {
				return err
			}
			if err := tx.Ent.Queue.CreateBulk(queues[start:min(start+500, len(queues))]...).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
	return p
}

// BenchmarkReadChanged reads one changed row of the largest organisation, as every process
// does when somebody administers something; before, it read everything.
func BenchmarkReadChanged(b *testing.B) {
	p := full(b)
	for _, row := range []feed.Row{
		{Type: ent.TypeAgent, Key: p.Directory.AgentNamed("bo").Key},
		{Type: ent.TypeChannel, Key: p.Directory.Channels()[0].Key},
	} {
		b.Run(row.Type, func(b *testing.B) {
			for b.Loop() {
				p.Directory.Observe(b.Context(), &feed.Event{Cause: feed.DirectoryChanged, Rows: []feed.Row{row}})
			}
		})
	}
	b.Run("Everything", func(b *testing.B) {
		for b.Loop() {
			p.Directory.Observe(b.Context(), &feed.Event{Cause: feed.DirectoryChanged})
		}
	})
}

// BenchmarkRead reads the directory of the largest organisation, as a process does when
// it starts; it reports the heap that the process then has.
func BenchmarkRead(b *testing.B) {
	p := full(b)
	for b.Loop() {
		require.NoError(b, p.Directory.Refresh(b.Context()))
	}
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.HeapAlloc)/1e6, "heap-MB")
}

// BenchmarkChange adds and removes a member of a channel of the largest organisation.
func BenchmarkChange(b *testing.B) {
	p := full(b)
	in := switchboard.MembersInput{ID: p.channelAt("site-0"), AgentIDs: []string{p.agent("bo")}}
	for b.Loop() {
		_, err := p.Schema.Switchboard.AddChannelMembers(p.System(), in)
		require.NoError(b, err)
		_, err = p.Schema.Switchboard.RemoveChannelMembers(p.System(), in)
		require.NoError(b, err)
	}
}
