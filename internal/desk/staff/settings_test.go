package staff_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/quota"
)

func (b *bundle) channelNamed(name string) string {
	for _, c := range b.Directory.Channels() {
		if c.Name == name {
			return c.ID
		}
	}
	require.Fail(b.T, "no such channel", name)
	return ""
}

const settings = `defaultChannel { name } timeZone locale`

func TestAgentsSetTheirOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set := func(input vars) parleytest.Tree {
		return b.As("amy").Do(`mutation($i: UpdateViewerInput!) { updateViewer(input: $i) { agent { username `+settings+` } errors { code field message } } }`, vars{"i": input}).Get("updateViewer")
	}
	got := set(vars{"defaultChannelId": b.channelNamed("Sales"), "timeZone": "Europe/Berlin", "locale": "DE-at"})
	want := `{"defaultChannel":{"name":"Sales"},"locale":"de-AT","timeZone":"Europe/Berlin","username":"amy"}`
	require.Equal(t, want, got.Get("agent").String())
	head, err := b.Store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, set(vars{"defaultChannelId": b.channelNamed("Sales"), "locale": "de-AT"}).Get("agent").String())
	now, err := b.Store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, head, now, "nothing changed")

	for _, c := range []struct {
		input vars
		want  string
	}{
		{vars{"defaultChannelId": b.channelNamed("Support")}, "input.defaultChannelId: The agent may not send from such"},
		{vars{"defaultChannelId": "nonsense"}, "input.defaultChannelId: The agent may not send from such"},
		{vars{"timeZone": "Local"}, "input.timeZone: There is no such time zone"},
		{vars{"timeZone": "../../etc/passwd"}, "input.timeZone: There is no such time zone"},
		{vars{"timeZone": "Europe/Atlantis"}, "input.timeZone: There is no such time zone"},
		{vars{"locale": "german please"}, "input.locale"},
		{vars{"locale": "und"}, "input.locale"},
		{vars{"locale": "de-" + strings.Repeat("abcdefgh-", 4) + "x"}, "input.locale"},
	} {
		require.Contains(t, message(set(c.input)), c.want)
	}

	// The sender ID is gone when amy is no member any more; administrators set the rest.
	_ = b.As("ada").Do(`mutation($i: RemoveChannelMembersInput!) { removeChannelMembers(input: $i) { errors { code } } }`, vars{"i": vars{"id": b.channelNamed("Sales"), "agentIds": []string{b.id("amy")}}})
	require.Equal(t, `{"defaultChannel":null,"locale":"de-AT","timeZone":"Europe/Berlin"}`, b.As("amy").Do(`{ viewer { agent { `+settings+` } } }`, nil).Get("viewer", "agent").String())
	require.Empty(t, code(b.call("ada", "updateAgent", vars{"id": b.id("amy"), "defaultChannelId": "", "timeZone": "UTC", "locale": ""})))
	require.Equal(t, `{"defaultChannel":null,"locale":null,"timeZone":"UTC"}`, b.As("bo").Do(`query($id: ID!) { node(id: $id) { ... on Agent { `+settings+` } } }`, vars{"id": b.id("amy")}).Get("node").String())
	require.Contains(t, message(b.call("ada", "updateAgent", vars{"id": b.id("amy"), "timeZone": "Nowhere"})), "input.timeZone")
}

func TestPreferencesAreTheAgentsOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set := func(by string, input vars) parleytest.Tree {
		return b.As(by).Do(`mutation($i: SetPreferencesInput!) { setPreferences(input: $i) { preferences errors { code field message } } }`, vars{"i": input}).Get("setPreferences")
	}
	get := func(by string) parleytest.Tree {
		return b.As(by).Do(`{ viewer { preferences(frontend: "desk") } }`, nil).Get("viewer", "preferences")
	}
	for _, value := range []string{`{"theme": "dark"}`, `{"theme": "light"}`} {
		require.Equal(t, value, set("amy", vars{"frontend": "desk", "value": value}).Get("preferences").String())
		require.Equal(t, value, get("amy").String())
	}
	require.True(t, get("ada").IsNull())
	set("ada", vars{"frontend": "desk", "value": `{}`})
	require.Equal(t, `{"theme": "light"}`, get("amy").String())
	for range 2 {
		require.Empty(t, code(set("amy", vars{"frontend": "desk"})))
		require.True(t, get("amy").IsNull())
	}
	for _, c := range []struct {
		input vars
		want  string
	}{
		{vars{"frontend": "", "value": "{}"}, "input.frontend: Use 1 to 64"},
		{vars{"frontend": strings.Repeat("a", 65), "value": "{}"}, "input.frontend: Use 1 to 64"},
		{vars{"frontend": "desk", "value": `{"a": "` + strings.Repeat("x", 8_192) + `"}`}, "input.value: Use at most 8192 bytes, not 8201"},
		{vars{"frontend": "desk", "value": "[]"}, "input.value: Give the text of a JSON object"},
		{vars{"frontend": "desk", "value": "{"}, "input.value: Give the text of a JSON object"},
	} {
		require.Contains(t, message(set("amy", c.input)), c.want)
	}
	require.Equal(t, []string{"BAD_INPUT"}, b.As("amy").Raw(`{ viewer { preferences(frontend: " ") } }`, nil).Codes())
	for i := range 20 {
		require.Empty(t, code(set("amy", vars{"frontend": fmt.Sprint("desk-", i), "value": "{}"})))
	}
	require.Equal(t, "LIMIT_EXCEEDED", code(set("amy", vars{"frontend": "desk", "value": "{}"})))
	require.Empty(t, code(set("amy", vars{"frontend": "desk-0", "value": `{"changed": true}`})))
}

func TestWhoHoldsAPermission(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set := b.newSet("Assign", "SEND_ONE_TO_MANY")
	b.newSet("Also", "SEND_ONE_TO_MANY")
	b.call("ada", "grantPermissionSet", vars{"id": set, "agentIds": []string{b.id("bo"), b.id("sue")}})
	const document = `{ permissionHolders(permission: SEND_ONE_TO_MANY) { agent { username } isByRole permissionSets { name } } }`
	require.Equal(t, `[{"agent":{"username":"ada"},"isByRole":true,"permissionSets":[]},{"agent":{"username":"bo"},"isByRole":false,"permissionSets":[{"name":"Assign"}]},`+
		`{"agent":{"username":"sue"},"isByRole":true,"permissionSets":[{"name":"Assign"}]}]`, b.As("ada").Do(document, nil).Get("permissionHolders").String())
	require.Equal(t, "[]", b.As("sue").Do(document, nil).Get("permissionHolders").String())
	b.call("ada", "deactivateAgent", vars{"id": b.id("bo")})
	require.Len(t, b.As("ada").Do(document, nil).Get("permissionHolders").List(), 2)
}

// Each change of settings has every process read the agent again.
func TestHowOftenAnAgentChangesTheirSettings(t *testing.T) {
	t.Parallel()
	b := &bundle{Parley: parleytest.New(t)}
	b.Schema.Staff.Settings = quota.New("change", "settings", 6, b.Clock)
	require.Empty(t, code(b.call("amy", "updateViewer", vars{"timeZone": "Europe/Berlin"})))
	require.Equal(t, "LIMIT_EXCEEDED", code(b.call("amy", "updateViewer", vars{"timeZone": "Europe/Paris"})))
	require.Empty(t, code(b.call("bo", "updateViewer", vars{"timeZone": "Europe/Paris"})))
}
