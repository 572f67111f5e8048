package composer_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/check/parleytest"
	"parley/internal/desk/component"
	"parley/internal/ground/publicid"
)

func TestAnsweringByATap(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	id, conversation := b.component("STATIC_QUESTION", question()), b.conversation("987654321", facebook)
	message := b.sent(conversation, id)
	b.tap("987654321", facebook, 2)
	answer := b.last(conversation)
	require.Equal(t, []string{"AnswerContent", "Repairs", message, id, "false", "false"}, []string{
		answer.Get("__typename").String(), answer.Get("text").String(), answer.Get("questionId").String(), answer.Get("componentId").String(),
		fmt.Sprint(answer.Get("isTyped").Bool()), fmt.Sprint(answer.Get("isRepeated").Bool()),
	})
	design := question() // it may change, and be archived, and an answer is still to what was sent
	design["formats"] = []vars{{"format": "TEXT", "text": "Other"}}
	require.Empty(t, code(b.change("ada", "updateComponent", vars{"id": id, "design": design, "isArchived": true})))
	b.tap("987654321", facebook, 1)
	answer = b.last(conversation)
	require.Equal(t, "Billing", answer.Get("text").String())
	require.True(t, answer.Get("isRepeated").Bool())
	require.Equal(t, 1, answer.Get("version").Int())
	b.forge("987654321", "forged")
	require.Equal(t, "TextContent", b.last(conversation).Get("__typename").String(), "a forged tap is a text")
	stranger := b.conversation("555", facebook)
	b.forge("555", b.token())
	require.Equal(t, "TextContent", b.last(stranger).Get("__typename").String(), "nobody answers what was sent to another")
}

// A time that has begun is not sent any more, and who chooses it all the same is heard: the
// answer says that it is over.
func TestATimeThatHasBegunIsNotSentAndItsAnswerSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	id, conversation := b.component("TIME_SELECTOR", vars{"formats": []vars{{"format": "BUTTONS", "text": "When?"}}}), b.conversation("987654321", facebook)
	slots := func(after ...time.Duration) (slots []vars) {
		for _, d := range after {
			slots = append(slots, vars{"start": b.Clock.Now().Add(d).String(), "durationMinutes": 30})
		}
		return slots
	}
	prepare := func(slots []vars) string {
		return b.prepare("amy", vars{"componentId": id, "conversationId": conversation, "slots": slots}).Get("token").String()
	}
	soon := prepare(slots(5 * time.Minute))
	both := prepare(slots(5*time.Minute, time.Hour))
	starts := []string{b.Clock.Now().Add(5 * time.Minute).String(), b.Clock.Now().Add(time.Hour).String()}
	b.Clock.Advance(5 * time.Minute)
	refused := b.send("amy", conversation, soon, "soon")
	require.Equal(t, `[{"code":"VALUES_MISSING","message":"Each time of the component has begun. Prepare it again with later ones."}]`, refused.Get("refusals").String())
	require.Equal(t, `[{"code":"VALUES_MISSING"}]`, b.As("amy").Do(`query($id: ID!, $t: String!) { conversation(id: $id) { sendability(component: $t) { refusals { code } } } }`,
		vars{"id": conversation, "t": soon}).Get("conversation", "sendability", "refusals").String())
	sent := b.send("amy", conversation, both, "both")
	require.Empty(t, sent.Get("errors").List(), "one of its times is still to come: %s", sent)
	b.drain(conversation)
	isOver := func(option int) bool {
		b.tap("987654321", facebook, option)
		answer := b.As("amy").Do(`query($id: ID!) { conversation(id: $id) { messages(last: 1) { nodes { content { ... on AnswerContent { option isOver startsAt durationMinutes } } } } } }`, vars{"id": conversation}).
			Get("conversation", "messages", "nodes", 0, "content")
		require.Equal(t, option, answer.Get("option").Int(), answer.String())
		require.Equal(t, []string{starts[option-1], "30"}, []string{answer.Get("startsAt").String(), fmt.Sprint(answer.Get("durationMinutes").Int())})
		return answer.Get("isOver").Bool()
	}
	require.True(t, isOver(1))
	require.False(t, isOver(2))
	b.Clock.Advance(time.Hour)
	require.True(t, isOver(2))
}

func TestAnsweringByTyping(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, conversation := b.component("STATIC_QUESTION", question()), b.conversation(customer, parleytest.Sales)
	say := func(text string) parleytest.Tree {
		b.Say(customer, parleytest.Sales, text)
		return b.last(conversation)
	}
	require.Equal(t, "TextContent", say("2").Get("__typename").String(), "nothing was asked")
	b.sent(conversation, id)
	require.Equal(t, "How can we help?\n1. Billing\n2. Repairs", b.last(conversation).Get("text").String())
	require.Equal(t, "TextContent", say("What is this?").Get("__typename").String())
	b.Post(b.Inbound(channel.Inbound{
		EventID: "SMpicture", ProviderID: "SMpicture", From: customer, To: parleytest.Sales, Text: "2", Media: []channel.Media{{URL: "https://carrier.test/1", ContentType: "image/png"}},
	}))
	require.Equal(t, "MediaContent", b.last(conversation).Get("__typename").String(), "a picture is more than an answer")
	answer := say(" 2. ")
	require.Equal(t, "Repairs", answer.Get("text").String())
	require.True(t, answer.Get("isTyped").Bool())
	require.Equal(t, "TextContent", say("1").Get("__typename").String(), "it is answered")
	b.sent(conversation, id)
	require.Equal(t, "Billing", say("BILLING").Get("text").String())
	b.sent(conversation, id)
	b.Clock.Advance(25 * time.Hour)
	require.Equal(t, "TextContent", say("1").Get("__typename").String(), "too late")
}

// What is typed answers the last question alone: not an older one, when a colleague has asked
// another that is tapped.
func TestTypingAnswersTheLatestQuestionAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	long := question()
	long["constants"] = []vars{{"name": "Topics", "type": "LIST", "items": []vars{{"name": "Billing, and what belongs to it"}, {"name": "Repairs"}}}}
	long["formats"], long["translations"] = []vars{{"format": "BUTTONS", "text": "What?"}}, []vars{}
	inText, tapped, conversation := b.component("STATIC_QUESTION", long), b.component("STATIC_QUESTION", question()), b.conversation("987654321", facebook)
	b.sent(conversation, inText)
	b.sent(conversation, tapped)
	b.Say("987654321", facebook, "2")
	require.Equal(t, "TextContent", b.last(conversation).Get("__typename").String())
	asked := b.sent(conversation, inText)
	b.Say("987654321", facebook, "2")
	require.Equal(t, asked, b.last(conversation).Get("questionId").String())
}

// A component that failed is sent again as it was, and its options still answer.
func TestAComponentThatFailedIsSentAgain(t *testing.T) {
	t.Parallel()
	fail := true
	b := setup(t, func(c *app.Config) {
		c.Carrier.Script(func(sandbox.Message) sandbox.Plan {
			if fail {
				return sandbox.Plan{Reaction: sandbox.Refuse}
			}
			return sandbox.Plan{}
		})
	})
	b.facebook()
	id, conversation := b.component("STATIC_QUESTION", question()), b.conversation("987654321", facebook)
	message := b.sent(conversation, id)
	require.Equal(t, "FAILED", b.status(message))
	design := question()
	design["formats"] = []vars{{"format": "TEXT", "text": "Other"}}
	require.Empty(t, code(b.change("ada", "updateComponent", vars{"id": id, "design": design, "isArchived": true})))
	fail = false
	again := b.As("amy").Do(`mutation($id: ID!) { retryMessage(input: {messageId: $id, idempotencyKey: "again"}) { errors { message } refusals { code } message { id } } }`, vars{"id": message}).Get("retryMessage")
	require.Equal(t, []string{message, "[]", "[]"}, []string{again.Get("message", "id").String(), again.Get("errors").String(), again.Get("refusals").String()})
	b.drain(conversation)
	b.Eventually(func() bool { return b.status(message) == "DELIVERED" }, "the carrier delivers it")
	b.tap("987654321", facebook, 2)
	require.Equal(t, message, b.last(conversation).Get("questionId").String())
}

// A time selector is sent again as long as one of its times is ahead, as it is sent at first.
func TestATimeSelectorIsNotSentAgainOnceEachTimeHasBegun(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *app.Config) {
		c.Carrier.Script(func(sandbox.Message) sandbox.Plan { return sandbox.Plan{Reaction: sandbox.Refuse} })
	})
	b.facebook()
	id, conversation := b.component("TIME_SELECTOR", vars{"formats": []vars{{"format": "BUTTONS", "text": "When?"}}}), b.conversation("987654321", facebook)
	slots := []vars{
		{"start": b.Clock.Now().Add(5 * time.Minute).String(), "durationMinutes": 30}, {"start": b.Clock.Now().Add(time.Hour).String(), "durationMinutes": 30},
	}
	token := b.prepare("amy", vars{"componentId": id, "conversationId": conversation, "slots": slots}).Get("token").String()
	message := b.send("amy", conversation, token, "slots").Get("message", "id").String()
	retry := func(key string) string {
		b.drain(conversation)
		require.Equal(t, "FAILED", b.status(message))
		return b.As("amy").Do(`mutation($id: ID!, $k: String!) { retryMessage(input: {messageId: $id, idempotencyKey: $k}) { errors { message } refusals { code message } } }`,
			vars{"id": message, "k": key}).Get("retryMessage").String()
	}
	b.Clock.Advance(5 * time.Minute)
	require.Equal(t, `{"errors":[],"refusals":[]}`, retry("first"), "one is ahead")
	b.Clock.Advance(55 * time.Minute)
	require.Contains(t, retry("second"), `"refusals":[{"code":"VALUES_MISSING","message":"Each time of the component has begun. Prepare it again with later ones."}]`)
}

func (b *bundle) status(message string) string {
	b.T.Helper()
	return b.As("amy").Do(`query($id: ID!) { node(id: $id) { ... on Message { status } } }`, vars{"id": message}).Get("node", "status").String()
}

// yesOrStop is a question whose options are words of consent.
func yesOrStop() vars {
	design := question()
	design["constants"] = []vars{
		{"name": "Ask", "type": "TEXT", "text": "Shall we remind you?"},
		{"name": "Topics", "type": "LIST", "items": []vars{{"name": "Yes"}, {"name": "Stop"}}},
	}
	design["translations"] = []vars{}
	return design
}

// A word by which customers opt out is never a typed answer, whoever the carrier is. One by
// which they opt in is one unless they had opted out.
func TestWordsOfConsentAsAnswers(t *testing.T) {
	t.Parallel()
	for _, sender := range []string{parleytest.Sales, parleytest.Billing} { // of the sandbox and Twilio
		t.Run(sender, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id, conversation := b.component("STATIC_QUESTION", yesOrStop()), b.conversation(customer, sender)
			say := func(text string) string {
				b.Say(customer, sender, text)
				for _, line := range slices.Backward(b.lines(conversation)) {
					if line.Get("direction").String() == "INBOUND" {
						return line.Get("content", "__typename").String()
					}
				}
				return ""
			}
			b.queued(conversation, id)
			require.Equal(t, "TextContent", say(" stop "))
			require.Equal(t, "AnswerContent", say("Yes"))
			b.queued(conversation, id)
			require.Equal(t, "AnswerContent", say("2"), "a number is no such word")
			b.queued(conversation, id)
			b.consent(conversation, "OPT_OUT")
			want := "AnswerContent" // to the sandbox YES means nothing more
			if sender == parleytest.Billing {
				want = "TextContent"
			}
			require.Equal(t, want, say("YES"))
		})
	}
}

// Whoever taps an option means the option, whatever its title.
func TestATappedOptionMayBeAWordOfConsent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	id, conversation := b.component("STATIC_QUESTION", yesOrStop()), b.conversation("987654321", facebook)
	b.sent(conversation, id)
	b.tap("987654321", facebook, 2)
	require.Equal(t, "Stop", b.last(conversation).Get("text").String())
	require.Equal(t, "AnswerContent", b.last(conversation).Get("__typename").String())
}

// queued sends a component without values and leaves it with the carrier's lane.
func (b *bundle) queued(conversation, component string) {
	b.T.Helper()
	token := b.prepare("amy", vars{"componentId": component, "conversationId": conversation}).Get("token").String()
	b.made++
	payload := b.send("amy", conversation, token, fmt.Sprintf("queue-%d", b.made))
	require.Empty(b.T, payload.Get("errors").List(), payload.String())
	require.Empty(b.T, payload.Get("refusals").List(), payload.String())
}

func (b *bundle) consent(conversation, status string) {
	b.T.Helper()
	set := b.As("amy").Do(`mutation($i: SetConsentInput!) { setConsent(input: $i) { errors { message } } }`, vars{"i": vars{"id": b.user(conversation), "status": status, "reason": "asked by telephone"}})
	require.Empty(b.T, set.Get("setConsent", "errors").List(), set.String())
}

// answers are the answers of a thread, oldest first.
func (b *bundle) answers(conversation string) (answers []parleytest.Tree) {
	b.T.Helper()
	for _, line := range b.lines(conversation) {
		if c := line.Get("content"); c.Get("__typename").String() == "AnswerContent" {
			answers = append(answers, c)
		}
	}
	return answers
}

// jobs are how many answers have set actions off.
func (b *bundle) jobs() string {
	b.T.Helper()
	return parleytest.Rows(b.T, b.Store, "SELECT COUNT(*) FROM river_job WHERE kind = 'run_answer_actions'")[0]
}

// acting defines an action that every first answer sets off.
func (b *bundle) acting() {
	b.T.Helper()
	made := b.As("ada").Do(`mutation($i: CreateCrmActionInput!) { createCrmAction(input: $i) { errors { field message } } }`, vars{"i": vars{
		"name": "Note", "developerName": "Note", "performs": "CREATE_RECORD", "type": "AUTOMATIC", "trigger": "COMPONENT_ANSWERED", "idempotencyKey": "note",
		"parameters": []vars{{"label": "Object", "key": "ObjectName", "type": "VALUE", "value": "Lead"}, {"label": "Name", "key": "LastName", "type": "VALUE", "value": "Ann"}},
	}})
	require.Empty(b.T, made.Get("createCrmAction", "errors").List(), made.String())
}

// A carrier may post a tap more than once.
func TestATapThatIsPostedTwiceIsOneAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	b.acting()
	id, conversation := b.component("STATIC_QUESTION", question()), b.conversation("987654321", facebook)
	b.sent(conversation, id)
	for range 2 {
		b.Post(b.tapping("once", "987654321", facebook, 2))
	}
	answers := b.answers(conversation)
	require.Len(t, answers, 1)
	require.False(t, answers[0].Get("isRepeated").Bool())
	require.Equal(t, "1", b.jobs())
}

// Of two taps at the same time, one is the answer.
func TestTwoTapsAtOnceAreOneAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	b.acting()
	id, conversation := b.component("STATIC_QUESTION", question()), b.conversation("987654321", facebook)
	for round := 1; round <= 5; round++ {
		b.sent(conversation, id)
		var both sync.WaitGroup
		for option := 1; option <= 2; option++ {
			request := b.tapping(fmt.Sprintf("tap %d %d", round, option), "987654321", facebook, option)
			both.Go(func() { assert.Equal(t, http.StatusOK, b.Answer(request).Code) })
		}
		both.Wait()
		answers := b.answers(conversation)
		require.Len(t, answers, 2*round)
		require.NotEqual(t, answers[2*round-2].Get("isRepeated").Bool(), answers[2*round-1].Get("isRepeated").Bool())
		require.Equal(t, fmt.Sprint(round), b.jobs())
	}
}

// A token of Parley's that is no option's says nothing as a tap.
func TestATokenOfAnotherKindIsNoTap(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	id, conversation := b.component("STATIC_QUESTION", question()), b.conversation("987654321", facebook)
	b.sent(conversation, id)
	key, _ := b.Conversations.IDs.Decode(publicid.Conversation, conversation)
	for name, token := range map[string]string{
		"cursor":             b.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 1) { pageInfo { endCursor } } }`, nil).Get("conversations", "pageInfo", "endCursor").String(),
		"prepared component": b.prepare("amy", vars{"componentId": id, "conversationId": conversation}).Get("token").String(),
		"customer token":     component.CustomerToken(b.Messenger.Cursors.Sealer, key, 1, b.Store.Clock.Now()+1),
	} {
		require.NotEmpty(t, token, name)
		b.forge("987654321", token)
		require.Equal(t, "TextContent", b.last(conversation).Get("__typename").String(), name)
	}
	b.forge("987654321", b.token())
	require.Equal(t, "AnswerContent", b.last(conversation).Get("__typename").String(), "an option's token is one")
}

// A tap says what it answers, however late it comes.
func TestATapAfterAMonthIsAnAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.facebook()
	id, conversation := b.component("STATIC_QUESTION", question()), b.conversation("987654321", facebook)
	message := b.sent(conversation, id)
	require.Empty(t, code(b.change("ada", "updateComponent", vars{"id": id, "isArchived": true})))
	b.Clock.Advance(30 * 24 * time.Hour)
	b.tap("987654321", facebook, 2)
	answer := b.last(conversation)
	require.Equal(t, []string{"AnswerContent", "Repairs", message}, []string{answer.Get("__typename").String(), answer.Get("text").String(), answer.Get("questionId").String()})
	require.False(t, answer.Get("isRepeated").Bool())
}
