package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// An empty database gets its first agents, permission sets and changes by the command
// line.
func TestTheFirstAgentsAreAddedByCommands(t *testing.T) {
	t.Parallel()
	database := parleytest.Empty(t)
	parley := func(args ...string) string {
		t.Helper()
		out, err := command(t, append([]string{"--database", database}, args...)...)
		require.NoError(t, err)
		return out
	}
	parley("migrate")
	require.Contains(t, parley("agent", "list"), "parley agent add USERNAME --name NAME --role ADMIN")
	require.Contains(t, parley("permission", "list"), "The permissions are CONFIGURE_MESSAGING, MESSAGING_AGENT,")
	require.Equal(t, "ada (Ada Byron): ADMIN, licensed, active. Permission sets: none.\n", parley("agent", "add", "ada", "--name", "Ada Byron", "--role", "admin"))
	require.Equal(t, "Leads. Permissions: ASSIGN_CONVERSATION, VIEW_TEAM_INBOX. Agents: none.\n",
		parley("permission", "add", "Leads", "--permission", "view_team_inbox", "--permission", "ASSIGN_CONVERSATION"))
	require.Equal(t, "bo (Bo Lund): STANDARD, without a licence, active. Permission sets: Leads.\n",
		parley("agent", "add", "bo", "--name", "Bo Lund", "--no-licence", "--permission-set", "leads"))
	require.Equal(t, "bo (Bo Berg): SUPERVISOR, licensed, active. Permission sets: none.\n",
		parley("agent", "set", "bo", "--name", "Bo Berg", "--role", "SUPERVISOR", "--licence", "--revoke", "Leads"))
	require.Equal(t, "bo (Bo Berg): SUPERVISOR, licensed, active. Permission sets: Leads.\n", parley("agent", "set", "bo", "--grant", "Leads"))
	require.Equal(t, "Lead. Permissions: MANAGE_RECORDS. Agents: bo.\n", parley("permission", "set", "leads", "--name", "Lead", "--permission", "MANAGE_RECORDS"))
	require.Equal(t, "bo (Bo Berg): SUPERVISOR, licensed, deactivated. Permission sets: Lead.\n", parley("agent", "deactivate", "bo"))
	require.Equal(t, "USERNAME  NAME       KIND    ROLE        LICENCE  STATE        PERMISSION SETS\n"+
		"ada       Ada Byron  PERSON  ADMIN       yes      active       \nbo        Bo Berg    PERSON  SUPERVISOR  yes      deactivated  Lead\n", parley("agent", "list"))
	require.Equal(t, "NAME  PERMISSIONS     AGENTS\nLead  MANAGE_RECORDS  bo\n", parley("permission", "list"))
	var left deactivatedLine
	require.NoError(t, json.Unmarshal([]byte(parley("agent", "deactivate", "bo", "--json")), &left))
	require.Equal(t, "bo", left.Username)
	require.Zero(t, left.OwnedConversations)
	require.Contains(t, parley("agent", "activate", "bo"), "licensed, active.")

	var agents []agentLine
	require.NoError(t, json.Unmarshal([]byte(parley("agent", "list", "--json")), &agents))
	require.Len(t, agents, 2)
	require.Equal(t, []string{"Lead"}, agents[1].PermissionSets)
	var sets []setLine
	require.NoError(t, json.Unmarshal([]byte(parley("permission", "list", "--json")), &sets))
	require.Equal(t, []string{"bo"}, sets[0].Agents)
	var one agentLine
	require.NoError(t, json.Unmarshal([]byte(parley("agent", "set", "bo", "--grant", "Lead", "--json")), &one))
	require.Equal(t, agents[1], one)

	for want, args := range map[string][]string{
		`USERNAME: The name "ada" is taken`:                                                           {"agent", "add", "ADA", "--name", "Ada"},
		"--role: Use one of the roles STANDARD, SUPERVISOR":                                           {"agent", "set", "bo", "--role", "chief"},
		`there is no agent "eve" in this database; its agents are: ada, bo`:                           {"agent", "deactivate", "eve"},
		`there is no permission set "Chiefs"; see parley permission list`:                             {"agent", "set", "bo", "--grant", "Chiefs"},
		"This would leave no active agent with CONFIGURE_MESSAGING":                                   {"agent", "deactivate", "ada"},
		`--permission: There is no permission "FLY". The permissions are CONFIGURE_MESSAGING, MESSAG`: {"permission", "add", "New", "--permission", "FLY"},
	} {
		_, err := command(t, append([]string{"--database", database}, args...)...)
		require.ErrorContains(t, err, want)
	}
}

// A running server follows what a command changes within a second or so.
func TestCommandsChangeAgentsBesideARunningServer(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	url := serve(t, "--database", database, "--mode", "development", "--demo")
	minted, err := command(t, "--database", database, "token", "amy")
	require.NoError(t, err)
	ask := func() string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", strings.NewReader(`{"query": "{ viewer { agent { role } } }"}`))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(minted))
		response, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(body)
	}
	follows := func(want string, args ...string) {
		t.Helper()
		_, err := command(t, append([]string{"--database", database, "agent"}, args...)...)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return strings.Contains(ask(), want) }, 2*time.Second, 10*time.Millisecond, want)
	}
	require.Contains(t, ask(), `"STANDARD"`)
	follows(`"SUPERVISOR"`, "set", "amy", "--role", "SUPERVISOR")
	follows("UNAUTHENTICATED", "deactivate", "amy")
	follows(`"SUPERVISOR"`, "activate", "amy")

	said, err := command(t, "--database", database, "sandbox", "say", "--url", url, "--to", parleytest.Direct, "Hello")
	require.NoError(t, err)
	require.Contains(t, said, "Delivered")
	out, err := command(t, "--database", database, "agent", "deactivate", "amy")
	require.NoError(t, err)
	require.Regexp(t, `Conversations still owned: \d+\. To give them to somebody else, call bulkAssignConversations with selection: \{view: \{kind: ALL\}, filterBy: \{ownerId: "agt_\w+"\}\}\.\n$`, out)
}

// A name may hold a comma; contradictions and empty changes are refused.
func TestFlagsOfAgentsAndSetsMeanOneThing(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	run := func(args ...string) error {
		_, err := command(t, append(args, "--database", database)...)
		return err
	}
	require.NoError(t, run("permission", "add", "Leads, night", "--permission", "TAKE_ACTION"))
	require.NoError(t, run("agent", "set", "bo", "--grant", "Leads, night"))
	require.ErrorContains(t, run("agent", "set", "bo", "--grant", "Leads, night", "--revoke", "leads, night"), "both --grant and --revoke")
	require.ErrorContains(t, run("agent", "set", "bo"), "nothing to change")
	require.ErrorContains(t, run("permission", "set", "Leads, night"), "nothing to change")
	require.Error(t, run("permission", "set", "Leads, night", "--permission", ""))
	require.NoError(t, run("permission", "set", "Leads, night", "--no-permissions"))
	out, err := command(t, "permission", "list", "--json", "--database", database)
	require.NoError(t, err)
	require.Contains(t, out, `"permissions": []`)
	require.NoError(t, run("agent", "deactivate", "bo"))
	require.ErrorContains(t, run("token", "bo"), "parley agent activate bo")
}
