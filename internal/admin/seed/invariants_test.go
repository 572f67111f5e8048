package seed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// checkInvariants counts everything again, in the plainest way there is.
func checkInvariants(t *testing.T, s *store.Store) {
	t.Helper()
	none := func(what, statement string) {
		t.Helper()
		require.Empty(t, parleytest.Rows(t, s, statement), what)
	}
	none("numbers are dense", `SELECT c.id FROM conversations c JOIN messages m ON m.conversation_id = c.id GROUP BY c.id, c.first_seq, c.last_seq
		HAVING COUNT(*) <> c.last_seq - c.first_seq + 1 OR MIN(m.seq) <> c.first_seq OR MAX(m.seq) <> c.last_seq`)
	none("no conversation is empty", `SELECT c.id FROM conversations c WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id)`)
	none("inbound ordinals", `SELECT m.id FROM messages m WHERE m.inbound_ordinal <>
		(SELECT COUNT(*) FROM messages x WHERE x.conversation_id = m.conversation_id AND x.seq <= m.seq AND x.direction = 'INBOUND')`)
	none("inbound counts", `SELECT c.id FROM conversations c WHERE c.read_count > c.inbound_count OR c.read_count < 0 OR c.inbound_count <>
		(SELECT COUNT(*) FROM messages m WHERE m.conversation_id = c.id AND m.direction = 'INBOUND')`)
	none("what is new is unread", `SELECT id FROM conversations WHERE inbound_count > read_count AND NOT is_unread`)
	none("the last message, notes apart", `SELECT c.id FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id AND m.seq =
		(SELECT MAX(x.seq) FROM messages x WHERE x.conversation_id = c.id AND x.kind <> 'NOTE')
		WHERE m.id IS NULL OR m.id <> c.last_message_id OR m.created_at <> c.last_message_at OR m.direction <> c.last_direction OR m.text <> c.preview`)
	none("the last incoming", `SELECT c.id FROM conversations c WHERE c.last_incoming_at <>
		(SELECT COALESCE(MAX(m.created_at), 0) FROM messages m WHERE m.conversation_id = c.id AND m.direction = 'INBOUND')`)
	none("times follow numbers", `SELECT m.id FROM messages m JOIN messages x ON x.conversation_id = m.conversation_id AND x.seq = m.seq + 1
		WHERE x.created_at < m.created_at`)
	none("participants are those who sent", `SELECT DISTINCT conversation_id, author_id FROM messages WHERE direction = 'OUTBOUND'
		EXCEPT SELECT conversation_id, agent_id FROM participants`)
	none("nobody else is a participant", `SELECT conversation_id, agent_id FROM participants
		EXCEPT SELECT DISTINCT conversation_id, author_id FROM messages WHERE direction = 'OUTBOUND'`)
	none("participants sort as their conversations", `SELECT p.id FROM participants p JOIN conversations c ON c.id = p.conversation_id
		WHERE p.last_message_at <> c.last_message_at`)
	none("sent_by lists the participants", sentByDiffers(s))
	none("every outbound has an attempt of its status", `SELECT m.id FROM messages m WHERE m.direction = 'OUTBOUND' AND NOT EXISTS
		(SELECT 1 FROM attempts a WHERE a.message_id = m.id AND a.status = m.status AND a.error_code = m.error_code
		AND a.number = (SELECT COUNT(*) FROM attempts b WHERE b.message_id = m.id))`)
	none("nothing waits to be sent", `SELECT id FROM attempts WHERE status NOT IN ('DELIVERED', 'READ', 'FAILED')`)
	none("attempts are of outbound messages", `SELECT a.id FROM attempts a JOIN messages m ON m.id = a.message_id WHERE m.direction <> 'OUTBOUND'`)
	none("queue is the channel's", `SELECT c.id FROM conversations c JOIN channels h ON h.id = c.channel_id
		WHERE COALESCE(c.queue_id, 0) <> COALESCE(h.queue_id, 0)`)
	none("sole owners own what nobody was assigned", `SELECT c.id FROM conversations c JOIN channel_members m ON m.channel_id = c.channel_id
		WHERE NOT c.assigned AND (SELECT COUNT(*) FROM channel_members x WHERE x.channel_id = c.channel_id) = 1
		AND COALESCE(c.owner_id, 0) <> m.agent_id`)
	none("the last sender owns what is shared and nobody was assigned", `SELECT c.id FROM conversations c WHERE NOT c.assigned
		AND (SELECT COUNT(*) FROM channel_members x WHERE x.channel_id = c.channel_id) > 1
		AND COALESCE(c.owner_id, 0) <> COALESCE((SELECT m.author_id FROM messages m WHERE m.conversation_id = c.id
		AND m.direction = 'OUTBOUND' ORDER BY m.seq DESC LIMIT 1), 0)`)
	none("object types are the records'", `SELECT c.id FROM conversations c LEFT JOIN records r ON r.id = c.record_id
		WHERE c.object_type <> COALESCE(r.object_type, '')`)
	checkCells(t, s)
}

func sentByDiffers(s *store.Store) string {
	list := `json_each(c.sent_by) AS j`
	value := "j.value"
	if s.Pool() != nil {
		list, value = `json_array_elements_text(c.sent_by::json) AS j(value)`, "j.value::bigint"
	}
	return `SELECT p.id FROM participants p JOIN conversations c ON c.id = p.conversation_id
		WHERE p.agent_id NOT IN (SELECT ` + value + ` FROM ` + list + `)`
}

func checkCells(t *testing.T, s *store.Store) {
	t.Helper()
	recount := parleytest.Rows(t, s, `SELECT COALESCE(owner_id, 0) AS o, channel_id, COALESCE(queue_id, 0) AS q, object_type, COUNT(*),
		SUM(CASE WHEN inbound_count > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN is_unread THEN 1 ELSE 0 END),
		SUM(CASE WHEN is_unread AND inbound_count > 0 THEN 1 ELSE 0 END), SUM(inbound_count - read_count)
		FROM conversations GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`)
	cells := parleytest.Rows(t, s, `SELECT owner_id, channel_id, queue_id, object_type, conversations, with_inbound, unread, unread_inbound, new
		FROM count_cells WHERE conversations <> 0 ORDER BY 1, 2, 3, 4`)
	require.Equal(t, recount, cells)
}
