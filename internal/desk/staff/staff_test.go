package staff_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent"
	"parley/internal/check/parleytest"
	"parley/internal/desk/staff"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

type vars = parleytest.Vars

// bundle is the demo organisation: ada is its only administrator.
type bundle struct {
	*parleytest.Parley
	made int
}

func setup(t *testing.T) *bundle { return &bundle{Parley: parleytest.New(t)} }

// fields are what each mutation answers.
var fields = map[string]string{
	"Agent":         `agent { id username name role isLicensed isActive }`,
	"PermissionSet": `permissionSet { id name permissions agents { username } }`,
}

// call calls a mutation of agents or permission sets.
func (b *bundle) call(by, mutation string, input vars) parleytest.Tree {
	b.T.Helper()
	what := "Agent"
	if strings.HasSuffix(mutation, "PermissionSet") {
		what = "PermissionSet"
	}
	selection := fields[what]
	if mutation == "deletePermissionSet" {
		selection = `deletedId`
	}
	if mutation == "deactivateAgent" {
		selection += ` ownedConversations { count viewKind ownerId }`
	}
	typed := strings.ToUpper(mutation[:1]) + mutation[1:] + "Input!"
	if strings.HasPrefix(mutation, "create") && input["idempotencyKey"] == nil {
		b.made++
		input["idempotencyKey"] = fmt.Sprint("key-", b.made)
	}
	return b.As(by).Do(`mutation($i: `+typed+`) { `+mutation+`(input: $i) { `+selection+` errors { code field message } } }`, vars{"i": input}).Get(mutation)
}

func (b *bundle) id(username string) string { return b.Directory.AgentNamed(username).ID }

// newSet makes a permission set and returns its id.
func (b *bundle) newSet(name string, permissions ...string) string {
	b.T.Helper()
	made := b.call("ada", "createPermissionSet", vars{"name": name, "permissions": append([]string{}, permissions...)})
	require.Empty(b.T, code(made))
	return made.Get("permissionSet", "id").String()
}

func (b *bundle) can(username string) string {
	b.T.Helper()
	v, err := b.Directory.Viewer(username)
	require.NoError(b.T, err)
	return strings.Join(viewer.PermissionNames(v.Permissions), " ")
}

func code(payload parleytest.Tree) string {
	if errs := payload.Get("errors").List(); len(errs) > 0 {
		return errs[0].Get("code").String()
	}
	return ""
}

func message(payload parleytest.Tree) string {
	return payload.Get("errors", 0, "field").String() + ": " + payload.Get("errors", 0, "message").String()
}

func TestAPermissionSetIsDeletedOnceNobodyHasIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set := b.newSet("Leads", "ASSIGN_CONVERSATION")
	having := vars{"id": set, "agentIds": []string{b.id("bo")}}
	b.call("ada", "grantPermissionSet", having)
	require.Equal(t, "CONFLICT", code(b.call("ada", "deletePermissionSet", vars{"id": set})))
	require.Contains(t, b.can("bo"), "ASSIGN_CONVERSATION")
	b.call("ada", "revokePermissionSet", having)
	require.Equal(t, set, b.call("ada", "deletePermissionSet", vars{"id": set}).Get("deletedId").String())
	require.NotContains(t, b.As("ada").Do(`{ permissionSets { id } }`, nil).String(), set)
	require.Equal(t, "NOT_FOUND", code(b.call("ada", "deletePermissionSet", vars{"id": set})), "a repeat")
	last := parleytest.Rows(t, b.Store, "SELECT action, subject_name FROM audit_entries ORDER BY id DESC LIMIT 1")
	require.Contains(t, last[0], "DELETED")
	require.Contains(t, last[0], "Leads")
	b.newSet("Leads", "ASSIGN_CONVERSATION")
}

// Others cannot tell an agent or a permission set that is there from one that is not.
func TestOnlyAdministratorsManageAgents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set := b.newSet("Secret", "MANAGE_RECORDS")
	noAgent, noSet := b.Conversations.IDs.Encode(publicid.Agent, 1<<40), b.Conversations.IDs.Encode(publicid.PermissionSet, 1<<40)
	inputs := func(agent, set string) map[string]vars {
		return map[string]vars{
			"createAgent":         {"username": "new", "name": "New", "role": "STANDARD", "permissionSetIds": []string{set}},
			"updateAgent":         {"id": agent, "permissionSetIds": []string{set}},
			"deactivateAgent":     {"id": agent},
			"activateAgent":       {"id": agent},
			"createPermissionSet": {"name": "New", "permissions": []string{}},
			"updatePermissionSet": {"id": set, "name": "Renamed"},
			"deletePermissionSet": {"id": set},
			"grantPermissionSet":  {"id": set, "agentIds": []string{agent}},
			"revokePermissionSet": {"id": set, "agentIds": []string{agent}},
		}
	}
	for _, username := range []string{"amy", "bo", "sue"} {
		for mutation, input := range inputs(b.id("bo"), set) {
			nothing := b.call(username, mutation, inputs(noAgent, noSet)[mutation])
			require.Equal(t, "FORBIDDEN", code(nothing), mutation)
			require.Contains(t, message(nothing), "CONFIGURE_MESSAGING")
			require.Equal(t, nothing.String(), b.call(username, mutation, input).String(), "%s by %s", mutation, username)
		}
		require.Empty(t, b.As(username).Do(`{ permissionSets { id } }`, nil).Get("permissionSets").List())
		for document, ids := range map[string][2]string{
			`query($id: ID!) { node(id: $id) { id } }`:                               {set, noSet},
			`query($id: ID!) { agentRights(agentId: $id) { agent { id } } }`:         {b.id("bo"), noAgent},
			`query($id: ID!) { agentRights(agentId: $id) { permissionSets { id } }}`: {b.id(username), noAgent},
		} {
			for _, id := range ids {
				require.Equal(t, []string{"NOT_FOUND"}, b.As(username).Raw(document, vars{"id": id}).Codes(), document)
			}
		}
	}
	require.Equal(t, []string{"NOT_FOUND"}, b.As("ada").Raw(`query($id: ID!) { agentRights(agentId: $id) { agent { id } } }`, vars{"id": noAgent}).Codes())
	for mutation, input := range inputs(noAgent, noSet) {
		if mutation != "createPermissionSet" {
			require.Equal(t, "NOT_FOUND", code(b.call("ada", mutation, input)), mutation)
		}
	}
	for _, mutation := range []string{
		"createAgent", "updateAgent", "deactivateAgent", "activateAgent", "createPermissionSet", "updatePermissionSet", "grantPermissionSet", "revokePermissionSet",
	} {
		input := inputs(b.id("bo"), set)[mutation]
		if mutation == "createPermissionSet" {
			input["name"] = "Another"
		}
		require.Empty(t, code(b.call("ada", mutation, input)), mutation)
	}
}

func TestAnAgentIsCreatedOnceAndChanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set := b.newSet("Assign", "ASSIGN_CONVERSATION")
	input := func(name string) vars {
		return vars{"username": "Zoë", "name": name, "role": "STANDARD", "isLicensed": false, "permissionSetIds": []string{set, set}, "idempotencyKey": "once"}
	}
	made := b.call("ada", "createAgent", input("Zoë Zimmer"))
	require.Equal(t, `{"id":"`+b.id("Zoë")+`","isActive":true,"isLicensed":false,"name":"Zoë Zimmer","role":"STANDARD","username":"Zoë"}`, made.Get("agent").String())
	head, err := b.Store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, made.String(), b.call("ada", "createAgent", input("Zoë Zimmer")).String())
	require.Equal(t, "IDEMPOTENCY_CONFLICT", code(b.call("ada", "createAgent", input("Another"))))
	require.Equal(t, "Zoë", b.As("Zoë").Do(`{ viewer { agent { username } } }`, nil).Get("viewer", "agent", "username").String())
	require.Contains(t, b.can("Zoë"), "ASSIGN_CONVERSATION")

	id := b.id("Zoë")
	require.Empty(t, code(b.call("ada", "updateAgent", vars{"id": id, "name": "Zoë Zimmer", "role": "STANDARD", "isLicensed": false, "permissionSetIds": []string{set}})))
	now, err := b.Store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, head, now, "nothing changed")
	changed := b.call("ada", "updateAgent", vars{"id": id, "role": "SUPERVISOR", "isLicensed": true, "permissionSetIds": []string{}}).Get("agent")
	require.Equal(t, `{"id":"`+id+`","isActive":true,"isLicensed":true,"name":"Zoë Zimmer","role":"SUPERVISOR","username":"Zoë"}`, changed.String())
	require.Contains(t, b.can("Zoë"), "VIEW_TEAM_INBOX")
	require.Empty(t, b.call("ada", "updatePermissionSet", vars{"id": set, "name": "Assigners of all"}).Get("permissionSet", "agents").List())

	list := func(isActive any) int {
		return len(b.As("amy").Do(`query($a: Boolean) { agents(isActive: $a) { id } }`, vars{"a": isActive}).Get("agents").List())
	}
	b.call("ada", "deactivateAgent", vars{"id": id})
	require.Equal(t, []int{5, 4, 1}, []int{list(nil), list(true), list(false)})
}

func TestInputsAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agents := make([]string, 501)
	for i := range agents {
		agents[i] = b.id("bo")
	}
	set := b.newSet("Taken")
	for _, c := range []struct {
		mutation string
		input    vars
		want     string
	}{
		{"createAgent", vars{"username": ""}, "input.username: Use 1 to 64 characters, not 0."},
		{"createAgent", vars{"username": strings.Repeat("é", 65)}, "input.username: Use 1 to 64 characters, not 65."},
		{"createAgent", vars{"username": "a b"}, "input.username: Use visible characters only, and no spaces."},
		{"createAgent", vars{"username": "a\u200bb"}, "input.username: Use visible characters only, and no spaces."},
		{"createAgent", vars{"username": "AMY"}, `input.username: The name "amy" is taken, whatever the case`},
		{"createAgent", vars{"name": " \u200b"}, "input.name: Enter at least one visible character."},
		{"createAgent", vars{"name": strings.Repeat("é", 201)}, "input.name: Use at most 200 characters, not 201."},
		{"createAgent", vars{"role": "OTHER"}, "input.role: Use one of the roles STANDARD, SUPERVISOR and ADMIN."},
		{"createAgent", vars{"permissionSetIds": agents}, "input.permissionSetIds: Give at most 500 ids, not 501."},
		{"createAgent", vars{"idempotencyKey": " "}, "input.idempotencyKey: "},
		{"updateAgent", vars{"id": b.id("bo"), "role": "OTHER"}, "input.role: "},
		{"updateAgent", vars{"id": b.id("bo"), "name": ""}, "input.name: "},
		{"createPermissionSet", vars{"name": "taken"}, `input.name: The name "Taken" is taken`},
		{"createPermissionSet", vars{"name": strings.Repeat("é", 201)}, "input.name: Use at most 200 characters, not 201."},
		{"updatePermissionSet", vars{"id": set, "name": "ASSIGNERS"}, `input.name: The name "Assigners" is taken`},
		{"grantPermissionSet", vars{"id": set, "agentIds": []string{}}, "input.agentIds: Give 1 to 500 ids of agents."},
		{"revokePermissionSet", vars{"id": set, "agentIds": agents}, "input.agentIds: Give at most 500 ids, not 501."},
	} {
		input := vars{}
		switch c.mutation {
		case "createAgent":
			input = vars{"username": "new", "name": "New", "role": "STANDARD"}
		case "createPermissionSet":
			input = vars{"name": "New", "permissions": []string{}}
		}
		for k, v := range c.input {
			input[k] = v
		}
		got := b.call("ada", c.mutation, input)
		require.Equal(t, "BAD_INPUT", code(got), c.want)
		require.Contains(t, message(got), c.want)
	}
	longest := b.call("ada", "createAgent", vars{"username": strings.Repeat("é", 64), "name": strings.Repeat("é", 200), "role": "STANDARD"})
	require.Empty(t, code(longest))
	require.Empty(t, code(b.call("ada", "updatePermissionSet", vars{"id": set, "name": "taken"})), "its own name in another case")
	_, err := b.Schema.Staff.CreatePermissionSet(b.Context("ada"), staff.CreatePermissionSetInput{Name: "x", Permissions: []viewer.Permission{"Fly"}, IdempotencyKey: "x"})
	require.ErrorContains(t, err, `There is no permission "Fly". The permissions are CONFIGURE_MESSAGING, MESSAGING_AGENT,`)
}

func TestThereIsRoomForFiveThousandAgents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.Directory.Change(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for from := 4; from < 5_000; from += 500 {
			var many []*ent.AgentCreate
			for i := from; i < min(from+500, 5_000); i++ {
				many = append(many, tx.Ent.Agent.Create().SetUsername(fmt.Sprint("a", i)).SetName("A").SetRole(viewer.Standard).SetCreatedAt(tx.Now))
			}
			if err := tx.Ent.Agent.CreateBulk(many...).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
	got := b.call("ada", "createAgent", vars{"username": "new", "name": "New", "role": "STANDARD"})
	require.Equal(t, "LIMIT_EXCEEDED", code(got))
	require.Contains(t, message(got), "The organisation has 5000 agents, which is the limit.")
	began := time.Now()
	require.Empty(t, code(b.call("ada", "updateAgent", vars{"id": b.id("bo"), "name": "Bo"})))
	t.Logf("a change beside 5,000 agents: %s", time.Since(began))
}

// Through sets and the role, by what each gives.
func TestPermissionSetsGiveAndTakeRights(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set := b.newSet("Leads", "VIEW_TEAM_INBOX", "ASSIGN_CONVERSATION", "ASSIGN_CONVERSATION")
	granted := b.call("ada", "grantPermissionSet", vars{"id": set, "agentIds": []string{b.id("bo"), b.id("sue")}}).Get("permissionSet")
	require.Equal(t, `{"agents":[{"username":"bo"},{"username":"sue"}],"id":"`+set+`","name":"Leads","permissions":["ASSIGN_CONVERSATION","VIEW_TEAM_INBOX"]}`, granted.String())
	require.Contains(t, b.can("bo"), "VIEW_TEAM_INBOX")
	b.call("ada", "grantPermissionSet", vars{"id": set, "agentIds": []string{b.id("bo"), b.id("amy")}})

	rights := b.As("ada").Do(`query($id: ID!) { agentRights(agentId: $id) { agent { username } permissionSets { name } channels { name } queues { name }
		permissions { permission isByRole permissionSets { name } } } }`, vars{"id": b.id("amy")}).Get("agentRights")
	require.Equal(t, `[{"name":"Assigners"},{"name":"Leads"}]`, rights.Get("permissionSets").String())
	require.Equal(t, `[{"isByRole":true,"permission":"MESSAGING_AGENT","permissionSets":[]},{"isByRole":true,"permission":"AGENT_INITIATED_OUTBOUND","permissionSets":[]},`+
		`{"isByRole":true,"permission":"TAKE_ACTION","permissionSets":[]},{"isByRole":false,"permission":"ASSIGN_CONVERSATION","permissionSets":[{"name":"Assigners"},{"name":"Leads"}]},`+
		`{"isByRole":false,"permission":"VIEW_TEAM_INBOX","permissionSets":[{"name":"Leads"}]}]`, rights.Get("permissions").String())
	require.Len(t, rights.Get("channels").List(), 3)
	require.Empty(t, rights.Get("queues").List())

	b.call("ada", "updatePermissionSet", vars{"id": set, "permissions": []string{"MANAGE_RECORDS"}})
	require.NotContains(t, b.can("bo"), "VIEW_TEAM_INBOX")
	require.Contains(t, b.can("bo"), "MANAGE_RECORDS")
	b.call("ada", "revokePermissionSet", vars{"id": set, "agentIds": []string{b.id("bo"), b.id("ada")}})
	require.NotContains(t, b.can("bo"), "MANAGE_RECORDS")
	var names []string
	for _, s := range b.As("ada").Do(`{ permissionSets { name } }`, nil).Get("permissionSets").List() {
		names = append(names, s.Get("name").String())
	}
	require.Equal(t, []string{"Assigners", "Leads"}, names)
}

// What a newer version has put in a set stays there.
func TestAPermissionOfANewerVersionStaysInItsSet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set := b.newSet("Newer", "TAKE_ACTION")
	key, _ := b.Conversations.IDs.Decode(publicid.PermissionSet, set)
	require.NoError(t, b.Directory.Change(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.PermissionSet.UpdateOneID(key).SetPermissions([]viewer.Permission{"Fly", viewer.TakeAction}).Exec(ctx)
	}))
	changed := b.call("ada", "updatePermissionSet", vars{"id": set, "permissions": []string{"MANAGE_RECORDS"}})
	require.Equal(t, `["MANAGE_RECORDS"]`, changed.Get("permissionSet", "permissions").String())
	require.Equal(t, []viewer.Permission{viewer.ManageRecords, "Fly"}, b.Store.Ent.PermissionSet.GetX(b.System(), key).Permissions)
}

func TestNobodyGivesWhatTheyDoNotHold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set, all := b.newSet("Administrators", "CONFIGURE_MESSAGING"), b.newSet("Sees all", "VIEW_ALL_DATA")
	require.Empty(t, code(b.call("ada", "grantPermissionSet", vars{"id": set, "agentIds": []string{b.id("bo")}})))
	for mutation, input := range map[string]vars{
		"updateAgent":         {"id": b.id("bo"), "role": "ADMIN"},
		"createAgent":         {"username": "new", "name": "New", "role": "SUPERVISOR"},
		"grantPermissionSet":  {"id": all, "agentIds": []string{b.id("amy")}},
		"updatePermissionSet": {"id": set, "permissions": []string{"CONFIGURE_MESSAGING", "VIEW_ALL_DATA"}},
	} {
		got := b.call("bo", mutation, input)
		require.Equal(t, "FORBIDDEN", code(got), mutation)
		require.Contains(t, message(got), "You can only give permissions that you hold yourself, and you lack ")
	}
	require.Empty(t, code(b.call("bo", "createAgent", vars{"username": "new", "name": "New", "role": "STANDARD", "permissionSetIds": []string{set}})))
	require.Nil(t, b.Directory.AgentNamed("New"))
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set := b.newSet("Administrators", "CONFIGURE_MESSAGING")
	b.call("ada", "grantPermissionSet", vars{"id": set, "agentIds": []string{b.id("bo")}})
	require.Empty(t, code(b.call("ada", "updateAgent", vars{"id": b.id("ada"), "role": "STANDARD"})), "bo is one too")
	for mutation, input := range map[string]vars{
		"deactivateAgent":     {"id": b.id("bo")},
		"updateAgent":         {"id": b.id("bo"), "permissionSetIds": []string{}},
		"updatePermissionSet": {"id": set, "permissions": []string{"MESSAGING_AGENT"}},
		"revokePermissionSet": {"id": set, "agentIds": []string{b.id("bo")}},
	} {
		got := b.call("bo", mutation, input)
		require.Equal(t, "CONFLICT", code(got), mutation)
		require.Contains(t, message(got), "Give it to another active agent first.")
	}
	require.Contains(t, b.can("bo"), "CONFIGURE_MESSAGING")
}

// What an administrator lacks they cannot lay in store either: in a set that nobody has,
// or for an agent who is not active.
func TestNobodyPreparesWhatTheyLack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admins, all := b.newSet("Administrators", "CONFIGURE_MESSAGING"), b.newSet("Sees all", "VIEW_ALL_DATA")
	require.Empty(t, code(b.call("ada", "grantPermissionSet", vars{"id": admins, "agentIds": []string{b.id("bo")}})))
	require.Empty(t, code(b.call("bo", "deactivateAgent", vars{"id": b.id("amy")})))
	empty := b.newSet("Empty", "TAKE_ACTION")
	for name, c := range map[string]struct {
		field string
		vars  vars
	}{
		"a role":          {"updateAgent", vars{"id": b.id("amy"), "role": "ADMIN"}},
		"a set":           {"grantPermissionSet", vars{"id": all, "agentIds": []string{b.id("amy")}}},
		"sets":            {"updateAgent", vars{"id": b.id("amy"), "permissionSetIds": []string{all}}},
		"into a set":      {"updatePermissionSet", vars{"id": empty, "permissions": []string{"VIEW_ALL_DATA"}}},
		"a set of theirs": {"createPermissionSet", vars{"name": "Mine", "permissions": []string{"MANAGE_RECORDS"}, "idempotencyKey": "mine"}},
	} {
		require.Equal(t, "FORBIDDEN", code(b.call("bo", c.field, c.vars)), name)
	}
	require.Empty(t, code(b.call("bo", "updatePermissionSet", vars{"id": empty, "permissions": []string{"TAKE_ACTION", "CONFIGURE_MESSAGING"}})))
}

// A username shows itself whole, and in one form.
func TestAUsernameIsSeenWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, odd := range []string{"\u3164", "\u115f", "\u2800", "ada\ufe0f", "ada\u034f", "e\u0301va", "\u0301", "ada\u200b", "ada\u202e", "a\u17b4da"} {
		require.Equal(t, "BAD_INPUT", code(b.call("ada", "createAgent", vars{"username": odd, "name": "Ada", "role": "STANDARD"})), "%+q", odd)
	}
	require.Empty(t, code(b.call("ada", "createAgent", vars{"username": "\u00e9va", "name": "\u00c9va\u001b[2J\u202e", "role": "STANDARD"})))
	require.Equal(t, "\u00c9va[2J", b.Directory.AgentNamed("\u00e9va").Name)
}
