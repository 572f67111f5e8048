package related_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	entchannel "parley/ent/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	desk "parley/internal/desk/crm"
	"parley/internal/desk/message"
	"parley/internal/desk/object"
	"parley/internal/desk/objecttype"
	"parley/internal/desk/staff"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

type vars = parleytest.Vars

// firm is a Parley with an account, two contacts of it and a case of one of them, who
// all have conversations.
type firm struct {
	*parleytest.Parley
	account    string       // its id
	statements atomic.Int64 // of ada's requests
}

func newFirm(t *testing.T) *firm {
	f := &firm{}
	f.Parley = parleytest.New(t, func(c *app.Config) {
		c.Trace = func(ctx context.Context, _ string) func(error) {
			if v := viewer.FromContext(ctx); v != nil && v.Username == "ada" {
				f.statements.Add(1)
			}
			return nil
		}
	}).Run()
	f.relate("Contacts", object.Step{Direction: object.Down, Object: "Contact", Field: "AccountId"})
	key := f.Directory.AgentNamed("ada").Key
	require.NoError(t, f.Directory.Change(f.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Channel.Update().Where(entchannel.Address(parleytest.Sales)).AddMemberIDs(key).Exec(ctx)
	}))
	ada := f.Context("ada")
	_, err := f.Schema.Records.Upsert(ada, []*desk.RecordInput{
		record("Account", "acme", "Name", "Acme", "Phone", "+12025550190"),
		record("Contact", "ann", "LastName", "Ann", "AccountId", "Account/acme", "MobilePhone", "+12025550191"),
		record("Contact", "ben", "LastName", "Ben", "AccountId", "Account/acme", "MobilePhone", "+12025550192"),
		record("Case", "7", "CaseNumber", "7", "ContactId", "Contact/ann", "ContactMobile", "+12025550193"),
		record("Contact", "cid", "LastName", "Cid", "MobilePhone", "+12025550194"),
	})
	require.NoError(t, err)
	for _, who := range []string{"Account/acme", "Contact/ann", "Contact/ben", "Case/7", "Contact/cid"} {
		f.start(who)
	}
	f.account = f.record("Account/acme").ID()
	return f
}

func record(objectType, id string, fields ...string) *desk.RecordInput {
	in := &desk.RecordInput{ObjectType: objectType, ExternalID: id}
	for i := 0; i < len(fields); i += 2 {
		in.Fields = append(in.Fields, &desk.FieldInput{Name: fields[i], Text: &fields[i+1]})
	}
	return in
}

func (f *firm) record(name string) *conversation.Record {
	f.T.Helper()
	objectType, id, _ := strings.Cut(name, "/")
	r, err := f.Conversations.RecordNamed(f.Context("ada"), objectType, id)
	require.NoError(f.T, err)
	return r
}

// start starts a conversation with a record from Sales, which amy shares.
func (f *firm) start(name string) {
	f.T.Helper()
	f.Clock.Advance(time.Second)
	id := f.record(name).ID()
	for _, c := range f.Directory.Channels() {
		if c.Address == parleytest.Sales {
			_, err := f.Messenger.Start(f.Context("ada"), message.StartInput{ChannelID: c.ID, RecordID: &id, Text: "Hello " + name, IdempotencyKey: name})
			require.NoError(f.T, err)
		}
	}
}

// relate has accounts be related by a path.
func (f *firm) relate(label string, path ...object.Step) {
	f.T.Helper()
	t := f.Directory.ObjectType("Account")
	_, err := f.Schema.ObjectTypes.Update(f.Context("ada"), objecttype.UpdateInput{ID: t.ID, Related: append(t.Related, object.Mapping{Label: label, Path: path})})
	require.NoError(f.T, err)
}

// give lets amy read records of an object type, by a permission set whose id it returns.
func (f *firm) give(objectType string, fields ...object.FieldRight) string {
	f.T.Helper()
	set, err := f.Schema.Staff.CreatePermissionSet(f.System(), staff.CreatePermissionSetInput{
		Name: objectType, RecordRights: []object.Right{{Object: objectType, Access: object.Read, Fields: fields}}, IdempotencyKey: objectType,
	})
	require.NoError(f.T, err)
	_, err = f.Schema.Staff.Grant(f.System(), staff.GrantInput{ID: set.ID(), AgentIDs: []string{f.Directory.AgentNamed("amy").ID}})
	require.NoError(f.T, err)
	return set.ID()
}

// trail lists the view of the account as name and relation, newest first.
func (f *firm) trail(username string, filter vars) string {
	f.T.Helper()
	page := f.As(username).Do(`query($s: ID!, $f: ConversationFilter) { conversations(view: {kind: RECORD_TRAIL, subject: $s}, filterBy: $f, first: 50) {
		totalCount edges { node { name } relatedBy { label } } } }`, vars{"s": f.account, "f": filter}).Get("conversations")
	require.Len(f.T, page.Get("edges").List(), page.Get("totalCount").Int())
	return told(page.Get("edges"))
}

func told(edges parleytest.Tree) string {
	out := []string{}
	for _, e := range edges.List() {
		by := "itself"
		if !e.Get("relatedBy").IsNull() {
			by = e.Get("relatedBy", "label").String()
		}
		out = append(out, e.Get("node", "name").String()+": "+by)
	}
	return strings.Join(out, ", ")
}

func TestATrailIsAViewLikeAnyOther(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	require.Equal(t, "Ben: Contacts, Ann: Contacts, Acme: itself", f.trail("ada", nil))
	require.Equal(t, "Ben: Contacts, Ann: Contacts", f.trail("ada", vars{"objectType": "Contact"}))
	require.Empty(t, f.trail("ada", vars{"isAssigned": false, "lastMessageDirection": "INBOUND"}))
	f.relate("Cases of contacts",
		object.Step{Direction: object.Down, Object: "Contact", Field: "AccountId"}, object.Step{Direction: object.Down, Object: "Case", Field: "ContactId"})
	require.Equal(t, "7: Cases of contacts, Ben: Contacts, Ann: Contacts, Acme: itself", f.trail("ada", nil))

	found := f.As("ada").Do(`query($s: ID!) { search(query: "Ben", view: {kind: RECORD_TRAIL, subject: $s}, first: 5) { nodes { conversation { name } } } }`, vars{"s": f.account})
	require.Equal(t, "Ben", found.Get("search", "nodes", 0, "conversation", "name").String())
	none := f.As("ada").Do(`query($s: ID!) { search(query: "Cid", view: {kind: RECORD_TRAIL, subject: $s}, first: 5) { nodes { kind } } }`, vars{"s": f.account})
	require.Empty(t, none.Get("search", "nodes").List())

	preview := f.As("ada").Do(`mutation($s: ID!) { bulkMarkConversationsUnread(input: {selection: {view: {kind: RECORD_TRAIL, subject: $s}}, dryRun: true, confirmForOwner: true, idempotencyKey: "k"}) {
		preview { total } errors { message } } }`, vars{"s": f.account}).Get("bulkMarkConversationsUnread")
	require.Equal(t, 4, preview.Get("preview", "total").Int(), preview.String())
}

// Agents walk as far as they may read, and not a step further.
func TestATrailEndsWhereAnAgentMayReadNoFurther(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	const path = "Cases of contacts"
	f.relate(path,
		object.Step{Direction: object.Down, Object: "Contact", Field: "AccountId"}, object.Step{Direction: object.Down, Object: "Case", Field: "ContactId"})
	require.Equal(t, "Acme: itself", f.trail("amy", nil), "she sees all conversations of Sales, and not what relates them")
	f.give("Case")
	require.Equal(t, "Acme: itself", f.trail("amy", nil))
	contacts := f.give("Contact", object.FieldRight{Field: "AccountId", Access: object.None})
	require.Equal(t, "Acme: itself", f.trail("amy", nil))
	f.give("Account")
	require.Equal(t, "Acme: itself", f.trail("amy", nil), "the lookup is not hers to read")
	_, err := f.Schema.Staff.UpdatePermissionSet(f.System(), staff.UpdatePermissionSetInput{ID: contacts, RecordRights: []object.Right{{Object: "Contact", Access: object.Read}}})
	require.NoError(t, err)
	require.Equal(t, "7: Cases of contacts, Ben: Contacts, Ann: Contacts, Acme: itself", f.trail("amy", nil))
	_, err = f.Schema.Records.Delete(f.Context("ada"), []*desk.DeletionInput{{ObjectType: "Contact", ExternalID: "ann"}})
	require.NoError(t, err)
	require.Equal(t, "Ben: Contacts, Acme: itself", f.trail("amy", nil), "nor does a path lead through what the CRM has deleted")
}

func TestATrailKeepsWhoWasConvertedAndFollowsWhoWasMerged(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	merge := func(objectType, id, intoType, into string) {
		t.Helper()
		results, err := f.Schema.Records.Merge(f.Context("ada"), []*desk.MergeInput{{ObjectType: objectType, ExternalID: id, IntoObjectType: &intoType, IntoExternalID: into}})
		require.NoError(t, err)
		require.Nil(t, results[0].Error)
	}
	_, err := f.Schema.Records.Upsert(f.Context("ada"), []*desk.RecordInput{record("Lead", "ben", "LastName", "Lead Ben"), record("Account", "more", "Name", "More")})
	require.NoError(t, err)
	merge("Contact", "ben", "Lead", "ben")
	require.Equal(t, "Lead Ben: Contacts, Ann: Contacts, Acme: itself", f.trail("ada", nil), "what the contact was is the lead's too")
	merge("Contact", "ann", "Contact", "cid")
	require.Equal(t, "Lead Ben: Contacts, Acme: itself", f.trail("ada", nil), "Cid is of no account")
	merge("Account", "acme", "Account", "more")
	require.Equal(t, "Lead Ben: Contacts, More: itself", f.trail("ada", nil), "by the id of before")
	f.give("Contact")
	f.give("Account")
	require.Equal(t, "More: itself", f.trail("amy", nil), "a lead is not hers to read")
}

const groups = `relatedConversations { isTruncated feedCursor counts { total } groups { objectType counts { total } conversations(first: 1) {
	totalCount pageInfo { hasNextPage endCursor } edges { node { id name channel { name } } relatedBy { label } } } } }`

func TestRelatedConversationsAreGroupedByObjectType(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	ask := func() parleytest.Tree {
		return f.As("ada").Do(`{ record(objectType: "Account", externalId: "acme") { `+groups+` } }`, nil).Get("record", "relatedConversations")
	}
	before := f.statements.Load()
	got := ask()
	few := f.statements.Load() - before
	require.Equal(t, "3 false", fmt.Sprint(got.Get("counts", "total").Int(), " ", got.Get("isTruncated").Bool()))
	require.Len(t, got.Get("groups").List(), 2)
	contacts := got.Get("groups", 0)
	require.Equal(t, "Contact 2", fmt.Sprint(contacts.Get("objectType").String(), " ", contacts.Get("counts", "total").Int()))
	require.Equal(t, 2, contacts.Get("conversations", "totalCount").Int())
	require.Equal(t, "Ben: Contacts", told(contacts.Get("conversations", "edges")))
	require.Equal(t, "Acme: itself", told(got.Get("groups", 1, "conversations", "edges")))
	next := f.As("ada").Do(`query($s: ID!, $a: String!) { conversations(view: {kind: RECORD_TRAIL, subject: $s}, filterBy: {objectType: "Contact"}, after: $a) { edges { node { name } relatedBy { label } } } }`,
		vars{"s": f.account, "a": contacts.Get("conversations", "pageInfo", "endCursor").String()})
	require.Equal(t, "Ann: Contacts", told(next.Get("conversations", "edges")))

	id := contacts.Get("conversations", "edges", 0, "node", "id").String()
	of := f.As("ada").Do(`query($id: ID!) { conversation(id: $id) { `+groups+` } }`, vars{"id": id}).Get("conversation", "relatedConversations")
	require.Equal(t, 1, of.Get("counts", "total").Int(), "contacts have no mappings")

	f.relate("Cases of contacts",
		object.Step{Direction: object.Down, Object: "Contact", Field: "AccountId"}, object.Step{Direction: object.Down, Object: "Case", Field: "ContactId"})
	before = f.statements.Load()
	require.Len(t, ask().Get("groups").List(), 3)
	require.Equal(t, few, f.statements.Load()-before, "as many statements for more groups and longer paths")
	require.LessOrEqual(t, few, int64(5), "the record, its trail in two, the counts and the pages")
}

// What is said with many records, asked for at once, is what is said with each.
func TestManyRecordsHaveWhatEachHas(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	contact := f.Directory.ObjectType("Contact")
	_, err := f.Schema.ObjectTypes.Update(f.Context("ada"), objecttype.UpdateInput{ID: contact.ID, Related: []object.Mapping{{Label: "Colleagues", Path: []object.Step{
		{Direction: object.Up, Object: "Contact", Field: "AccountId"}, {Direction: object.Down, Object: "Contact", Field: "AccountId"},
	}}}})
	require.NoError(t, err)
	f.give("Contact")
	f.give("Account")
	for _, number := range []string{"+12025550191", "+12025550192", "+12025550194"} { // so that some have several
		f.Say(number, parleytest.Support, "Hello")
	}
	const shown = `externalId newest: conversations(first: 1) { totalCount pageInfo { hasNextPage hasPreviousPage } nodes { name channel { name } } }
		oldest: conversations(last: 1) { totalCount pageInfo { hasNextPage hasPreviousPage } nodes { name channel { name } } } ` + groups
	var colleagues int
	for _, username := range []string{"ada", "amy"} {
		for _, objectType := range []string{"Contact", "Account"} {
			vars := vars{"t": objectType}
			all := f.As(username).Do(`query($t: String!) { records(objectType: $t, first: 10) { nodes { `+shown+` } } }`, vars).Get("records", "nodes").List()
			require.NotEmpty(t, all)
			for _, r := range all {
				vars["id"] = r.Get("externalId").String()
				each := f.As(username).Do(`query($t: String!, $id: String!) { record(objectType: $t, externalId: $id) { `+shown+` } }`, vars).Get("record")
				require.Equal(t, withoutCursors(each), withoutCursors(r), "%s, for %s", vars["id"], username)
				colleagues += strings.Count(r.String(), "Colleagues")
			}
		}
	}
	require.Positive(t, colleagues, "trails share conversations")
}

// withoutCursors is what was answered apart from cursors, which differ each time.
func withoutCursors(t parleytest.Tree) string {
	return cursors.ReplaceAllString(t.String(), "")
}

var cursors = regexp.MustCompile(`(feedCursor|endCursor):?"?:?[^ ,}\]]*`)
