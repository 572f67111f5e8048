package crm_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/ground/fault"
	"parley/internal/ground/page"
	"parley/internal/ground/store"
)

func (r *records) merge(pairs ...[2]string) []string {
	r.t.Helper()
	in := make([]*crm.MergeInput, len(pairs))
	for i, p := range pairs {
		in[i] = &crm.MergeInput{ObjectType: "Visit__c", ExternalID: p[0], IntoExternalID: p[1]}
	}
	results, err := r.Merge(r.ctx, in)
	require.NoError(r.t, err)
	return outcomesOf(results)
}

// stands is the external id of the record that has the place of a visit.
func (r *records) stands(id string) string {
	r.t.Helper()
	found, err := r.Conversations.RecordNamed(r.ctx, "Visit__c", id)
	require.NoError(r.t, err)
	if found == nil {
		return ""
	}
	return found.ExternalID
}

func TestAMergedRecordFindsTheOther(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	r.upsert(visit("A", 0, "Name", "Ann"), visit("B", 0, "Name", "Bea", "Mobile", "202-555-0101", "Country", "US"), visit("C", 0, "Name", "Cy"))
	require.Equal(t, []string{"MERGED", "UNCHANGED"}, r.merge([2]string{"B", "A"}, [2]string{"B", "A"}))
	require.Equal(t, "A", r.stands("B"))
	require.Equal(t, []string{"UNCHANGED"}, r.merge([2]string{"A", "B"}), "they are one, either way")
	require.Equal(t, []string{"MERGED"}, r.upsert(visit("B", 0, "Name", "Bea again")), "the CRM's late word of it changes nothing")
	require.Equal(t, "Ann", r.holds(r.ctx, "B")["Name"])
	require.Equal(t, []string{"MERGED"}, r.merge([2]string{"A", "C"}))
	require.Equal(t, "C", r.stands("B"), "and so on")
	require.Contains(t, r.merge([2]string{"B", "D"})[0], "was merged into another record before")
	require.Equal(t, "", r.stands("D"), "what was refused leaves nothing")
	require.Contains(t, r.merge([2]string{"C", "C"})[0], "cannot be merged into itself")
	names, _, err := r.list(r.ctx, &crm.Filter{Search: text("202-555-0101")}, page.Window{Size: 5})
	require.NoError(t, err)
	require.Empty(t, names)
	removed, err := r.Delete(r.ctx, []*crm.DeletionInput{{ObjectType: "Visit__c", ExternalID: "B"}})
	require.NoError(t, err)
	require.Equal(t, []string{"MERGED"}, outcomesOf(removed), "a CRM deletes what it merges")
	require.Equal(t, "C", r.stands("A"))
}

func TestReferencesGoOnToTheRecordThatStays(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	farm := func(id, name string) *crm.RecordInput {
		return &crm.RecordInput{ObjectType: "Farm__c", ExternalID: id, Fields: []*crm.FieldInput{{Name: "Name", Text: &name}}}
	}
	r.upsert(farm("F1", "Old"), farm("F2", "New"), visit("A", 0, "Name", "Ann", "Farm", "F1"))
	results, err := r.Merge(r.ctx, []*crm.MergeInput{{ObjectType: "Farm__c", ExternalID: "F1", IntoExternalID: "F2"}})
	require.NoError(t, err)
	require.Equal(t, "New", results[0].Record.Name)
	r.upsert(visit("B", 0, "Name", "Bo", "Farm", "F1"))
	for _, id := range []string{"A", "B"} {
		require.Equal(t, "New", r.farmOf(id))
	}
	require.Equal(t, 2, r.count("SELECT count(*) FROM lookups l JOIN records r ON r.id = l.target_id WHERE r.external_id = 'F2'"))
}

// farmOf is the name of the farm that a visit references.
func (r *records) farmOf(id string) string {
	r.t.Helper()
	record, err := r.Conversations.RecordNamed(r.ctx, "Visit__c", id)
	require.NoError(r.t, err)
	fields, err := r.Fields(r.ctx, []*conversation.Record{record}, []string{"Farm"})
	require.NoError(r.t, err)
	farms, err := r.References(r.ctx, fields[0])
	require.NoError(r.t, err)
	return farms[0].Name
}

// A lead that was converted: its conversations are the contact's, whichever comes first.
func TestConversationsAreOfTheRecordThatStays(t *testing.T) {
	t.Parallel()
	remove := func(r *records) {
		_, err := r.Delete(r.ctx, []*crm.DeletionInput{{ObjectType: "Visit__c", ExternalID: "V1"}})
		require.NoError(r.t, err)
	}
	merge := func(r *records) { r.merge([2]string{"V1", "W"}) }
	arrive := func(r *records) { r.upsert(visit("W", 0, "Name", "Wendy")) }
	for what, steps := range map[string][]func(*records){
		"merged":                            {arrive, merge},
		"merged first":                      {merge, arrive},
		"merged, then deleted":              {arrive, merge, remove},
		"deleted, then merged":              {arrive, remove, merge},
		"deleted, merged, then it is known": {remove, merge, arrive},
		"known last":                        {merge, remove, arrive},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := newRecords(t)
			id := r.said("202-555-0142")
			loser := r.p.As("ada").Do(shown, parleytest.Vars{"id": id}).Get("conversation", "record", "id").String()
			for _, step := range steps {
				step(r)
			}
			c := r.p.As("ada").Do(shown, parleytest.Vars{"id": id}).Get("conversation")
			require.Equal(t, "Wendy W", c.Get("name").String()+" "+c.Get("record", "externalId").String())
			page := r.p.As("ada").Do(`query($record: ID!) { conversations(view: {kind: RECORD, subject: $record}) { totalCount } }`, parleytest.Vars{"record": loser})
			require.Equal(t, 1, page.Get("conversations", "totalCount").Int(), "by the id of before")
		})
	}
}

// A record that comes back gets its conversations back, unless they have another by now.
func TestARecordThatComesBackGetsItsConversations(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	id := r.said("202-555-0143")
	_, err := r.Delete(r.ctx, []*crm.DeletionInput{{ObjectType: "Visit__c", ExternalID: "V1", DeletedAt: visit("", 2).ModifiedAt}})
	require.NoError(t, err)
	require.Equal(t, 1, r.count("SELECT count(*) FROM former_anchors"))
	r.upsert(visit("V1", 3, "Name", "Kim again"))
	c := r.p.As("ada").Do(shown, parleytest.Vars{"id": id}).Get("conversation")
	require.Equal(t, "Kim again V1", c.Get("name").String()+" "+c.Get("record", "externalId").String())
	require.Equal(t, 0, r.count("SELECT count(*) FROM former_anchors"))
}

// Merges in any order, in any calls, come to the same.
func TestTheOrderOfMergesDoesNotMatter(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	for round := range uint64(20) {
		random := rand.New(rand.NewPCG(round, 1))
		// A tree of merges: each record but the first is merged into an earlier one.
		id := func(i int) string { return fmt.Sprintf("%d-%d", round, i) }
		var pairs [][2]string
		for i := 1; i < 12; i++ {
			pairs = append(pairs, [2]string{id(i), id(random.IntN(i))})
		}
		random.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		cut := random.IntN(len(pairs))
		late := random.IntN(12)
		for i := range 12 {
			if i != late {
				r.upsert(visit(id(i), 0, "Name", id(i)))
			}
		}
		r.merge(pairs[:max(cut, 1)]...)
		r.upsert(visit(id(late), 0, "Name", id(late)))
		r.merge(pairs...)
		for i := range 12 {
			require.Equal(t, id(0), r.stands(id(i)), "round %d", round)
		}
	}
}

// office is a plain model of records and of one conversation.
type office struct {
	there, gone, optedOut map[string]bool
	into                  map[string]string
	place                 string // the conversation's record, or the one that has its place
	consentGone           bool
}

func (o *office) root(id string) string {
	for o.into[id] != "" {
		id = o.into[id]
	}
	return id
}

func (o *office) stands(id string) bool { return o.there[id] && !o.gone[id] }

func (o *office) upsert(id string, optedOut bool) {
	if o.into[id] == "" {
		o.there[id], o.gone[id], o.optedOut[id] = true, false, optedOut
	}
}

func (o *office) remove(id string) {
	if o.into[id] == "" && o.stands(id) {
		o.gone[id] = true
		o.consentGone = o.consentGone || o.place == id && o.optedOut[id]
	}
}

func (o *office) merge(id, into string) {
	root := o.root(into)
	if o.root(id) == root || o.into[id] != "" {
		return
	}
	if o.into[id] = root; o.place == id {
		o.place = root
		o.consentGone = o.consentGone || o.stands(id) && o.optedOut[id] && (!o.stands(root) || !o.optedOut[root])
	}
}

// Whatever a CRM says in whatever order, a conversation is of the record that has the
// place of its own, and nobody who had opted out is written to.
func TestConversationsFollowMergesDeletionsAndOptOuts(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	for round := range uint64(50) {
		random := rand.New(rand.NewPCG(round, 7))
		id := func(i int) string { return fmt.Sprintf("%d-%d", round, i) }
		conversation := r.begun(id(0), fmt.Sprintf("202-555-01%02d", 40+round))
		o := &office{there: map[string]bool{id(0): true}, gone: map[string]bool{}, optedOut: map[string]bool{}, into: map[string]string{}, place: id(0)}
		var done []string
		for step := range 14 {
			a, b, at := id(random.IntN(3)), id(random.IntN(3)), visit("", step+2).ModifiedAt
			switch random.IntN(4) {
			case 0, 1:
				optedOut := random.IntN(3) == 0
				r.upsert(visit(a, step+2, "Name", a, "OptOut", fmt.Sprint(optedOut)))
				o.upsert(a, optedOut)
				done = append(done, "upsert "+a)
			case 2:
				_, err := r.Delete(r.ctx, []*crm.DeletionInput{{ObjectType: "Visit__c", ExternalID: a, DeletedAt: at}})
				require.NoError(t, err)
				o.remove(a)
				done = append(done, "delete "+a)
			case 3:
				if a == b {
					continue
				}
				r.merge([2]string{a, b})
				o.merge(a, b)
				done = append(done, "merge "+a+" into "+b)
			}
			got := r.p.As("ada").Do(shown, parleytest.Vars{"id": conversation}).Get("conversation")
			record := ""
			if o.stands(o.place) {
				record = o.place
			}
			is := ""
			if !got.Get("record").IsNull() {
				is = got.Get("record", "externalId").String()
			}
			require.Equal(t, record, is, done)
			require.Equal(t, o.consentGone || o.stands(o.place) && o.optedOut[o.place], len(got.Get("sendability", "refusals").List()) > 0, done)
		}
	}
}

func TestOnlyWhoManagesRecordsMergesThem(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	_, err := r.Merge(r.p.Context("amy"), []*crm.MergeInput{{ObjectType: "Visit__c", ExternalID: "A", IntoExternalID: "B"}})
	require.Equal(t, fault.Forbidden, fault.CodeOf(err))
}

func (r *records) count(query string) (n int) {
	r.t.Helper()
	err := r.p.Store.Read(r.ctx, store.System("tests count rows"), store.SQL(query), func(rows *sql.Rows) error { return rows.Scan(&n) })
	require.NoError(r.t, err)
	return n
}
