package resolvers_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/ent"
	"parley/ent/provideraccount"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/bulk"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/textindex"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// matrix is an organisation in which every role meets every relation to a
// conversation. What a role may see is written out here, by hand.
type matrix struct {
	*parleytest.Parley
	agents  map[string]int64
	objects []*object
	absent  *object // ids that could be, of nothing that is there
	// operation is a bulk operation of the owner's, of everything they see, paused.
	operation string
}

// seen is what each role sees, and all that it sees.
var seen = map[string][]string{
	"owner":      {"own"},
	"sharer":     {"shared"},
	"queued":     {"queue"},
	"stranger":   {},
	"supervisor": {"own", "others"},
	"admin":      {"own", "shared", "queue", "others", "unassigned"},
	"unlicensed": {"shared"},
}

// object is a conversation with what belongs to it.
type object struct {
	name                  string
	conversation, message string // public ids
	user, record, owner   string
	externalName          string
	row                   int64
}

func (o *object) seenBy(role string) bool { return slices.Contains(seen[role], o.name) }

func newMatrix(t *testing.T) *matrix {
	m := &matrix{Parley: parleytest.New(t)}
	require.NoError(t, m.Directory.Change(context.Background(), m.organise))
	ids := m.Conversations.IDs
	const nowhere = 1 << 40
	m.absent = &object{
		name: "absent", conversation: ids.Encode(publicid.Conversation, nowhere), message: ids.Encode(publicid.Message, nowhere),
		user: ids.Encode(publicid.MessagingUser, nowhere), record: ids.Encode(publicid.Record, nowhere), externalName: "absent",
	}
	begun, err := m.Bulk.MarkUnread(m.Context("owner"), bulk.MarkInput{
		Selection: &bulk.Selection{View: &conversation.View{Kind: conversation.All}}, IdempotencyKey: "matrix",
	})
	require.NoError(t, err)
	m.operation = begun.Operation.ID()
	_, err = m.Bulk.Pause(m.Context("owner"), m.operation)
	require.NoError(t, err)
	return m
}

func (m *matrix) organise(ctx context.Context, tx *store.Tx) error {
	m.agents, m.objects = map[string]int64{}, nil
	agents := map[string]*ent.Agent{}
	for name, role := range map[string]viewer.Role{
		"owner": viewer.Standard, "sharer": viewer.Standard, "queued": viewer.Standard, "stranger": viewer.Standard,
		"supervisor": viewer.Supervisor, "admin": viewer.Admin, "unlicensed": viewer.Standard, "inactive": viewer.Admin, "colleague": viewer.Standard,
	} {
		a, err := tx.Ent.Agent.Create().SetUsername(name).SetName(name).SetRole(role).SetCreatedAt(tx.Now).
			SetLicensed(name != "unlicensed").SetActive(name != "inactive").Save(ctx)
		if err != nil {
			return err
		}
		agents[name], m.agents[name] = a, a.ID
	}
	queue, err := tx.Ent.Queue.Create().SetName("Matrix").AddMembers(agents["queued"]).Save(ctx)
	if err != nil {
		return err
	}
	account, err := tx.Ent.ProviderAccount.Query().Where(provideraccount.Provider("sandbox")).First(ctx)
	if err != nil {
		return err
	}
	number := func(address string, members ...*ent.Agent) *ent.Channel {
		return tx.Ent.Channel.Create().SetAccount(account).SetType(channel.SMSLongCode).SetName(address).SetAddress(address).
			SetCountry("US").AddMembers(members...).SetCreatedAt(tx.Now).SaveX(ctx)
	}
	plain, shared := number("+12025550300"), number("+12025550301", agents["sharer"], agents["unlicensed"])
	for i, o := range []struct {
		name    string
		channel *ent.Channel
		owner   int64
		queue   int64
	}{
		{"own", plain, m.agents["owner"], 0},
		{"shared", shared, 0, 0},
		{"queue", plain, 0, queue.ID},
		{"others", plain, m.agents["colleague"], 0},
		{"unassigned", plain, 0, 0},
	} {
		if err := m.add(ctx, tx, o.name, fmt.Sprintf("+1202555031%d", i), o.channel, o.owner, o.queue); err != nil {
			return err
		}
	}
	return nil
}

// add makes a conversation with a record, an inbound and a sent message.
func (m *matrix) add(ctx context.Context, tx *store.Tx, name, address string, ch *ent.Channel, owner, queue int64) error {
	ids := m.Conversations.IDs
	user := tx.Ent.MessagingUser.Create().SetChannel(ch).SetAddress(address).SetConsentStatus(channel.ImplicitOptIn).SetCreatedAt(tx.Now).SaveX(ctx)
	record := tx.Ent.Record.Create().SetObjectType("Contact").SetExternalID(name).SetMobileNumber(address).SaveX(ctx)
	create := tx.Ent.Conversation.Create().SetChannel(ch).SetMessagingUser(user).SetRecord(record).SetObjectType("Contact").SetAddress(address).SetName(name + " Matrix").
		SetLastMessageAt(tx.Now).SetLastDirection(content.Outbound).SetIsUnread(true).SetInboundCount(1).SetLastSeq(2).SetCreatedAt(tx.Now)
	if owner != 0 {
		create.SetOwnerID(owner)
	}
	if queue != 0 {
		create.SetQueueID(queue)
	}
	conv := create.SaveX(ctx)
	first := tx.Ent.Message.Create().SetConversation(conv).SetSeq(1).SetKind(content.Text).SetSource(content.Customer).SetDirection(content.Inbound).
		SetText("Hi").SetInboundOrdinal(1).SetCreatedAt(tx.Now).SaveX(ctx)
	textindex.AddMessages(tx, textindex.Message{ID: first.ID, ConversationID: conv.ID, ChannelID: ch.ID, At: tx.Now, Text: "Hi"})
	textindex.SetCustomers(tx, textindex.Customer{ConversationID: conv.ID, ChannelID: ch.ID, Name: name + " Matrix", Address: address})
	sent := tx.Ent.Message.Create().SetConversation(conv).SetSeq(2).SetKind(content.Text).SetSource(content.Desk).SetDirection(content.Outbound).
		SetText("Yes").SetStatus(channel.Sent).SetInboundOrdinal(1).SetCreatedAt(tx.Now).SaveX(ctx)
	tx.Ent.Attempt.Create().SetMessage(sent).SetConversationID(conv.ID).SetNumber(1).SetStatus(channel.Sent).
		SetProviderAccountID(ch.ProviderAccountID).SetCreatedAt(tx.Now).ExecX(ctx)
	tx.Ent.Conversation.UpdateOneID(conv.ID).SetLastMessageID(sent.ID).ExecX(ctx)
	m.objects = append(m.objects, &object{
		name: name, row: conv.ID, conversation: ids.Encode(publicid.Conversation, conv.ID), message: ids.Encode(publicid.Message, sent.ID),
		user: ids.Encode(publicid.MessagingUser, user.ID), record: ids.Encode(publicid.Record, record.ID), externalName: name,
		owner: m.agentID(owner),
	})
	facts := &feed.Facts{Owner: owner, Channel: ch.ID, Queue: queue, Record: record.ID, ObjectType: "Contact", Unread: true, Inbound: 1, Direction: content.Outbound, LastMessageAt: tx.Now, LastMessageID: sent.ID}
	return feed.Record(tx, &feed.Event{Cause: feed.MessageAdded, ConversationID: conv.ID, MessageID: sent.ID, After: facts})
}

// agentID is the public id of an agent; empty for nobody.
func (m *matrix) agentID(key int64) string {
	if key == 0 {
		return ""
	}
	return m.Conversations.IDs.Encode(publicid.Agent, key)
}

// touch marks a conversation unread as the system, which is an event.
func (m *matrix) touch(o *object) {
	require.NoError(m.T, m.Store.Write(m.System(), func(ctx context.Context, tx *store.Tx) error {
		_, err := m.Conversations.Change(ctx, tx, o.row, func(_ context.Context, row *conversation.Row) (feed.Event, error) {
			if row.IsUnread = !row.IsUnread; !row.IsUnread {
				row.ReadCount = row.InboundCount
			}
			return feed.Event{Cause: feed.MessageAdded, MessageID: row.LastMessageID}, nil
		})
		return err
	}))
}
