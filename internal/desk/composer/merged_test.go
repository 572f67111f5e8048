package composer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

const another = "+12025550198"

// merged merges two customers of conversations, and returns the loser's id.
func (b *bundle) merged(winner, loser, key string) string {
	b.T.Helper()
	users := []string{b.user(winner), b.user(loser)}
	made := b.As("ada").Do(`mutation($i: MergeMessagingUsersInput!) { mergeMessagingUsers(input: $i) { errors { message } } }`, vars{"i": vars{"ids": users, "idempotencyKey": key}})
	require.Empty(b.T, made.Get("mergeMessagingUsers", "errors").List(), made.String())
	return users[1]
}

func (b *bundle) parted(user string) {
	b.T.Helper()
	made := b.As("ada").Do(`mutation($id: ID!) { unmergeMessagingUser(input: {id: $id}) { errors { message } } }`, vars{"id": user})
	require.Empty(b.T, made.Get("unmergeMessagingUser", "errors").List(), made.String())
}

func (b *bundle) user(conversation string) string {
	b.T.Helper()
	return b.As("amy").Do(`query($id: ID!) { conversation(id: $id) { messagingUser { id } } }`, vars{"id": conversation}).Get("conversation", "messagingUser", "id").String()
}

// answered has a customer write, and returns the question that it answers in a conversation;
// empty for none.
func (b *bundle) answered(from, text, conversation string) string {
	b.T.Helper()
	b.Say(from, parleytest.Sales, text)
	if last := b.last(conversation); last.Get("__typename").String() == "AnswerContent" {
		return last.Get("questionId").String()
	}
	return ""
}

// An open question stays open when its customer is merged into another: the last one of both
// is what they answer.
func TestAQuestionStaysOpenWhenCustomersAreMerged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, winner, loser := b.component("STATIC_QUESTION", question()), b.conversation(customer, parleytest.Sales), b.conversation(another, parleytest.Sales)
	b.sent(winner, id)
	asked := b.sent(loser, id)
	b.merged(winner, loser, "first")
	require.Equal(t, asked, b.answered(customer, "2", winner), "under either number")
	require.Empty(t, b.answered(another, "1", winner), "it is answered, and ended the one before")
	asked = b.sent(winner, id)
	require.Equal(t, asked, b.answered(another, "1", winner))
}

// When the merge is undone, the open question is the one's again whom it was put to.
func TestAnOpenQuestionIsPartedWithItsCustomer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, winner, loser := b.component("STATIC_QUESTION", question()), b.conversation(customer, parleytest.Sales), b.conversation(another, parleytest.Sales)
	asked := b.sent(loser, id)
	user := b.merged(winner, loser, "first")
	b.parted(user)
	require.Empty(t, b.answered(customer, "2", winner))
	require.Equal(t, asked, b.answered(another, "2", loser))

	b.sent(loser, id)
	b.merged(winner, loser, "second")
	require.NotEmpty(t, b.answered(another, "1", winner))
	b.parted(user)
	require.Empty(t, b.answered(another, "1", loser), "it was answered before")

	asked = b.sent(winner, id)
	b.merged(winner, loser, "third")
	b.parted(user)
	require.Empty(t, b.answered(another, "2", loser))
	require.Equal(t, asked, b.answered(customer, "2", winner))
}

// A tap says which question it answers, wherever that was asked.
func TestATapAnswersAfterAMerge(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	id, winner, loser := b.component("STATIC_QUESTION", question()), b.conversation("987654321", facebook), b.conversation("123456789", facebook)
	asked := b.sent(loser, id)
	user := b.merged(winner, loser, "first")
	b.tap("123456789", facebook, 2)
	require.Equal(t, asked, b.last(winner).Get("questionId").String())
	b.parted(user)
	b.tap("123456789", facebook, 1)
	require.Equal(t, asked, b.last(loser).Get("questionId").String())
	require.True(t, b.last(loser).Get("isRepeated").Bool())
}
