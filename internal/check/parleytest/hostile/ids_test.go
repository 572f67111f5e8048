package hostile_test

import (
	"bytes"
	"crypto/rand"
	"image"
	"image/png"
	mathrand "math/rand/v2"
	"slices"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/desk/crmsync"
	"parley/internal/edge/server"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// own are ids that the attacker may use.
func (a *agent) own(o object) map[string]string {
	a.t.Helper()
	var mine struct {
		Viewer struct {
			Agent    struct{ ID string }
			Channels []struct{ ID string }
		}
	}
	a.do(&mine, `{ viewer { agent { id } channels { id } } }`, nil)
	return map[string]string{
		"id": o.ID, "ids": o.ID, "conversationId": o.ID, "messageId": o.LastMessage.ID, "upToMessageId": o.LastMessage.ID,
		"agentId": mine.Viewer.Agent.ID, "expectedOwner": mine.Viewer.Agent.ID, "channelId": mine.Viewer.Channels[0].ID, "number": "+12025550777", "objectType": "Contact",
	}
}

// action defines an action, of which amy knows nothing if it is not hers to take.
func (w *world) action(is string) string {
	w.t.Helper()
	var made struct {
		CreateCrmAction struct{ Action struct{ ID string } }
	}
	w.as("ada").do(&made, `mutation($n: String!) { createCrmAction(input: {name: $n, developerName: $n, idempotencyKey: $n, `+is+`}) { action { id } } }`, vars{"n": "A" + rand.Text()})
	return made.CreateCrmAction.Action.ID
}

// connection is one to a CRM, made by an operator who has a key.
func (w *world) connection() string {
	w.t.Helper()
	a, err := app.Open(w.t.Context(), app.Config{Database: w.Database, KeyFile: w.t.TempDir() + "/key", Mode: server.Development})
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, a.Close()) }()
	made, _, err := a.Schema.Syncs.Create(viewer.AsSystem(w.t.Context(), "test"), crmsync.CreateInput{Name: rand.Text(), Kind: crmsync.Webhook, IdempotencyKey: rand.Text()})
	require.NoError(w.t, err)
	return made.ID()
}

// component defines a component, of which everybody knows.
func (w *world) component() string {
	w.t.Helper()
	var made struct {
		CreateComponent struct{ Component struct{ ID string } }
	}
	w.as("ada").do(&made, `mutation($n: String!) { createComponent(input: {name: "Open", developerName: $n, idempotencyKey: $n, kind: ENHANCED_LINK,
		design: {formats: [{format: RICH_LINK, title: "Home", url: "https://example.com/"}]}}) { component { id } } }`, vars{"n": "C" + rand.Text()})
	return made.CreateComponent.Component.ID
}

// image uploads an image, which everybody sees.
func (w *world) image() string {
	w.t.Helper()
	var picture bytes.Buffer
	require.NoError(w.t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 1+mathrand.IntN(999), 1+mathrand.IntN(99)))))
	a, err := app.Open(w.t.Context(), app.Config{Database: w.Database, KeyFile: w.t.TempDir() + "/key", Files: w.t.TempDir(), Mode: server.Development})
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, a.Close()) }()
	made, err := a.Schema.Pictures.Upload(viewer.AsSystem(w.t.Context(), "test"), &picture)
	require.NoError(w.t, err)
	return made.ID()
}

// hidden are some ids of a kind of which the attacker sees nothing.
func (w *world) hidden(kind publicid.Kind, s *sights) (ids []string) {
	w.t.Helper()
	switch kind {
	case publicid.BulkOperation:
		ids = w.as("ada").operations(s.hidden[0].ID)
		for _, id := range ids {
			s.secret[id] = true
		}
		return ids
	case publicid.QuickText:
		var all struct {
			QuickTexts struct {
				Nodes []struct{ ID, Title string }
			}
		}
		w.as("sue").do(&all, `{ quickTexts(filterBy: {scope: QUEUE}) { nodes { id title } } }`, nil)
		require.Len(w.t, all.QuickTexts.Nodes, 1)
		s.secret[all.QuickTexts.Nodes[0].ID], s.secret[all.QuickTexts.Nodes[0].Title] = true, true
		return []string{all.QuickTexts.Nodes[0].ID}
	case publicid.PermissionSet:
		var all struct{ PermissionSets []struct{ ID, Name string } }
		w.as("ada").do(&all, `{ permissionSets { id name } }`, nil)
		require.NotEmpty(w.t, all.PermissionSets)
		s.secret[all.PermissionSets[0].ID], s.secret[all.PermissionSets[0].Name] = true, true
		return []string{all.PermissionSets[0].ID}
	case publicid.ObjectType:
		var all struct{ ObjectTypes []struct{ ID string } }
		w.as("ada").do(&all, `{ objectTypes { id } }`, nil)
		require.NotEmpty(w.t, all.ObjectTypes)
		s.secret[all.ObjectTypes[0].ID] = true
		return []string{all.ObjectTypes[0].ID}
	case publicid.CrmAction:
		id := w.action(`type: AUTOMATIC, trigger: FIRST_INBOUND, isActive: false, performs: CREATE_RECORD,
			parameters: [{label: "Type", key: "ObjectName", type: VALUE, value: "Lead"}, {label: "Name", key: "LastName", type: VALUE, value: "New"}]`)
		s.secret[id] = true
		return []string{id}
	case publicid.CrmConnection:
		id := w.connection()
		s.secret[id] = true
		return []string{id}
	case publicid.CrmActionRun:
		id := w.action(`type: MANUAL, performs: OPEN_URL, parameters: [{label: "Address", key: "Url", type: URL, value: "https://crm.example.com/"}]`)
		var made struct {
			RunCrmAction struct{ Run struct{ ID string } }
		}
		w.as("ada").do(&made, `mutation($a: ID!, $c: ID!, $k: String!) { runCrmAction(input: {actionId: $a, conversationId: $c, idempotencyKey: $k}) { run { id } } }`,
			vars{"a": id, "c": s.hidden[0].ID, "k": rand.Text()})
		s.secret[made.RunCrmAction.Run.ID] = true
		return []string{made.RunCrmAction.Run.ID}
	case publicid.LinkingRule:
		var mine struct {
			Viewer struct{ Channels []struct{ ID string } }
		}
		w.as("amy").do(&mine, `{ viewer { channels { id } } }`, nil)
		var made struct {
			CreateLinkingRule struct{ Rule struct{ ID, Name string } }
		}
		w.as("ada").do(&made, `mutation($c: ID!, $n: String!) { createLinkingRule(input: {channelId: $c, name: $n, objectType: "Contact", mode: SUGGESTED, idempotencyKey: $n}) { rule { id name } } }`,
			vars{"c": mine.Viewer.Channels[0].ID, "n": rand.Text()})
		s.secret[made.CreateLinkingRule.Rule.ID], s.secret[made.CreateLinkingRule.Rule.Name] = true, true
		return []string{made.CreateLinkingRule.Rule.ID}
	case publicid.Component:
		return []string{w.component()}
	case publicid.Image:
		return []string{w.image()}
	case publicid.AccessToken:
		var all struct{ AccessTokens []struct{ ID string } }
		w.as("ada").do(&all, `{ accessTokens { id } }`, nil)
		require.NotEmpty(w.t, all.AccessTokens)
		s.secret[all.AccessTokens[0].ID] = true
		return []string{all.AccessTokens[0].ID}
	case publicid.AuditEntry:
		var all struct {
			AuditEntries struct{ Nodes []struct{ ID string } }
		}
		w.as("ada").do(&all, `{ auditEntries(first: 2) { nodes { id } } }`, nil)
		for _, entry := range all.AuditEntries.Nodes {
			ids = append(ids, entry.ID)
			s.secret[entry.ID] = true
		}
		require.NotEmpty(w.t, ids)
		return ids
	case publicid.Account:
		var all struct{ ProviderAccounts []struct{ ID, Name string } }
		w.as("ada").do(&all, `{ providerAccounts { id name } }`, nil)
		require.NotEmpty(w.t, all.ProviderAccounts)
		s.secret[all.ProviderAccounts[0].ID], s.secret[all.ProviderAccounts[0].Name] = true, true
		return []string{all.ProviderAccounts[0].ID}
	case publicid.Queue:
		var mine struct {
			Viewer struct{ Queues []struct{ ID string } }
		}
		w.as("sue").do(&mine, `{ viewer { queues { id } } }`, nil)
		return []string{mine.Viewer.Queues[0].ID}
	case publicid.Agent, publicid.Channel:
		var all struct{ Agents, Channels []struct{ ID string } }
		w.as("ada").do(&all, `{ agents { id } channels { id } }`, nil)
		theirs := all.Agents[2:] // bo and sue
		if kind == publicid.Channel {
			theirs = all.Channels[1:3] // not amy's alone
		}
		for _, x := range theirs {
			ids = append(ids, x.ID)
		}
		return ids
	}
	for _, o := range s.hidden {
		if id := o.of(kind); id != "" && s.secret[id] && !slices.Contains(ids, id) {
			if ids = append(ids, id); len(ids) == 2 {
				return ids
			}
		}
	}
	require.NotEmpty(w.t, ids, kind)
	return ids
}

// operations are the ids of one bulk operation, begun once.
func (a *agent) operations(conversation string) []string {
	a.t.Helper()
	var begun struct {
		BulkMarkConversationsUnread struct{ Operation *struct{ ID string } }
	}
	a.do(&begun, `mutation($id: ID!) { bulkMarkConversationsUnread(input: {selection: {ids: [$id]}, idempotencyKey: "hidden"}) { operation { id } errors { code } } }`,
		vars{"id": conversation})
	require.NotNil(a.t, begun.BulkMarkConversationsUnread.Operation)
	return []string{begun.BulkMarkConversationsUnread.Operation.ID}
}
