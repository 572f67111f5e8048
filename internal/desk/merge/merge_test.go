package merge_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent/messaginguser"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/merge"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

type vars = parleytest.Vars

// desk is a Parley with customers on amy's own number.
type desk struct {
	*parleytest.Parley
	user, conversation map[string]string // ids by address
}

// address is that of a customer.
func address(n int) string { return fmt.Sprintf("+120255501%02d", 80+n) }

// meet opens a desk to which so many customers have written "Hello".
func meet(t *testing.T, n int) *desk { return meetAt(parleytest.New(t), n) }

func meetAt(p *parleytest.Parley, n int) *desk {
	d := &desk{Parley: p, user: map[string]string{}, conversation: map[string]string{}}
	for i := range n {
		d.Clock.Advance(time.Second)
		d.Say(address(i), parleytest.Direct, "Hello")
	}
	for _, c := range d.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 100) { nodes { id address messagingUser { id } } } }`, nil).Get("conversations", "nodes").List() {
		d.conversation[c.Get("address").String()] = c.Get("id").String()
		d.user[c.Get("address").String()] = c.Get("messagingUser", "id").String()
	}
	return d
}

const answer = ` { messagingUser { id address consentStatus mergedInto { id } mergedFrom { id } } errors { code field message } }`

func (d *desk) merge(username, a, b, key string) parleytest.Tree {
	return d.As(username).Do(`mutation($ids: [ID!]!, $key: String!) { mergeMessagingUsers(input: {ids: $ids, idempotencyKey: $key})`+answer+` }`,
		vars{"ids": []string{a, b}, "key": key}).Get("mergeMessagingUsers")
}

func (d *desk) unmerge(username, id string) parleytest.Tree {
	return d.As(username).Do(`mutation($id: ID!) { unmergeMessagingUser(input: {id: $id})`+answer+` }`, vars{"id": id}).Get("unmergeMessagingUser")
}

// merged merges two customers who can be.
func (d *desk) merged(a, b int) {
	d.T.Helper()
	require.Empty(d.T, code(d.merge("ada", d.user[address(a)], d.user[address(b)], rand.Text())))
}

func code(payload parleytest.Tree) string {
	if errs := payload.Get("errors").List(); len(errs) > 0 {
		return errs[0].Get("code").String()
	}
	return ""
}

func (d *desk) listed() (addresses []string) {
	for _, c := range d.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 100) { nodes { address } } }`, nil).Get("conversations", "nodes").List() {
		addresses = append(addresses, c.Get("address").String())
	}
	return addresses
}

func TestOnlyAdministratorsMergeWhatTheySee(t *testing.T) {
	t.Parallel()
	d := meet(t, 2)
	a, b := d.user[address(0)], d.user[address(1)]
	absent := d.Conversations.IDs.Encode(publicid.MessagingUser, 1<<40)
	for _, username := range []string{"amy", "bo", "sue"} {
		require.Equal(t, "FORBIDDEN", code(d.merge(username, a, b, "k")), username)
		require.Equal(t, "FORBIDDEN", code(d.merge(username, absent, b, "k")), username)
		require.Equal(t, "FORBIDDEN", code(d.unmerge(username, a)), username)
	}
	require.Len(t, d.listed(), 2)
	d.Say(address(5), parleytest.Sales, "Hello")
	elsewhere := d.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { messagingUser { id } } } }`, nil).
		Get("conversations", "nodes", 0, "messagingUser", "id").String()
	for _, test := range []struct{ a, b, key, code string }{
		{absent, b, "k", "NOT_FOUND"},
		{a, "nonsense", "k", "NOT_FOUND"},
		{a, a, "k", "BAD_INPUT"},
		{a, elsewhere, "k", "BAD_INPUT"},
		{a, b, "", "BAD_INPUT"},
		{a, b, "k", ""},
		{b, a, "k", ""}, // in either order it is the same request
		{a, elsewhere, "k", "IDEMPOTENCY_CONFLICT"},
	} {
		require.Equal(t, test.code, code(d.merge("ada", test.a, test.b, test.key)), "%+v", test)
	}
	require.Equal(t, "NOT_FOUND", code(d.unmerge("ada", absent)))
	require.Equal(t, "CONFLICT", code(d.unmerge("ada", a)), "into whom others were merged")
	require.Empty(t, code(d.unmerge("ada", elsewhere)), "who never was merged")
}

// Undoing a merge once more changes nothing, also where others were merged into who was
// parted.
func TestAnUndoCanBeRepeated(t *testing.T) {
	t.Parallel()
	d := meet(t, 4)
	d.merged(1, 2)
	d.merged(0, 1)
	parted := d.user[address(1)]
	require.Empty(t, code(d.unmerge("ada", parted)))
	listed := d.listed()
	require.Len(t, listed, 3, "one of the four stays merged")
	require.Empty(t, code(d.unmerge("ada", parted)), "a repeat")
	require.Equal(t, listed, d.listed())

	d.merged(1, 3)
	require.Equal(t, "CONFLICT", code(d.unmerge("ada", parted)), "somebody meant the last merge, so they name the other")
}

// An administrator who sees no conversation of the customers may not learn of them.
func TestWhatAnAdministratorDoesNotSeeIsNotThere(t *testing.T) {
	t.Parallel()
	d := meet(t, 2)
	require.NoError(t, d.Directory.Change(d.System(), func(ctx context.Context, tx *store.Tx) error {
		set, err := tx.Ent.PermissionSet.Create().SetName("Set-up").SetPermissions([]viewer.Permission{viewer.ConfigureMessaging}).Save(ctx)
		if err != nil {
			return err
		}
		return tx.Ent.Agent.UpdateOneID(d.Directory.AgentNamed("bo").Key).AddPermissionSets(set).Exec(ctx)
	}))
	require.Equal(t, "NOT_FOUND", code(d.merge("bo", d.user[address(0)], d.user[address(1)], "k")))
	d.merged(0, 1)
	require.Equal(t, "NOT_FOUND", code(d.unmerge("bo", d.user[address(1)])))
}

// In whatever order the same merges are made, the same customer wins the same set.
func TestMergesConverge(t *testing.T) {
	t.Parallel()
	pairs := [][2]int{{4, 3}, {1, 2}, {3, 2}, {0, 5}}
	for rotation := range pairs {
		d := meet(t, 6)
		order := append(slices.Clone(pairs[rotation:]), pairs[:rotation]...)
		for i, p := range order {
			d.merged(p[i%2], p[1-i%2])
			d.merged(p[0], p[1])
		}
		require.ElementsMatch(t, []string{address(0), address(1)}, d.listed(), "%v", order)
		for _, n := range []int{2, 3, 4} {
			require.Equal(t, d.user[address(1)], d.shown(n).Get("mergedInto", "id").String())
		}
		require.Len(t, d.shown(1).Get("mergedFrom").List(), 3)
		require.Equal(t, d.user[address(0)], d.shown(5).Get("mergedInto", "id").String())
	}
}

// shown is a customer as the graph has them.
func (d *desk) shown(n int) parleytest.Tree {
	return d.As("ada").Do(`query($id: ID!) { node(id: $id) { ... on MessagingUser { consentStatus mergedInto { id } mergedFrom { id } } } }`,
		vars{"id": d.user[address(n)]}).Get("node")
}

func TestNoMoreThanTwentyAreMergedIntoOne(t *testing.T) {
	t.Parallel()
	d := meet(t, 22)
	for n := 1; n <= 20; n++ {
		d.merged(0, n)
	}
	require.Equal(t, "CONFLICT", code(d.merge("ada", d.user[address(0)], d.user[address(21)], "k")))
}

func TestAMergeCanBeUndoneForThirtyDays(t *testing.T) {
	t.Parallel()
	d := meet(t, 3)
	d.merged(0, 1)
	d.Clock.Advance(merge.Undoable)
	d.merged(0, 2)
	require.Equal(t, []string{address(0)}, d.listed())
	require.Empty(t, code(d.unmerge("ada", d.user[address(1)])), "on the last day")
	require.Equal(t, []string{address(1), address(0)}, d.listed())
	d.Clock.Advance(merge.Undoable + time.Second)
	require.Equal(t, "CONFLICT", code(d.unmerge("ada", d.user[address(2)])))
}

// Whoever changes a conversation that was merged is told which one to change.
func TestAMergedConversationIsReadAndNotChanged(t *testing.T) {
	t.Parallel()
	d := meet(t, 2)
	d.merged(0, 1)
	gone, stays := d.conversation[address(1)], d.conversation[address(0)]
	read := d.As("amy").Do(`query($id: ID!) { conversation(id: $id) { address phoneNumber isUnread newCount messageCount lastMessageAt viewerCanAssign viewerCanMarkRead
		mergedInto { id messageCount newCount } messages { nodes { id conversation { id } } } sendability { canSend } messagingUser { mergedInto { id } } } }`, vars{"id": gone}).Get("conversation")
	require.Equal(t, stays, read.Get("mergedInto", "id").String())
	require.Equal(t, 2, read.Get("mergedInto", "messageCount").Int())
	require.Equal(t, 2, read.Get("mergedInto", "newCount").Int())
	require.Equal(t, 1, read.Get("messageCount").Int())
	require.True(t, read.Get("sendability", "canSend").Bool())
	require.False(t, read.Get("viewerCanMarkRead").Bool())
	require.Equal(t, address(1), read.Get("phoneNumber").String())
	require.Equal(t, gone, read.Get("messages", "nodes", 0, "conversation", "id").String())
	for _, mutation := range []string{
		`markConversationsRead(input: {conversations: [{id: $id}]}) { results { error { code message } } }`,
		`markConversationsUnread(input: {ids: [$id]}) { results { error { code message } } }`,
	} {
		results := d.As("amy").Do(`mutation($id: ID!) { done: `+mutation+` }`, vars{"id": gone}).Get("done", "results").List()
		require.Equal(t, "CONFLICT", results[0].Get("error", "code").String(), mutation)
		require.Contains(t, results[0].Get("error", "message").String(), stays)
	}
	for _, mutation := range []string{
		`sendMessage(input: {conversationId: $id, text: "Hi", idempotencyKey: "s"}) { errors { code message } }`,
		`addNote(input: {conversationId: $id, text: "Hi", idempotencyKey: "n"}) { errors { code message } }`,
	} {
		require.Equal(t, "CONFLICT", code(d.As("amy").Do(`mutation($id: ID!) { done: `+mutation+` }`, vars{"id": gone}).Get("done")), mutation)
	}
	require.Equal(t, "NOT_FOUND", d.As("bo").Raw(`query($id: ID!) { conversation(id: $id) { id } }`, vars{"id": gone}).Codes()[0])
}

// A page's cursors hold before, while and after conversations are merged.
func TestCursorsOutliveAMerge(t *testing.T) {
	t.Parallel()
	d := meet(t, 2)
	for range 3 {
		d.Say(address(0), parleytest.Direct, "Winner")
		d.Say(address(1), parleytest.Direct, "Loser")
	}
	page := func(id, args string) parleytest.Tree {
		return d.As("amy").Do(`query($id: ID!) { conversation(id: $id) { messages(`+args+`) { totalCount pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
			nodes { number conversation { id } } } } }`, vars{"id": id}).Get("conversation", "messages")
	}
	winner, loser := d.conversation[address(0)], d.conversation[address(1)]
	places := func(p parleytest.Tree) (out []string) {
		for _, n := range p.Get("nodes").List() {
			out = append(out, fmt.Sprint(n.Get("conversation", "id").String() == winner, n.Get("number").Int()))
		}
		return out
	}
	ofWinner, ofLoser := page(winner, "last: 2").Get("pageInfo", "startCursor").String(), page(loser, "first: 2").Get("pageInfo", "endCursor").String()
	d.merged(1, 0)
	require.Equal(t, []string{"false 4", "true 1", "true 2"}, places(page(winner, `last: 3, before: "`+ofWinner+`"`)))
	require.Equal(t, []string{"false 3", "false 4"}, places(page(loser, `first: 5, after: "`+ofLoser+`"`)))
	across := page(winner, "first: 3")
	require.Equal(t, []string{"false 1", "false 2", "false 3"}, places(across))
	require.Equal(t, 8, across.Get("totalCount").Int())
	end := across.Get("pageInfo", "endCursor").String()
	require.Equal(t, []string{"false 4", "true 1"}, places(page(winner, `first: 2, after: "`+end+`"`)))
	require.Empty(t, code(d.unmerge("ada", d.user[address(1)])))
	require.Equal(t, []string{"true 1", "true 2"}, places(page(winner, `first: 2, after: "`+end+`"`)), "a stretch that is gone lies before the first")
	require.Empty(t, places(page(winner, `last: 2, before: "`+end+`"`)))
	require.Equal(t, []string{"true 1", "true 2"}, places(page(winner, `last: 2, before: "`+ofWinner+`"`)))
}

// What was under way for a conversation goes on in the one it was merged into.
func TestTheLosersMessagesGoOn(t *testing.T) {
	t.Parallel()
	d := meet(t, 2)
	send := func(id, key string) string {
		return d.As("amy").Do(`mutation($id: ID!, $key: String!) { sendMessage(input: {conversationId: $id, text: "Hi", idempotencyKey: $key}) { message { id } } }`,
			vars{"id": id, "key": key}).Get("sendMessage", "message", "id").String()
	}
	queued := send(d.conversation[address(1)], "before")
	d.merged(0, 1)
	d.Run()
	status := func() string {
		return d.As("amy").Do(`query($id: ID!) { node(id: $id) { ... on Message { status } } }`, vars{"id": queued}).Get("node", "status").String()
	}
	d.Eventually(func() bool { return status() == "DELIVERED" }, "what was queued is sent, and its receipts find it")
	require.Equal(t, address(1), d.Carrier.Got()[0].To, "where it was written to")
	started := d.As("amy").Do(`mutation($channel: ID!, $number: String!) { startConversation(input: {channelId: $channel, number: $number, text: "Hi", idempotencyKey: "start"}) {
		conversation { id } refusals { code } } }`, vars{"channel": d.direct(), "number": address(1)}).Get("startConversation")
	require.Equal(t, d.conversation[address(0)], started.Get("conversation", "id").String(), started.String())
}

func (d *desk) direct() string {
	for _, c := range d.Directory.Channels() {
		if c.Address == parleytest.Direct {
			return c.ID
		}
	}
	return ""
}

// A customer's own consent is theirs again after a merge; an opt-out stays.
func TestConsentOfMergedCustomers(t *testing.T) {
	t.Parallel()
	const out, in, prompted = channel.OptOut, channel.ImplicitOptIn, channel.Pending
	for _, test := range []struct {
		winner, loser, merged, since, winnerAfter, loserAfter channel.Consent
	}{
		{in, in, in, "", in, in},
		{in, out, out, "", in, out},
		{out, in, out, "", out, in},
		{in, channel.DoubleOptIn, in, "", in, channel.DoubleOptIn},
		{prompted, channel.DoubleOptIn, channel.DoubleOptIn, "", prompted, channel.DoubleOptIn},
		{channel.ExplicitOptIn, prompted, channel.ExplicitOptIn, "", channel.ExplicitOptIn, prompted},
		{in, in, in, out, out, out},
		{in, out, out, out, out, out}, // though nothing changed
		{in, out, out, in, in, out},
	} {
		d := meet(t, 2)
		set := func(n int, to channel.Consent) {
			require.NoError(t, d.Store.Write(d.System(), func(ctx context.Context, tx *store.Tx) error {
				return tx.Ent.MessagingUser.Update().Where(messaginguser.Address(address(n))).SetConsentStatus(to).Exec(ctx)
			}))
		}
		set(0, test.winner)
		set(1, test.loser)
		d.merged(0, 1)
		require.Equal(t, string(test.merged), d.shown(0).Get("consentStatus").String(), "%+v", test)
		if test.since != "" {
			key, _ := d.Conversations.IDs.Decode(publicid.Conversation, d.conversation[address(1)])
			require.NoError(t, d.Store.Write(d.System(), func(ctx context.Context, tx *store.Tx) error {
				row, err := d.Conversations.LoadCurrent(ctx, tx, key)
				if err != nil {
					return err
				}
				return d.Messenger.TakeConsent(ctx, tx, row, test.since)
			}))
		}
		require.Empty(t, code(d.unmerge("ada", d.user[address(1)])))
		require.Equal(t, string(test.winnerAfter), d.shown(0).Get("consentStatus").String(), "%+v", test)
		require.Equal(t, string(test.loserAfter), d.shown(1).Get("consentStatus").String(), "%+v", test)
	}
}

// Streams of a thread and of lists follow a merge and its undoing.
func TestStreamsFollowAMerge(t *testing.T) {
	t.Parallel()
	d := meet(t, 2)
	d.Run()
	winner, loser := d.conversation[address(0)], d.conversation[address(1)]
	streams := map[string]*parleytest.Socket{}
	watch := func(name, document string, v vars) {
		s := d.As("amy").Dial()
		s.Start("1", document, v)
		s.Next()
		streams[name] = s
	}
	const thread = `subscription($id: ID!) { change: conversationChanged(id: $id) { __typename ... on Reset { kind conversation { id mergedInto { id } } } } }`
	watch("winner", thread, vars{"id": winner})
	watch("loser", thread, vars{"id": loser})
	watch("list", `subscription { change: conversationsChanged(view: {kind: ALL}) { kind cause conversationId counts { total unread new } } }`, nil)
	next := func(name string) parleytest.Tree { return streams[name].Next().Get("change") }
	d.merged(0, 1)
	require.Equal(t, "RESET", next("winner").Get("kind").String())
	require.Equal(t, "LEAVE", next("loser").Get("kind").String())
	kinds := map[string]string{}
	for range 2 {
		change := next("list")
		require.Equal(t, "CONVERSATION_MERGED", change.Get("cause").String())
		kinds[change.Get("conversationId").String()] = change.Get("kind").String()
	}
	require.Equal(t, map[string]string{winner: "UPDATE", loser: "LEAVE"}, kinds)
	watch("late", thread, vars{"id": loser})
	require.Empty(t, code(d.unmerge("ada", d.user[address(1)])))
	for _, name := range []string{"winner", "loser", "late"} {
		require.Equal(t, "RESET", next(name).Get("kind").String(), name)
	}
	for range 2 {
		change := next("list")
		require.Equal(t, "CONVERSATION_UNMERGED", change.Get("cause").String())
		kinds[change.Get("conversationId").String()] = change.Get("kind").String()
		require.Contains(t, []int{1, 2}, change.Get("counts", "total").Int())
	}
	require.Equal(t, map[string]string{winner: "UPDATE", loser: "ENTER"}, kinds)
}
