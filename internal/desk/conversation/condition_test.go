package conversation_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/related"
)

// wants are what each condition may want, in their order: none that every
// conversation matches, so that a form that ignores it shows.
func (w *world) wants() [conversation.ConditionCount][]any {
	amy := w.agent["amy"]
	return [...][]any{
		{true},                     // nothing
		{amy, int64(0)},            // ownedBy
		{w.numbers[0]},             // onChannel
		{w.numbers[:2]},            // offChannels
		{w.records[0]},             // aboutRecord
		{w.trail(w.records[0])},    // onTrail
		{"Contact"},                // ofObjectType
		{true},                     // withInbound
		{true, false},              // isUnread
		{true, false},              // isAssigned
		{string(content.Outbound)}, // inDirection
		{int64(4)},                 // sinceTime
		{int64(4)},                 // beforeTime
		{amy},                      // sentBy
	}
}

// trail is that of a record to which none is related.
func (w *world) trail(record int64) *related.Trail {
	trail, err := related.Read(w.System(), w.Store, w.Directory, record)
	require.NoError(w.T, err)
	return trail
}

// requireAlike compares every form of a scope with the Go form.
func (w *world) requireAlike(t *testing.T, s *conversation.Scope, all map[int64]*feed.Facts) {
	var want, list []int64
	var counts, fromRows conversation.Counts
	for key, f := range all {
		if s.Matches(f) {
			want = append(want, key)
			counts = s.Fold(counts, &feed.Event{After: f})
		}
	}
	require.Less(t, len(want), len(all), "a condition that everything matches shows nothing")
	got, _, err := w.Conversations.Count(t.Context(), s)
	require.NoError(t, err)
	require.Equal(t, counts, got, "the counts")
	total, err := w.Conversations.Total(t.Context(), s)
	require.NoError(t, err)
	require.Equal(t, counts.Total, total, "the total")
	var head int64
	w.read(w.Conversations.RowCountQuery(s), func() {}, &head, &fromRows.Total, &fromRows.Unread, &fromRows.New)
	require.Equal(t, counts, fromRows, "the count of rows")
	rows, _, err := w.Conversations.Few(t.Context(), s, len(all))
	require.NoError(t, err)
	for _, r := range rows {
		list = append(list, r.Key)
	}
	require.ElementsMatch(t, want, list, "the list")
}

// A condition that the standing counts cannot answer is counted from the rows,
// without anybody saying so. This test changes the conditions: it runs alone.
func TestAConditionWithoutCellsIsCountedFromTheRows(t *testing.T) {
	w := newWorld(t)
	w.scatter(150)
	all, ada := w.facts(), w.viewer("ada")
	for i, wants := range w.wants() {
		require.NotEmpty(t, wants)
		for _, want := range wants {
			s := conversation.Only(ada, i, want)
			w.requireAlike(t, s, all)
			undo := conversation.WithoutCells(i)
			require.False(t, s.Counted(), "condition %d", i)
			w.requireAlike(t, s, all)
			undo()
		}
	}
}

// A field of the filter that no condition reads would narrow nothing.
func TestEveryFieldOfTheFilterHasACondition(t *testing.T) {
	t.Parallel()
	var fields []string
	for i := range conversation.ConditionCount {
		if field := conversation.FilterField(i); field != "" {
			fields = append(fields, strings.ToLower(field))
		}
	}
	var want []string
	for f := range reflect.TypeFor[conversation.Filter]().Fields() {
		want = append(want, strings.ToLower(f.Name))
	}
	slices.Sort(fields)
	slices.Sort(want)
	require.Equal(t, want, fields)
}
