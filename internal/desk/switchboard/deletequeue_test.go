package switchboard_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/bulkload"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

const deleteQueue = `mutation($i: DeleteQueueInput!) { deleteQueue(input: $i) { deletedId conversations quickTexts errors { code field message } } }`

func (b *bundle) deleteQueue(input vars) parleytest.Tree {
	b.T.Helper()
	return b.As("ada").Do(deleteQueue, vars{"i": input}).Get("deleteQueue")
}

// queue makes a queue with members and returns its id.
func (b *bundle) queue(name string, members ...string) string {
	b.T.Helper()
	ids := []string{}
	for _, m := range members {
		ids = append(ids, b.agent(m))
	}
	return b.call("ada", "createQueue", vars{"name": name, "memberIds": ids}).Get("queue", "id").String()
}

// A queue goes with what is in it into another queue, where its members see it, here and
// in every process; the audit names both.
func TestADeletedQueueHandsOnWhatItHolds(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	b, there := &bundle{Parley: parleytest.OpenAt(t, database).Run()}, parleytest.OpenAt(t, database).Run()
	old, other := b.queue("Old", "bo"), b.queue("Other", "amy")
	direct := b.channelAt(parleytest.Direct)
	b.call("ada", "updateChannel", vars{"id": direct, "queueId": old})
	b.Say("+12025550198", parleytest.Direct, "Hello")
	b.As("bo").Do(`mutation($q: ID!) { createQuickText(input: {title: "Bye", text: "Bye", scope: QUEUE, queueId: $q, idempotencyKey: "q"}) { quickText { id } errors { message } } }`, vars{"q": old})

	require.Contains(t, message(b.deleteQueue(vars{"id": old, "moveToId": other})), "Channels whose new conversations go to this queue: 1, such as")
	b.call("ada", "updateChannel", vars{"id": direct, "queueId": ""})
	require.Contains(t, message(b.deleteQueue(vars{"id": old})), "conversations: 1, and quick texts: 1")
	require.Contains(t, message(b.deleteQueue(vars{"id": old, "moveToId": old})), "input.moveToId: Give another queue")
	require.Equal(t, "NOT_FOUND", code(b.deleteQueue(vars{"id": old, "moveToId": direct})))
	dry := b.deleteQueue(vars{"id": old, "dryRun": true})
	require.Equal(t, []string{"", "1", "1"}, []string{dry.Get("deletedId").String(), dry.Get("conversations").String(), dry.Get("quickTexts").String()})

	stream := there.As("sue").Subscribe(`subscription { quickTextsChanged { kind } }`, nil)
	stream.Next()
	done := b.deleteQueue(vars{"id": old, "moveToId": other})
	require.Empty(t, code(done), message(done))
	require.Equal(t, old, done.Get("deletedId").String())
	b.Eventually(func() bool { return len(there.Directory.Queues()) == len(b.Directory.Queues()) }, "the other process knows")
	texts := there.As("amy").Do(`{ quickTexts(first: 10) { nodes { title queue { name } } } }`, nil).Get("quickTexts", "nodes").String()
	require.Contains(t, texts, `{"queue":{"name":"Other"},"title":"Bye"}`)
	require.Equal(t, "NOT_FOUND", code(b.deleteQueue(vars{"id": old})), "a repeat")
	rows := parleytest.Rows(t, b.Store, "SELECT action, subject_name, detail FROM audit_entries WHERE subject_type = 'Queue' ORDER BY id DESC LIMIT 2")
	require.Contains(t, strings.Join(rows, "\n"), "Its conversations (1) and quick texts (1) went to Other.")
	require.Contains(t, rows[0], "DELETED")
	require.Contains(t, rows[0], "Old")
}

// What is moved is counted in its new queue, those that were merged too, whoever looks.
func TestConversationsOfADeletedQueueStayCounted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	from, to := b.queue("From", "bo"), b.queue("To", "amy")
	sales := b.channelAt(parleytest.Sales)
	b.call("ada", "updateChannel", vars{"id": sales, "queueId": from})
	for _, number := range []string{"+12025550181", "+12025550182", "+12025550183"} {
		b.Say(number, parleytest.Sales, "Hello")
	}
	b.call("ada", "updateChannel", vars{"id": sales, "queueId": ""})
	users := b.As("ada").Do(`{ messagingUsers(first: 2) { nodes { id } } }`, nil).Get("messagingUsers", "nodes").List()
	merged := b.As("ada").Do(`mutation($ids: [ID!]!) { mergeMessagingUsers(input: {ids: $ids, idempotencyKey: "m"}) { errors { message } } }`,
		vars{"ids": []string{users[0].Get("id").String(), users[1].Get("id").String()}})
	require.Empty(t, merged.Get("mergeMessagingUsers", "errors").List())
	done := b.deleteQueue(vars{"id": from, "moveToId": to})
	require.Empty(t, code(done), message(done))
	require.Equal(t, "3", done.Get("conversations").String())
	counted := parleytest.Rows(t, b.Store, "SELECT SUM(conversations) FROM count_cells WHERE queue_id <> 0")
	stored := parleytest.Rows(t, b.Store, "SELECT COUNT(*) FROM conversations WHERE queue_id IS NOT NULL AND merged_into IS NULL")
	require.Equal(t, stored, counted)
	require.Empty(t, parleytest.Rows(t, b.Store, "SELECT id FROM conversations WHERE queue_id IS NOT NULL AND queue_id NOT IN (SELECT id FROM queues)"))
}

// hold puts so many new conversations into a queue.
func (b *bundle) hold(queue string, n int) {
	b.T.Helper()
	key, _ := b.Conversations.IDs.Decode(publicid.Queue, queue)
	ch := b.Directory.Channels()[0]
	require.NoError(b.T, b.Store.Write(b.System(), func(ctx context.Context, tx *store.Tx) error {
		into, err := bulkload.New(ctx, tx, map[bulkload.Table]int{bulkload.Users: n, bulkload.Conversations: n})
		if err != nil {
			return err
		}
		for range n {
			user := bulkload.User{Key: into.Key(bulkload.Users), Channel: ch.Key, Consent: channel.ImplicitOptIn, CreatedAt: tx.Now}
			user.Address = fmt.Sprintf("+1202%07d", user.Key)
			into.User(user, ch.Type)
			row := &conversation.Row{
				Key: into.Key(bulkload.Conversations), ChannelID: ch.Key, MessagingUserID: user.Key, QueueID: key,
				Address: user.Address, FirstSeq: 1, LastSeq: 1, LastMessageAt: tx.Now, CreatedAt: tx.Now,
			}
			into.Conversation(row, ch.Type)
		}
		return into.Save(ctx, tx)
	}))
}

// A request that has moved as many as it may looks whether there are more.
func TestAQueueOfAsManyConversationsAsARequestMovesIsDeleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	to := b.queue("To", "amy")
	exactly, more := b.queue("Exactly", "bo"), b.queue("More", "bo")
	b.hold(exactly, 2_000)
	done := b.deleteQueue(vars{"id": exactly, "moveToId": to})
	require.Empty(t, code(done), message(done))
	require.Equal(t, "2000", done.Get("conversations").String())

	b.hold(more, 2_001)
	require.Equal(t, "LIMIT_EXCEEDED", code(b.deleteQueue(vars{"id": more, "moveToId": to})))
	done = b.deleteQueue(vars{"id": more, "moveToId": to})
	require.Empty(t, code(done), message(done))
	require.Equal(t, "1", done.Get("conversations").String())
}
