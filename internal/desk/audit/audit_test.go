package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent/provideraccount"
	"parley/ent/queue"
	"parley/internal/check/parleytest"
	"parley/internal/desk/audit"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

type vars = parleytest.Vars

const entries = `query($filterBy: AuditFilter, $first: Int, $after: String, $last: Int, $before: String) {
	auditEntries(filterBy: $filterBy, first: $first, after: $after, last: $last, before: $before) {
		nodes { id action actor { username } actorName source subjectType subjectId subjectName detail count changes { field before after isSecret added removed } }
		pageInfo { hasNextPage hasPreviousPage startCursor endCursor } feedCursor } }`

// newest are the entries that ada finds, newest first.
func newest(p *parleytest.Parley, filter vars) []parleytest.Tree {
	p.T.Helper()
	return p.As("ada").Do(entries, vars{"filterBy": filter, "first": 100}).Get("auditEntries", "nodes").List()
}

// line is an entry as it is compared.
func line(e parleytest.Tree) string {
	words := []string{e.Get("actorName").String(), e.Get("action").String(), e.Get("subjectType").String(), e.Get("subjectName").String()}
	for _, c := range e.Get("changes").List() {
		word := c.Get("field").String()
		if c.Get("isSecret").Bool() {
			word += " secret"
		}
		for _, side := range []string{"before", "after"} {
			if value := c.Get(side); !value.IsNull() {
				word += " " + side + " " + value.String()
			}
		}
		for _, side := range []string{"added", "removed"} {
			if n := len(c.Get(side).List()); n > 0 {
				word += fmt.Sprintf(" %s %d", side, n)
			}
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}

// updateAgent changes an agent as ada, and returns the errors.
func updateAgent(p *parleytest.Parley, input vars) parleytest.Tree {
	p.T.Helper()
	return p.As("ada").Do(`mutation($i: UpdateAgentInput!) { updateAgent(input: $i) { errors { code } } }`, vars{"i": input}).Get("updateAgent", "errors")
}

func TestAnEntrySaysWhoChangedWhat(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	bo := p.Directory.AgentNamed("bo")
	made := p.As("ada").Do(`mutation { createPermissionSet(input: {name: "Leads", permissions: [ASSIGN_CONVERSATION], idempotencyKey: "k"}) { permissionSet { id } errors { code } } }`, nil)
	set := made.Get("createPermissionSet", "permissionSet", "id").String()
	for _, input := range []vars{
		{"id": bo.ID, "name": "Bo Bergson", "role": "SUPERVISOR", "isLicensed": false},
		{"id": bo.ID, "permissionSetIds": []string{set}},
		{"id": bo.ID, "permissionSetIds": []string{}},
		{"id": bo.ID, "name": "Bo Bergson"}, // no change, no entry
	} {
		require.Empty(t, updateAgent(p, input).List())
	}
	got := newest(p, nil)[:4]
	for i, want := range []string{
		"ada; UPDATED; Agent; bo; permissionSets removed 1",
		"ada; UPDATED; Agent; bo; permissionSets added 1",
		"ada; UPDATED; Agent; bo; name before Bo Berg after Bo Bergson; role before STANDARD after SUPERVISOR; isLicensed before true after false",
		`ada; CREATED; PermissionSet; Leads; name after Leads; permissions after ["ASSIGN_CONVERSATION"]`,
	} {
		require.Equal(t, want, line(got[i]))
		require.Equal(t, "ada", got[i].Get("actor", "username").String())
		require.NotEmpty(t, got[i].Get("source").String())
	}
	require.Equal(t, set, got[1].Get("changes", 0, "added", 0).String())
	require.Equal(t, bo.ID, got[0].Get("subjectId").String())
}

// Whoever looks for an agent also finds what they were added to and removed from, for as
// long as entries are kept.
func TestEntriesAreFoundByWhatTheyAddAndRemove(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	bo, sue := p.Directory.AgentNamed("bo"), p.Directory.AgentNamed("sue")
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(
			tx.Ent.Queue.Create().SetName("Repairs").AddMemberIDs(bo.Key).Exec(ctx),
			tx.Ent.PermissionSet.Create().SetName("Leads").SetPermissions(nil).AddAgentIDs(bo.Key, sue.Key).Exec(ctx),
		)
	}))
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Queue.Update().Where(queue.Name("Repairs")).RemoveMemberIDs(bo.Key).Exec(ctx)
	}))
	lines := func(id string) (lines []string) {
		for _, e := range newest(p, vars{"subjectId": id}) {
			lines = append(lines, line(e))
		}
		return lines
	}
	require.Equal(t, []string{
		"directory; UPDATED; Queue; ; members removed 1", "directory; CREATED; PermissionSet; Leads; name after Leads; permissions after []; agents added 2",
		"directory; CREATED; Queue; Repairs; name after Repairs; members added 1",
	}, lines(bo.ID)[:3])
	require.Equal(t, "directory; CREATED; PermissionSet; Leads; name after Leads; permissions after []; agents added 2", lines(sue.ID)[0])
	require.Greater(t, len(lines(sue.ID)), 1, "those of the demo data")
	require.Empty(t, p.As("sue").Do(entries, vars{"filterBy": vars{"subjectId": bo.ID}}).Get("auditEntries", "nodes").List())

	p.Clock.Advance(10 * audit.DefaultKeep) // after the demo data too
	for n := int64(1); n > 0; {
		var err error
		n, err = p.Schema.Audit.Forget(p.System())
		require.NoError(t, err)
	}
	require.Empty(t, lines(bo.ID))
	require.Empty(t, parleytest.Rows(t, p.Store, "SELECT entry_id FROM audit_mentions"))
}

// Times are read as times, none as nothing, and what an object belongs to by its id.
func TestAnEntryIsReadable(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	account := p.Directory.Account("demo").ID
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Channel.Create().SetProviderAccountID(account).SetType("WEB").SetAddress("site").SetName("Site").SetCreatedAt(tx.Now).Exec(ctx)
	}))
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ProviderAccount.UpdateOneID(account).SetLastUsedAt(clock.Of(parleytest.Start)).Exec(ctx)
	}))
	got := newest(p, nil)
	require.Equal(t, "directory; UPDATED; ProviderAccount; Sandbox carrier; lastUsedAt after "+clock.Of(parleytest.Start).String(), line(got[0]))
	require.Equal(t, "directory; CREATED; Channel; Site; type after WEB; address after site; name after Site; isActive after true; account added 1", line(got[1]))
}

// What is refused, or undone, leaves no entry.
func TestWhatDidNotHappenIsNotAudited(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	before := len(newest(p, nil))
	ada := p.Directory.AgentNamed("ada")
	errs := updateAgent(p, vars{"id": ada.ID, "role": "STANDARD"})
	require.Equal(t, "CONFLICT", errs.Get(0, "code").String(), "she is the last administrator")
	require.Len(t, newest(p, nil), before)
}

func TestOnlyAdministratorsReadTheAudit(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	own := newest(p, nil)
	require.NotEmpty(t, own, "the demo data")
	from := p.As("ada").Do(entries, nil).Get("auditEntries", "feedCursor").String()
	const stream = `subscription($after: Cursor) { auditEntriesChanged(after: $after) { kind auditEntry { subjectName } } }`
	for _, username := range []string{"amy", "bo", "sue"} {
		require.Empty(t, p.As(username).Do(entries, nil).Get("auditEntries", "nodes").List(), username)
		require.Equal(t, []string{"NOT_FOUND"}, p.As(username).Raw(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": own[0].Get("id").String()}).Codes())
	}
	require.Equal(t, own[0].Get("id").String(), p.As("ada").Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": own[0].Get("id").String()}).Get("node", "id").String())

	ada, sue := p.As("ada").Subscribe(stream, vars{"after": from}), p.As("sue").Subscribe(stream, vars{"after": from})
	defer ada.Close()
	defer sue.Close()
	require.Equal(t, "OPEN", ada.Next().Get("auditEntriesChanged", "kind").String())
	require.Equal(t, "OPEN", sue.Next().Get("auditEntriesChanged", "kind").String())
	require.Empty(t, updateAgent(p, vars{"id": p.Directory.AgentNamed("bo").ID, "name": "Bobo"}).List())
	frame := ada.Next().Get("auditEntriesChanged")
	require.Equal(t, "ENTER bo", frame.Get("kind").String()+" "+frame.Get("auditEntry", "subjectName").String())
	_, err := sue.Read(300 * time.Millisecond)
	require.Error(t, err, "she hears nothing")
}

func TestASecretIsNamedAndNeverShown(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.Ent.ProviderAccount.Query().Where(provideraccount.Key("demo")).Only(ctx)
		if err != nil {
			return err
		}
		return tx.Ent.ProviderAccount.UpdateOne(row).SetCredentials(`{"secret":"hush-hush"}`).SetName("Sandbox").Exec(ctx)
	}))
	require.Equal(t, "directory; UPDATED; ProviderAccount; Sandbox; name before Sandbox carrier after Sandbox; credentials secret", line(newest(p, nil)[0]))
	for _, row := range parleytest.Rows(t, p.Store, "SELECT changes FROM audit_entries") {
		require.NotContains(t, row, "hush")
	}
}

func TestEntriesAreFoundByWhoWhatAndWhenAndPagedBothWays(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	bo, ada := p.Directory.AgentNamed("bo").ID, p.Directory.AgentNamed("ada").ID
	for i := range 5 {
		p.Clock.Advance(time.Hour)
		require.Empty(t, updateAgent(p, vars{"id": bo, "name": fmt.Sprint("Bo ", i)}).List())
	}
	require.Len(t, newest(p, vars{"actorId": ada}), 5)
	require.Len(t, newest(p, vars{"actorId": ada, "subjectId": bo, "action": "UPDATED"}), 5)
	require.Empty(t, newest(p, vars{"subjectId": ada, "action": "UPDATED"}))
	require.Empty(t, newest(p, vars{"actorId": "agt_0000000000000"}))
	require.Empty(t, newest(p, vars{"subjectId": "nothing"}))

	seen := []string{}
	after := any(nil)
	for range 3 {
		page := p.As("ada").Do(entries, vars{"filterBy": vars{"actorId": ada}, "first": 2, "after": after}).Get("auditEntries")
		for _, e := range page.Get("nodes").List() {
			seen = append(seen, e.Get("changes", 0, "after").String())
		}
		after = page.Get("pageInfo", "endCursor").String()
	}
	require.Equal(t, []string{"Bo 4", "Bo 3", "Bo 2", "Bo 1", "Bo 0"}, seen)
	back := p.As("ada").Do(entries, vars{"filterBy": vars{"actorId": ada}, "last": 2}).Get("auditEntries")
	require.Equal(t, "Bo 1", back.Get("nodes", 0, "changes", 0, "after").String())
	require.True(t, back.Get("pageInfo", "hasPreviousPage").Bool())
	wrong := p.As("ada").Raw(entries, vars{"first": 2, "after": "nonsense"})
	require.Equal(t, []string{"BAD_INPUT"}, wrong.Codes())
}

// A flood of bad tokens makes one entry for an address and a reason.
func TestRefusedSignInsAreCounted(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	p := parleytest.OpenAt(t, database).Run()
	for range 3 {
		req, err := http.NewRequest(http.MethodPost, p.URL()+"/graphql", strings.NewReader(`{"query":"{ viewer { username } }"}`))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer not-a-token")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	}
	p.Stop()
	refused := newest(parleytest.OpenAt(t, database), vars{"action": "SIGN_IN_REFUSED"})
	require.Len(t, refused, 1)
	require.Equal(t, 3, refused[0].Get("count").Int())
	require.Equal(t, "127.0.0.1", refused[0].Get("source").String())
	require.NotEmpty(t, refused[0].Get("detail").String())
	require.NotContains(t, refused[0].Get("detail").String(), "not-a-token")
}

func TestAnExportIsJSONLinesAndAnEntryItself(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	all := newest(p, nil)
	var out bytes.Buffer
	n, err := p.Schema.Audit.Export(viewer.AsSystem(t.Context(), "command line"), nil, &out)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, int(n))
	require.Len(t, lines, len(all))
	var last struct{ ID, Action, SubjectName string }
	require.NoError(t, json.Unmarshal([]byte(lines[n-1]), &last))
	require.Equal(t, all[0].Get("id").String(), last.ID)
	exported := newest(p, nil)[0]
	require.Equal(t, "command line; EXPORTED; AuditEntry; ", line(exported))
	require.Equal(t, int(n), exported.Get("count").Int())
}

func TestEntriesAreKeptAsLongAsIsSaid(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	require.Empty(t, updateAgent(p, vars{"id": p.Directory.AgentNamed("bo").ID, "name": "Bobo"}).List())
	n, err := p.Schema.Audit.Forget(p.System())
	require.NoError(t, err)
	require.Zero(t, n)
	p.Clock.Advance(401 * 24 * time.Hour)
	n, err = p.Schema.Audit.Forget(p.System())
	require.NoError(t, err)
	require.Equal(t, int64(1), n)
}
