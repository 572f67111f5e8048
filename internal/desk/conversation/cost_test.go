package conversation_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// crowd writes thousands of conversations of which cy sees ten: four owned, one
// on each of the three numbers, three in the queue. Everything else is on other
// numbers, nobody's or amy's. With wide set, cy sees hundreds in each part.
func (w *world) crowd(n int64, wide bool) {
	rows := make([]*conversation.Row, 0, n)
	for i := range n {
		r := w.row(i, 4+int(i%2), clock.Time(1_000_000+i*31%n*1000), ownedBy([]int64{0, w.agent["amy"], w.agent["bo"]}[i%3]))
		r.Type = []string{"", "Contact", "Lead"}[i/2%3]
		if wide && i%4 == 0 {
			w.give(r, i/4%10)
		} else if !wide && i%250 == 7 && i/250 < 10 {
			w.give(r, i/250)
		}
		rows = append(rows, r)
	}
	w.insert(rows...)
	if parleytest.OnPostgres() {
		w.analyze()
	}
}

// give makes the row one that cy sees.
func (w *world) give(r *conversation.Row, n int64) {
	r.Type = "Contact"
	switch {
	case n < 4:
		r.OwnerID, r.SentBy = w.agent["cy"], []int64{w.agent["cy"]}
	case n < 7:
		r.ChannelID, r.OwnerID = w.numbers[n-4], 0
	default:
		r.ChannelID, r.QueueID, r.OwnerID = w.numbers[3], w.second, 0
	}
}

// analyze lets PostgreSQL's planner know the tables, as its daemon does in time.
func (w *world) analyze() {
	require.NoError(w.T, w.Store.Read(system(), store.System("a test looks"), sqlText{text: "ANALYZE"}, nil))
}

// plan is a node of a plan by PostgreSQL.
type plan struct {
	Type    string  `json:"Node Type"`
	Table   string  `json:"Relation Name"`
	Rows    float64 `json:"Actual Rows"`
	Removed float64 `json:"Rows Removed by Filter"`
	Recheck float64 `json:"Rows Removed by Index Recheck"`
	Loops   float64 `json:"Actual Loops"`
	Plans   []plan
}

func (p plan) visited() float64 {
	n := 0.0
	if p.Table != "" && p.Table != "log_heads" {
		n = (p.Rows + p.Removed + p.Recheck) * p.Loops
	}
	for _, child := range p.Plans {
		n += child.visited()
	}
	return n
}

// pageCost runs a page and returns how many rows it visited: by PostgreSQL's
// account there; on SQLite 0, after requiring that its plan scans no table.
func (w *world) pageCost(v *viewer.Viewer, q question, window conversation.Window) int {
	w.T.Helper()
	scope, err := w.Conversations.Scope(w.T.Context(), v, q.view(w), q.filter(w))
	require.NoError(w.T, err)
	query, err := w.Conversations.PageQuery(scope, nil, window)
	require.NoError(w.T, err)
	text, args := query.Query()
	if !parleytest.OnPostgres() {
		w.requireIndexed(text, args, v.Can(viewer.ViewAllData))
		return 0
	}
	var doc []byte
	w.read(sqlText{"EXPLAIN (ANALYZE, FORMAT JSON) " + text, args}, func() {}, &doc)
	var plans []struct{ Plan plan }
	require.NoError(w.T, json.Unmarshal(doc, &plans))
	return int(plans[0].Plan.visited())
}

// requireIndexed requires that SQLite finds rows by index and reads them in
// order: what it may sort are the merged tops. It may walk along an index only
// for who sees everything.
func (w *world) requireIndexed(text string, args []any, seesAll bool) {
	var id, parent, unused int
	var detail string
	correlated := map[int]bool{}
	w.read(sqlText{"EXPLAIN QUERY PLAN " + text, args}, func() {
		correlated[id] = correlated[parent] || strings.HasPrefix(detail, "CORRELATED") && strings.Contains(detail, "LIST")
		step, rest, _ := strings.Cut(detail, " ")
		table, by, _ := strings.Cut(rest, " ")
		stored := table == "conversations" || table == "participants" || table == "x" || table == "s"
		along := seesAll && strings.HasPrefix(by, "USING")
		require.False(w.T, step == "SCAN" && stored && !along, "%s\n%s", detail, text)
		require.False(w.T, correlated[id] && strings.Contains(detail, "TEMP B-TREE FOR ORDER"), "%s\n%s", detail, text)
	}, &id, &parent, &unused, &detail)
}

var pricedViews = map[string]question{
	"all": {kind: conversation.All}, "my inbox": {kind: conversation.MyInbox}, "sent": {kind: conversation.Sent},
	"unassigned": {kind: conversation.Unassigned}, "contacts": {kind: conversation.ObjectType, object: "Contact"},
	"unread": {kind: conversation.All, unread: ptr(true)},
}

// An agent who sees ten of thousands pays for ten: a merged part is visited once
// to find the place and once for the row.
func TestAnAgentPaysForWhatTheySee(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crowd(3_000, false)
	v := w.viewer("cy")
	require.Len(t, w.walk(v, question{kind: conversation.All}, 100), 10)
	views := map[string]question{"sender ID": {kind: conversation.SenderID, channel: w.numbers[0]}}
	for name, q := range pricedViews {
		views[name] = q
	}
	for name, q := range views {
		require.LessOrEqual(t, w.pageCost(v, q, conversation.Window{Size: 20}), 40, name)
	}
}

// A page in the middle of a long list costs what the first one costs.
func TestALaterPageCostsAsTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crowd(4_000, true)
	const size = 5
	for _, username := range []string{"cy", "ada"} {
		v := w.viewer(username)
		for name, q := range pricedViews {
			at, window := viewer.NewContext(t.Context(), v), conversation.Window{Size: size}
			first := w.pageCost(v, q, window)
			pages := 40
			if n := len(w.walk(v, q, 100)); n < (pages+1)*size {
				pages = n/size - 1
			}
			for range pages {
				page, err := w.Conversations.List(at, q.view(w), q.filter(w), nil, window, conversation.Selected{})
				require.NoError(t, err)
				if !page.HasNextPage {
					break
				}
				window.Cursor = *page.PageInfo().EndCursor
			}
			later := w.pageCost(v, q, window)
			// Five parts of cy's sight, a page and one row of each, found and read.
			const most = 5*(size+1) + 2*(size+1) + 10
			require.LessOrEqual(t, first, most, "%s's first page of %s", username, name)
			require.LessOrEqual(t, later, most, "%s's page %d of %s", username, pages, name)
		}
	}
}

// What the statement of a page looks like does not depend on whose it is.
func TestAPageIsOneStatementWhateverTheSight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := func(channels ...int64) string {
		scope, err := w.Conversations.Scope(t.Context(), &viewer.Viewer{AgentID: 1, Channels: channels}, conversation.View{Kind: conversation.All}, nil)
		require.NoError(t, err)
		q, err := w.Conversations.PageQuery(scope, nil, conversation.Window{Size: 20})
		require.NoError(t, err)
		text, _ := q.Query()
		return text
	}
	require.Equal(t, text(1), text(1, 2, 3, 4, 5), "so that it stays prepared")
	require.Equal(t, 1, strings.Count(text(1), "FROM log_heads"))
}
