package conversation_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// scatter writes conversations of every combination that a view, a filter or a
// sight can tell apart, with many at the same time.
func (w *world) scatter(n int) {
	agents := []int64{0, 0, w.agent["amy"], w.agent["bo"], w.agent["cy"], w.agent["sue"]}
	rows := make([]*conversation.Row, n)
	for i := range rows {
		at := func(step, of int) int { return i / step % of }
		rows[i] = w.row(int64(i), i%len(w.numbers), clock.Time(1+i%7), func(r *conversation.Row) {
			r.OwnerID, r.Assigned = agents[at(1, 5)], at(3, 2) == 1 && agents[at(1, 5)] != 0
			if i%4 > 0 {
				r.RecordID, r.Type = w.records[i%3], []string{"Contact", "Contact", "Lead"}[i%3]
			}
			r.InboundCount = int64(at(2, 3))
			r.ReadCount = r.InboundCount - int64(at(5, 2))*r.InboundCount
			r.IsUnread = r.ReadCount < r.InboundCount || i%5 == 0
			if i%3 == 0 {
				r.LastDirection = content.Outbound
				r.SentBy = []int64{agents[2+at(1, 4)]}
			}
		})
	}
	w.insert(rows...)
}

func drawViewer(t *rapid.T, w *world) *viewer.Viewer {
	subset := func(of []int64, label string) []int64 {
		out := rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, len(of), rapid.ID[int64]).Draw(t, label)
		slices.Sort(out)
		return out
	}
	agents := []int64{w.agent["amy"], w.agent["bo"], w.agent["cy"], w.agent["dee"], w.agent["sue"]}
	return &viewer.Viewer{
		AgentID:  rapid.SampledFrom(agents).Draw(t, "agent"),
		Channels: subset(w.numbers, "channels"),
		Queues:   subset([]int64{w.second, w.second + 1}, "queues"),
		Permissions: rapid.SliceOfNDistinct(rapid.SampledFrom([]viewer.Permission{
			viewer.MessagingAgent, viewer.ViewTeamInbox, viewer.ViewAllData,
		}), 0, 2, rapid.ID[viewer.Permission]).Draw(t, "permissions"),
	}
}

func drawQuestion(t *rapid.T, w *world) question {
	agent := rapid.SampledFrom([]int64{w.agent["amy"], w.agent["bo"], w.agent["cy"], w.agent["dee"]})
	number, object := rapid.SampledFrom(w.numbers), rapid.SampledFrom([]string{"Contact", "Lead", "Case"})
	boolean, at := rapid.Bool(), rapid.Map(rapid.Int64Range(0, 9), func(n int64) clock.Time { return clock.Time(n) })
	return question{
		kind: rapid.SampledFrom([]conversation.ViewKind{
			conversation.All, conversation.MyInbox, conversation.Sent, conversation.SenderID,
			conversation.TeamInbox, conversation.Unassigned, conversation.ObjectType, conversation.OfRecord,
		}).Draw(t, "kind"),
		channel: number.Draw(t, "number"), agent: agent.Draw(t, "of agent"),
		record: rapid.SampledFrom(w.records).Draw(t, "record"), object: object.Draw(t, "object"),
		unread: maybe(t, boolean, "unread"), assigned: maybe(t, boolean, "assigned"), filterObject: maybe(t, object, "filter object"),
		filterChannel: maybe(t, number, "filter channel"), filterOwn: maybe(t, agent, "filter owner"),
		direction: maybe(t, rapid.SampledFrom([]content.Direction{content.Inbound, content.Outbound}), "direction"),
		from:      maybe(t, at, "from"), before: maybe(t, at, "before"),
	}
}

// maybe draws a filter one time in four.
func maybe[T any](t *rapid.T, g *rapid.Generator[T], label string) *T {
	if rapid.IntRange(0, 3).Draw(t, label+"?") > 0 {
		return nil
	}
	return ptr(g.Draw(t, label))
}

// The list, both counts and the Go form of streams say what the domain says, for
// any viewer, view and filter.
func TestEveryFormOfAScopeAgrees(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.scatter(150)
	all := w.facts()
	require.Len(t, all, 150)
	rapid.Check(t, func(t *rapid.T) {
		v, q := drawViewer(t, w), drawQuestion(t, w)
		scope, err := w.Conversations.Scope(t.Context(), v, q.view(w), q.filter(w))
		if !q.known(v) {
			require.Equal(t, fault.NotFound, fault.CodeOf(err))
			return
		}
		require.NoError(t, err)
		want := q.keys(v, all)
		require.Equal(t, want, w.walk(v, q, rapid.SampledFrom([]int{1, 7, 100}).Draw(t, "size")), "the list")
		for k, f := range all {
			require.Equal(t, slices.Contains(want, k), scope.Matches(f), "the Go form on %d: %+v", k, f)
		}
		counts, _, err := w.Conversations.Count(t.Context(), scope)
		require.NoError(t, err)
		require.Equal(t, q.counts(v, all), counts, "the standing counts")
		var head int64
		var fromRows conversation.Counts
		w.read(w.Conversations.RowCountQuery(scope), func() {}, &head, &fromRows.Total, &fromRows.Unread, &fromRows.New)
		require.Equal(t, counts, fromRows, "the count of rows")
	})
}

func TestNobodySeesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.scatter(12)
	scope, err := w.Conversations.Scope(t.Context(), &viewer.Viewer{}, conversation.View{Kind: conversation.All}, nil)
	require.NoError(t, err)
	require.False(t, scope.Matches(&feed.Facts{Channel: w.numbers[0]}))
	require.False(t, scope.Matches(nil))
	require.Empty(t, w.walk(&viewer.Viewer{}, question{kind: conversation.All}, 10))
	counts, _, err := w.Conversations.Count(t.Context(), scope)
	require.NoError(t, err)
	require.Zero(t, counts)
}

// An agent of a large organisation shares more channels than a SQL expression
// may nest.
func TestAnAgentWithEveryChannelSeesThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.scatter(30)
	v := &viewer.Viewer{AgentID: w.agent["dee"], Channels: slices.Clone(w.numbers)}
	for i := range int64(2_000) {
		v.Channels = append(v.Channels, base+i)
	}
	slices.Sort(v.Channels)
	q := question{kind: conversation.All}
	require.Len(t, w.walk(v, q, 100), 30)
	scope, err := w.Conversations.Scope(t.Context(), v, q.view(w), nil)
	require.NoError(t, err)
	counts, _, err := w.Conversations.Count(t.Context(), scope)
	require.NoError(t, err)
	require.Equal(t, int64(30), counts.Total)
	rows, err := w.Conversations.ByKey(viewer.NewContext(t.Context(), v), []int64{base, base + 1})
	require.NoError(t, err)
	require.Len(t, rows, 2)
}
