package rule_test

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/ent"
	"parley/ent/privacy"
	"parley/internal/check/parleytest"
	"parley/internal/desk/rule"
	"parley/internal/ground/viewer"
)

// readable says of every stored type whether an agent may query it at all; what
// they find is another matter.
var readable = map[string]bool{
	"Agent": true, "PermissionSet": true, "ProviderAccount": true, "AuditEntry": true, "AccessToken": true, "Channel": true, "Queue": true,
	"Organization": true, "MessagingUser": true, "Identifier": true, "QuickText": true, "Record": true, "Conversation": true, "Participant": true,
	"Message": true, "Attempt": true, "ObjectType": true, "CrmAction": true, "CrmActionRun": true, "WebhookDelivery": false, "CrmConnection": true, "CrmSync": false, "RejectedChange": false, "RecordWrite": false, "TakenWebhook": false,
	"Event": false, "LogHead": false, "CountCell": false, "IdempotencyKey": false, "ConsentEntry": false, "BulkOperation": false, "BulkBatch": false,
	"Lookup": false, "RecordValue": false, "RecordPhone": false, "FormerAnchor": false, "Pace": false, "AuditMention": false, "Secret": false, "SigningKey": false, "Preference": false,
	"LinkingRule": true, "RecordLink": false, "LinkRefusal": false, "Component": true, "ComponentVersion": true, "ComponentAnswer": false, "AutoResponse": false, "Image": true, "ImageUse": true,
	"Process": false, "Lane": false, "RawInbound": false, "Identity": false,
}

// administered are the types that administrators create.
var administered = map[string]bool{"Agent": true, "PermissionSet": true, "ProviderAccount": true, "Channel": true, "Queue": true, "Organization": true, "ObjectType": true, "CrmAction": true, "LinkingRule": true, "CrmConnection": true, "Component": true, "Image": true}

// typeClients are the clients of every type that ent generated.
func typeClients(c *ent.Client) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() && v.Field(i).MethodByName("Query").IsValid() {
			out[field.Name] = v.Field(i)
		}
	}
	return out
}

// run starts a builder of a type's client and ends it with the method.
func run(client reflect.Value, builder, end string, ctx context.Context) error { //nolint:revive // the context is an argument of what is called
	b := client.MethodByName(builder).Call(nil)[0]
	out := b.MethodByName(end).Call([]reflect.Value{reflect.ValueOf(ctx)})
	err, _ := out[len(out)-1].Interface().(error)
	return err
}

func TestEveryStoredTypeHasARule(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	require.ElementsMatch(t, slices.Collect(maps.Keys(readable)), slices.Collect(maps.Keys(typeClients(p.Store.Ent))),
		"a new type needs a policy, and a line in readable")
}

func TestWithoutAViewerTheDataLayerDeniesEverything(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	for name, client := range typeClients(p.Store.Ent) {
		require.ErrorIs(t, run(client, "Query", "Count", t.Context()), rule.ErrNoViewer, name)
		for _, write := range []string{"Create", "Update", "Delete"} {
			require.ErrorIs(t, run(client, write, "Exec", t.Context()), rule.ErrNoViewer, "%s %s", write, name)
		}
	}
}

func TestNoAgentWritesThroughTheDataLayerButAdministrators(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	for _, username := range []string{"amy", "sue", "ada"} {
		for name, client := range typeClients(p.Store.Ent) {
			for _, write := range []string{"Create", "Update", "Delete"} {
				if write == "Create" && username == "ada" && administered[name] {
					require.ErrorIs(t, run(client, write, "Exec", p.Context(username)), rule.ErrUnaudited, "an administrator may, within the audit")
					continue
				}
				require.ErrorIs(t, run(client, write, "Exec", p.Context(username)), privacy.Deny, "%s %s by %s", write, name, username)
			}
		}
	}
}

func TestAgentsReadNoneOfTheSystemsTypes(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	for name, client := range typeClients(p.Store.Ent) {
		require.NoError(t, run(client, "Query", "Count", p.System()), name)
		for _, username := range []string{"amy", "ada"} {
			err := run(client, "Query", "Count", p.Context(username))
			if readable[name] {
				require.NoError(t, err, name)
				continue
			}
			require.ErrorIs(t, err, privacy.Deny, "%s by %s", name, username)
		}
	}
}

// What the data layer shows of a conversation's parts is what its rule shows of
// the conversation.
func TestTheDataLayerShowsTheSameConversationsAsTheirRule(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	for _, to := range []string{parleytest.Sales, parleytest.Direct, parleytest.Support, parleytest.Billing} {
		p.Say("+12025550199", to, "Hello")
	}
	all := p.Store.Ent.Conversation.Query().AllX(p.System())
	require.Len(t, all, 4)
	for _, username := range []string{"amy", "bo", "sue", "ada"} {
		ctx, want := p.Context(username), 0
		for _, c := range all {
			subject := rule.Subject{Channel: c.ChannelID}
			if c.OwnerID != nil {
				subject.Owner = *c.OwnerID
			}
			if c.QueueID != nil {
				subject.Queue = *c.QueueID
			}
			if rule.Visible(viewer.FromContext(ctx)).Sees(subject) {
				want++
			}
		}
		require.Positive(t, want)
		for name, count := range map[string]func(context.Context) int{
			"conversations": p.Store.Ent.Conversation.Query().CountX, "messages": p.Store.Ent.Message.Query().CountX,
			"messaging users": p.Store.Ent.MessagingUser.Query().CountX,
		} {
			require.Equal(t, want, count(ctx), "%s of %s", name, username)
		}
	}
}
