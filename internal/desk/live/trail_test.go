package live_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/ent/objecttype"
	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/feed"
	"parley/internal/desk/live"
	"parley/internal/ground/store"
)

// family is a bundle with a contact to whom others come to report.
type family struct {
	*bundle
	chief string // its id
}

func newFamily(t *testing.T) *family {
	t.Helper()
	f := &family{bundle: setup(t)}
	f.change(func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ObjectType.Update().Where(objecttype.Name("Contact")).SetRelated(mappings[:1]).Exec(ctx)
	})
	f.report("chief", "")
	f.report("one", "")
	f.report("two", "")
	chief, err := f.Conversations.RecordNamed(f.Context("ada"), "Contact", "chief")
	require.NoError(t, err)
	f.chief = chief.ID()
	return f
}

// report has a contact report to another, or to nobody.
func (f *family) report(contact, to string) {
	f.t.Helper()
	results, err := f.Schema.Records.Upsert(f.Context("ada"), []*crm.RecordInput{{
		ObjectType: "Contact", ExternalID: contact, Fields: []*crm.FieldInput{field("LastName", contact), field("ReportsToId", to)},
	}})
	require.NoError(f.t, err)
	require.Nil(f.t, results[0].Error)
}

// talk has customers write in, who are the contact.
func (f *family) talk(contact string, from, customers int) {
	f.t.Helper()
	f.talkOf("Contact", contact, from, customers)
}

// talkOf is talk of a record of any object type.
func (f *family) talkOf(objectType, id string, from, customers int) {
	f.t.Helper()
	r, err := f.Conversations.RecordNamed(f.Context("ada"), objectType, id)
	require.NoError(f.t, err)
	addresses := make([]any, customers)
	for i := range addresses {
		address := fmt.Sprintf("+1202555%04d", from+i)
		addresses[i] = address
		f.Say(address, parleytest.Sales, "Hello")
	}
	require.NoError(f.t, f.Store.Write(f.System(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, tx.Builder().Update("conversations").Set("record_id", r.Key).Where(entsql.In("address", addresses...)))
		return err
	}))
	f.quiet()
}

func (f *family) watch(after *string) *tap[*live.Change] {
	f.t.Helper()
	return listen(f.bundle, f.Context("ada"), func(ctx context.Context, end live.End) (<-chan *live.Change, error) {
		return f.Schema.Live.Conversations(ctx, conversation.View{Kind: conversation.RecordTrail, Subject: &f.chief}, nil, after, end)
	})
}

// Whoever resumes from the middle of what one change of lookups brought is told to read
// again; from its end, nothing is lost and nothing told twice.
func TestAChangedLookupIsEnterAndLeave(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.talk("one", 1000, 2)
	s := f.watch(nil)
	open := requireKinds(t, s, feed.Open)
	require.Zero(t, open.Counts.Total)
	f.report("one", "chief")
	first := requireKinds(t, s, feed.Enter)
	require.Equal(t, "Reports", first.Edge().RelatedBy.Label)
	require.Equal(t, feed.LookupsChanged, *first.Cause)
	require.EqualValues(t, 2, first.Counts.Total, "the counts are those after the whole change")
	last := requireKinds(t, s, feed.Enter)
	require.NotEqual(t, first.ConversationID, last.ConversationID)

	requireKinds(t, f.watch(&open.Cursor), feed.Open, feed.Reset)
	requireKinds(t, f.watch(&first.Cursor), feed.Open, feed.Reset)
	resumed := f.watch(&last.Cursor)
	requireKinds(t, resumed, feed.Open)

	f.report("two", "one") // no step of a path leads there
	f.report("one", "")
	for _, s := range []*tap[*live.Change]{s, resumed} {
		left := requireKinds(t, s, feed.Leave, feed.Leave)
		require.Nil(t, left.Conversation)
		require.Zero(t, left.Counts.Total)
	}
}

func TestTooManyAtOnceAreAReset(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.talk("one", 1000, 100)
	f.talk("two", 2000, 101)
	s := f.watch(nil)
	requireKinds(t, s, feed.Open)
	f.report("one", "chief")
	for range 100 {
		require.EqualValues(t, 100, requireKinds(t, s, feed.Enter).Counts.Total)
	}
	f.report("two", "chief")
	reset := requireKinds(t, s, feed.Reset)
	require.EqualValues(t, 201, reset.Counts.Total)
	require.Empty(t, reset.ConversationID)
}

// A deleted record takes with it whom its lookups led to, and a mapping that goes all.
func TestWhatRelatesRecordsMayGo(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.talk("one", 1000, 1)
	f.report("one", "chief")
	s := f.watch(nil)
	require.EqualValues(t, 1, requireKinds(t, s, feed.Open).Counts.Total)
	_, err := f.Schema.Records.Delete(f.Context("ada"), []*crm.DeletionInput{{ObjectType: "Contact", ExternalID: "one"}})
	require.NoError(t, err)
	require.Zero(t, requireKinds(t, s, feed.Leave).Counts.Total)
	f.talk("two", 2000, 1)
	f.report("two", "chief")
	require.EqualValues(t, 1, requireKinds(t, s, feed.Enter).Counts.Total)
	f.change(func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ObjectType.Update().Where(objecttype.Name("Contact")).SetRelated(nil).Exec(ctx)
	})
	require.Zero(t, requireKinds(t, s, feed.Reset).Counts.Total)
}

// A record that has another's place may be deleted and come back.
func TestATrailGoesOnWhenWhatHasThePlaceComesBack(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.talk("two", 1000, 1)
	f.report("two", "one")
	ada := f.Context("ada")
	_, err := f.Schema.Records.Merge(ada, []*crm.MergeInput{{ObjectType: "Contact", ExternalID: "chief", IntoExternalID: "one"}})
	require.NoError(t, err)
	_, err = f.Schema.Records.Delete(ada, []*crm.DeletionInput{{ObjectType: "Contact", ExternalID: "one"}})
	require.NoError(t, err)
	s := f.watch(nil)
	require.Zero(t, requireKinds(t, s, feed.Open).Counts.Total)
	f.Clock.Advance(time.Second)
	f.report("one", "")
	require.EqualValues(t, 1, requireKinds(t, s, feed.Reset).Counts.Total)
}

// A path leads on from what a converted lead references, which may come late.
func TestATrailFollowsWhatAConvertedLeadReferences(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.change(func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ObjectType.Update().Where(objecttype.Name("Contact")).SetRelated(mappings[4:]).Exec(ctx)
	})
	ada := f.Context("ada")
	tell := func(objectType, id string, fields ...*crm.FieldInput) {
		t.Helper()
		results, err := f.Schema.Records.Upsert(ada, []*crm.RecordInput{{ObjectType: objectType, ExternalID: id, Fields: fields}})
		require.NoError(t, err)
		require.Nil(t, results[0].Error)
	}
	tell("Contact", "chief", field("LastName", "chief"), field("AccountId", "A"))
	tell("Lead", "lead", field("LastName", "lead"), field("ConvertedAccountId", "A"))
	contact := "Contact"
	_, err := f.Schema.Records.Merge(ada, []*crm.MergeInput{{ObjectType: "Lead", ExternalID: "lead", IntoObjectType: &contact, IntoExternalID: "one"}})
	require.NoError(t, err)
	tell("Opportunity", "sale", field("Name", "sale"), field("StageName", "Prospecting"), field("CloseDate", "2026-12-01"))
	f.talkOf("Opportunity", "sale", 1000, 1)
	s := f.watch(nil)
	require.Zero(t, requireKinds(t, s, feed.Open).Counts.Total)
	tell("Lead", "lead", field("ConvertedOpportunityId", "sale"))
	require.EqualValues(t, 1, requireKinds(t, s, feed.Enter).Counts.Total)
}

// What a lead on the path was converted to may be deleted and come back, too.
func TestATrailGoesOnWhenWhatALeadBecameComesBack(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.change(func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ObjectType.Update().Where(objecttype.Name("Contact")).SetRelated(mappings[3:4]).Exec(ctx)
	})
	ada := f.Context("ada")
	tell := func(objectType, id string, fields ...*crm.FieldInput) {
		t.Helper()
		f.Clock.Advance(time.Second)
		results, err := f.Schema.Records.Upsert(ada, []*crm.RecordInput{{ObjectType: objectType, ExternalID: id, Fields: fields}})
		require.NoError(t, err)
		require.Nil(t, results[0].Error)
	}
	tell("Contact", "chief", field("LastName", "chief"), field("AccountId", "A"))
	tell("Lead", "lead", field("LastName", "lead"), field("ConvertedAccountId", "A"))
	contact := "Contact"
	_, err := f.Schema.Records.Merge(ada, []*crm.MergeInput{{ObjectType: "Lead", ExternalID: "lead", IntoObjectType: &contact, IntoExternalID: "one"}})
	require.NoError(t, err)
	f.talk("one", 1000, 1)
	_, err = f.Schema.Records.Delete(ada, []*crm.DeletionInput{{ObjectType: "Contact", ExternalID: "one"}})
	require.NoError(t, err)
	s := f.watch(nil)
	require.Zero(t, requireKinds(t, s, feed.Open).Counts.Total)
	tell("Contact", "one", field("LastName", "one"))
	require.EqualValues(t, 1, requireKinds(t, s, feed.Enter).Counts.Total)
}
