package crmaction_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/component"
	"parley/internal/ground/publicid"
)

// ask sends a component in a conversation, as text.
func (b *bundle) ask(conversation, kind string, design vars, slots ...vars) {
	b.T.Helper()
	b.made++
	name := "Q" + parleytest.Rows(b.T, b.Store, "SELECT COUNT(*) FROM components")[0]
	id := b.ok(`mutation($i: CreateComponentInput!) { createComponent(input: $i) { component { id } errors { code field message } } }`, "createComponent",
		vars{"name": name, "developerName": name, "kind": kind, "design": design}).Get("component", "id").String()
	in := vars{"componentId": id, "conversationId": conversation, "slots": slots}
	token := b.As("amy").Do(`query($i: PrepareComponentInput!) { prepareComponent(input: $i) { token } }`, vars{"i": in}).Get("prepareComponent", "token").String()
	sent := b.do("amy", `mutation($i: SendMessageInput!) { sendMessage(input: $i) { errors { message } message { id } } }`, "sendMessage", vars{"conversationId": conversation, "component": token})
	require.Empty(b.T, sent.Get("errors").List(), sent.String())
}

func stages() vars {
	return vars{
		"constants": []vars{{"name": "Stages", "type": "LIST", "items": []vars{{"name": "Open"}, {"name": "Won"}}}}, "options": vars{"constant": "Stages"},
		"formats":      []vars{{"format": "BUTTONS", "text": "What now?"}},
		"translations": []vars{{"locale": "de", "constants": []vars{{"name": "Stages", "items": []vars{{"name": "Offen"}, {"name": "Gewonnen"}}}}}},
	}
}

func answering(more vars) vars {
	in := vars{
		"performs": "UPDATE_RECORD", "type": "AUTOMATIC", "trigger": "COMPONENT_ANSWERED", "objectTypes": []string{"Visit__c"},
		"parameters": []vars{param("Stage", "FIELD", "Value", "$Answer"), param("Name", "FIELD", "Title", "$Answer"), param("Amount", "FIELD", "Index", "$Answer")},
		"conditions": []vars{{"object": "$Answer", "field": "Component", "operator": "EQUALS", "value": "Q0"}},
	}
	for k, v := range more {
		in[k] = v
	}
	return in
}

// of is a conversation of the record V1, whose customer reads German.
func (b *bundle) of(number string) string {
	b.T.Helper()
	b.upsert("Visit__c", "V1", "Name", "Ann", "Mobile", number)
	conversation := b.conversation(number)
	b.link(conversation)
	customer := b.As("amy").Do(`query($id: ID!) { conversation(id: $id) { messagingUser { id } } }`, vars{"id": conversation}).Get("conversation", "messagingUser", "id").String()
	require.Empty(b.T, b.As("amy").Do(`mutation($id: ID!) { updateMessagingUser(input: {id: $id, locale: "de"}) { errors { message } } }`, vars{"id": customer}).Get("updateMessagingUser", "errors").List())
	return conversation
}

// answersDone waits until so many answers have run their actions.
func (b *bundle) answersDone(jobs string) {
	b.T.Helper()
	b.Eventually(func() bool {
		return parleytest.Rows(b.T, b.Store, "SELECT COUNT(*) FROM river_job WHERE kind = 'run_answer_actions' AND state = 'completed'")[0] == jobs
	}, "answers ran their actions")
}

func TestTheFirstAnswerIsWrittenIntoTheRecord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	const number = "+12025550190"
	conversation := b.of(number)
	id := b.action(answering(nil))
	other := b.action(answering(vars{"conditions": []vars{{"object": "Visit__c", "field": "", "operator": "FORMULA", "value": `$Answer.Index > 5 || $Answer.Component = "Q9"`}}}))
	b.ask(conversation, "STATIC_QUESTION", stages())
	b.Say(number, parleytest.Sales, "Something else")
	b.Say(number, parleytest.Sales, "gewonnen")
	b.answersDone("1")
	require.Equal(t, []string{"DONE"}, outcomes(b.runs(id)))
	require.Empty(t, b.runs(other), "its formula does not hold")
	visit := b.visit("V1")
	require.Equal(t, []string{"Won", "Gewonnen", "2"}, []string{visit["Stage"], visit["Name"], visit["Amount"]}, "the value is not translated, the title is")
	require.Equal(t, "COMPONENT_ANSWERED", b.runs(id)[0].Get("trigger").String())

	b.Say(number, parleytest.Sales, "1")
	b.settled()
	b.answersDone("1")
	require.Len(t, b.runs(id), 1, "it was answered before")
	require.Equal(t, "Won", b.visit("V1")["Stage"])
}

// Who chooses a time that has begun is answered by a person: conditions can tell.
func TestATimeThatHasBegunIsToldByTheAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	const number = "+12025550193"
	conversation := b.of(number)
	on := func(condition string) string {
		return b.action(answering(vars{
			"parameters": []vars{param("Name", "FIELD", "IsOver", "$Answer")},
			"conditions": []vars{{"object": "Visit__c", "field": "", "operator": "FORMULA", "value": condition + " && $Answer.Duration = 30"}},
		}))
	}
	inTime, late := on("NOT($Answer.IsOver)"), on("$Answer.IsOver")
	ask := func() {
		b.ask(conversation, "TIME_SELECTOR", vars{"formats": []vars{{"format": "BUTTONS", "text": "When?"}}}, vars{"start": b.Clock.Now().Add(time.Hour).String(), "durationMinutes": 30})
	}
	ask()
	b.Say(number, parleytest.Sales, "1")
	b.answersDone("1")
	require.Equal(t, []string{"DONE"}, outcomes(b.runs(inTime)))
	require.Empty(t, b.runs(late))
	require.Equal(t, "false", b.visit("V1")["Name"])
	ask()
	b.Clock.Advance(time.Hour)
	b.Say(number, parleytest.Sales, "1")
	b.answersDone("2")
	require.Len(t, b.runs(inTime), 1)
	require.Equal(t, []string{"DONE"}, outcomes(b.runs(late)))
	require.Equal(t, "true", b.visit("V1")["Name"])
}

func TestAnAnswerIsWrittenHoweverLate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	const number = "+12025550191"
	conversation := b.of(number)
	id := b.action(answering(vars{"parameters": []vars{param("Stage", "FIELD", "Value", "$Answer")}, "conditions": []vars{}}))
	b.upsert("Farm__c", "F1", "Name", "Hilltop")
	b.action(answering(vars{
		"parameters": []vars{param("Farm", "FIELD", "Value", "$Answer")}, "conditions": []vars{{"object": "$Answer", "field": "Component", "operator": "EQUALS", "value": "Q1"}},
	}))
	amount := b.action(answering(vars{"parameters": []vars{param("Amount", "FIELD", "Value", "$Answer")}}))
	b.ask(conversation, "STATIC_QUESTION", stages())
	change := func(in vars) {
		payload := b.As("ada").Do(`mutation($i: UpdateComponentInput!) { updateComponent(input: $i) { errors { message } } }`, vars{"i": in}).Get("updateComponent")
		require.Empty(t, payload.Get("errors").List())
	}
	changed := stages()
	changed["constants"] = []vars{{"name": "Stages", "type": "LIST", "items": []vars{{"name": "X"}}}}
	changed["translations"] = []vars{}
	change(vars{"id": b.newest(), "design": changed, "isArchived": true})
	b.Clock.Advance(23 * 3600 * 1e9)
	b.Say(number, parleytest.Sales, "1")
	b.answersDone("1")
	require.Equal(t, "Open", b.visit("V1")["Stage"], "what was sent counts, not what the component says now")
	require.Equal(t, []string{"REFUSED BAD_INPUT"}, outcomes(b.runs(amount)), "a stage is no amount")

	// The answer of a refused run is still there when it is run again.
	refused := b.runs(amount)[0].Get("id").String()
	again := b.do("ada", `mutation($i: RerunCrmActionInput!) { rerunCrmAction(input: $i) { run { id } errors { code message } } }`, "rerunCrmAction", vars{"runId": refused})
	require.Equal(t, "BAD_INPUT", code(again), "it reads the same answer")

	b.ask(conversation, "DYNAMIC_QUESTION", vars{
		"options": vars{"query": vars{"objectType": "Farm__c", "limit": 3}, "title": "Name"}, "formats": []vars{{"format": "BUTTONS", "text": "Where?"}},
	})
	b.Say(number, parleytest.Sales, "Hilltop")
	b.answersDone("2")
	require.Equal(t, "Farm__c/F1", b.visit("V1")["Farm"])
	require.Equal(t, []string{"REFUSED BAD_INPUT", "DONE"}, outcomes(b.runs(id)))
}

// newest is the id of the component that was made last.
func (b *bundle) newest() string {
	b.T.Helper()
	return b.As("ada").Do(`{ components(first: 1) { nodes { id } } }`, nil).Get("components", "nodes", 0, "id").String()
}

// A token that nobody sealed sets nothing off.
func TestAForgedAnswerSetsNothingOff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const number = "+12025550192"
	conversation := b.of(number)
	b.action(answering(nil))
	b.ask(conversation, "STATIC_QUESTION", stages())
	key, _ := b.Conversations.IDs.Decode(publicid.Conversation, conversation)
	b.Say(number, parleytest.Sales, component.CustomerToken(b.Conversations.Cursors.Sealer, key, 1, b.Clock.Now()))
	require.Equal(t, []string{"0"}, parleytest.Rows(t, b.Store, "SELECT COUNT(*) FROM river_job WHERE kind = 'run_answer_actions'"))
	b.Say(number, parleytest.Sales, "2")
	require.Equal(t, []string{"1"}, parleytest.Rows(t, b.Store, "SELECT COUNT(*) FROM river_job WHERE kind = 'run_answer_actions'"))
}

func TestOnlyAnswersAreReadByActionsOfAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		change vars
		field  string
	}{
		"a parameter of another trigger": {vars{"trigger": "MESSAGE_RECEIVED", "conditions": []vars{}}, "input.parameters.0.object"},
		"a condition of another trigger": {vars{"trigger": "MESSAGE_RECEIVED", "parameters": []vars{param("Stage", "VALUE", "Won")}}, "input.conditions.0.object"},
		"a formula of another trigger": {vars{"trigger": "MESSAGE_RECEIVED", "parameters": []vars{param("Stage", "VALUE", "Won")}, "conditions": []vars{
			{"object": "Visit__c", "field": "", "operator": "FORMULA", "value": "$Answer.Index > 1"},
		}}, "input.conditions.0.value"},
		"a field that is not there": {vars{"parameters": []vars{param("Stage", "FIELD", "Text", "$Answer")}}, "input.parameters.0.value"},
		"an object type of its own": {vars{"objectTypes": []string{"$Answer"}}, "input.objectTypes.0"},
	} {
		in := answering(c.change)
		in["name"], in["developerName"] = "A", "A"
		require.Equal(t, c.field, b.create(in).Get("errors", 0, "field").String(), name)
	}
}
