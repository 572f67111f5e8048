package crm_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent/event"
	"parley/internal/desk/crm"
	"parley/internal/desk/feed"
)

// ends are how many changes of lookups there have been, and the last.
func (r *records) ends() (n int, last feed.Event) {
	r.t.Helper()
	rows, err := r.p.Store.Ent.Event.Query().Where(event.Cause(string(feed.LookupsChanged))).Order(event.ByID()).All(r.p.System())
	require.NoError(r.t, err)
	if len(rows) > 0 {
		require.NoError(r.t, json.Unmarshal(rows[len(rows)-1].Facts, &last))
	}
	return len(rows), last
}

func (r *records) keyOf(objectType, id string) int64 {
	r.t.Helper()
	record, err := r.Conversations.RecordNamed(r.ctx, objectType, id)
	require.NoError(r.t, err)
	require.NotNil(r.t, record)
	return record.Key
}

// A write records the records at both ends of lookups that it changed, and nothing where
// they stay.
func TestChangedLookupsAreAnEventOfBothEnds(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	farm := func(id string) *crm.RecordInput { return &crm.RecordInput{ObjectType: "Farm__c", ExternalID: id} }
	r.upsert(farm("old"), farm("new"))
	n, _ := r.ends()
	require.Zero(t, n)
	r.upsert(visit("1", 0, "Name", "One", "Farm", "old"))
	of, old, fresh := r.keyOf("Visit__c", "1"), r.keyOf("Farm__c", "old"), r.keyOf("Farm__c", "new")
	n, last := r.ends()
	require.Equal(t, 1, n)
	require.ElementsMatch(t, []int64{of, old}, last.Ends)
	r.upsert(visit("1", 0, "Name", "Another", "Farm", "old"))
	n, _ = r.ends()
	require.Equal(t, 1, n, "the name alone has changed")
	r.upsert(visit("1", 0, "Farm", "new"))
	_, last = r.ends()
	require.ElementsMatch(t, []int64{of, old, fresh}, last.Ends)

	_, err := r.Delete(r.ctx, []*crm.DeletionInput{{ObjectType: "Farm__c", ExternalID: "new"}})
	require.NoError(t, err)
	_, last = r.ends()
	require.ElementsMatch(t, []int64{of, fresh}, last.Ends, "who references what went is an end too")
	r.p.Clock.Advance(time.Second)
	r.upsert(farm("new"))
	n, last = r.ends()
	require.Equal(t, 4, n)
	require.ElementsMatch(t, []int64{of, fresh}, last.Ends, "and what came back")

	var many []*crm.RecordInput
	for i := range 1001 {
		many = append(many, visit(fmt.Sprint("many", i), 0, "Name", "Many", "Farm", "new"))
	}
	for start := 0; start < len(many); start += crm.MostPerCall {
		r.upsert(many[start:min(start+crm.MostPerCall, len(many))]...)
	}
	_, err = r.Delete(r.ctx, []*crm.DeletionInput{{ObjectType: "Farm__c", ExternalID: "new"}})
	require.NoError(t, err)
	_, last = r.ends()
	require.True(t, last.AnyEnd, "too many to be named")
	require.Empty(t, last.Ends)
}
