package message_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/ent"
	"parley/ent/agent"
	entchannel "parley/ent/channel"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// starter starts conversations as one agent.
type starter struct {
	*parleytest.Client
	p *parleytest.Parley
}

func (s starter) start(from string, to parleytest.Vars) parleytest.Tree {
	s.p.T.Helper()
	input := parleytest.Vars{"channelId": s.channel(from), "text": "Hello", "idempotencyKey": rand.Text()}
	for k, v := range to {
		input[k] = v
	}
	return s.Do(`mutation($in: StartConversationInput!) { startConversation(input: $in) { errors { code field } refusals { code message }
		message { id status number } conversation { id name mobileNumber owner { username } } } }`, parleytest.Vars{"in": input}).Get("startConversation")
}

func (s starter) channel(address string) string {
	for _, ch := range s.p.Directory.Channels() {
		if ch.Address == address {
			return ch.ID
		}
	}
	return "nonsense"
}

// record makes a record that ada may see and returns its id.
func record(p *parleytest.Parley, mobile string, optedOut bool) string {
	p.T.Helper()
	var key int64
	require.NoError(p.T, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		r, err := tx.Ent.Record.Create().SetObjectType("Contact").SetExternalID(rand.Text()).SetName("Cleo").
			SetMobileNumber(mobile).SetOptedOut(optedOut).SetUpdatedAt(1).Save(ctx)
		if err == nil {
			key = r.ID
		}
		return err
	}))
	return p.Conversations.IDs.Encode(publicid.Record, key)
}

func TestStartingAConversation(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	amy, ada := starter{p.As("amy"), p}, starter{p.As("ada"), p}
	for name, test := range map[string]struct {
		who      starter
		from     string
		to       parleytest.Vars
		code     string
		refusals []string
	}{
		"by a national number":         {who: amy, from: parleytest.Sales, to: parleytest.Vars{"number": "(202) 555-0111"}},
		"by an international number":   {who: amy, from: parleytest.Sales, to: parleytest.Vars{"number": "+1 202 555 0112"}},
		"by a record":                  {who: ada, from: parleytest.Support, to: parleytest.Vars{"recordId": record(p, "202-555-0113", false)}},
		"a record without a number":    {ada, parleytest.Support, parleytest.Vars{"recordId": record(p, "", false)}, "SEND_REFUSED", []string{"NUMBER_MISSING"}},
		"a record with a bad number":   {ada, parleytest.Support, parleytest.Vars{"recordId": record(p, "12", false)}, "SEND_REFUSED", []string{"NUMBER_INVALID"}},
		"a record that opted out":      {ada, parleytest.Support, parleytest.Vars{"recordId": record(p, "2025550114", true)}, "SEND_REFUSED", []string{"OPTED_OUT"}},
		"a number that is none":        {amy, parleytest.Sales, parleytest.Vars{"number": "12"}, "SEND_REFUSED", []string{"NUMBER_INVALID"}},
		"no number":                    {amy, parleytest.Sales, parleytest.Vars{"number": " "}, "SEND_REFUSED", []string{"NUMBER_MISSING"}},
		"a number abroad":              {amy, parleytest.Sales, parleytest.Vars{"number": "+442079460018"}, "SEND_REFUSED", []string{"OUTSIDE_COUNTRY"}},
		"from another's sender ID":     {amy, parleytest.Support, parleytest.Vars{"number": "+12025550115"}, "SEND_REFUSED", []string{"NOT_A_MEMBER"}},
		"neither number nor record":    {amy, parleytest.Sales, nil, "BAD_INPUT", nil},
		"number and record":            {amy, parleytest.Sales, parleytest.Vars{"number": "1", "recordId": "r"}, "BAD_INPUT", nil},
		"a record that is not there":   {amy, parleytest.Sales, parleytest.Vars{"recordId": "nonsense"}, "NOT_FOUND", nil},
		"a channel that is not there":  {amy, "nowhere", parleytest.Vars{"number": "+12025550115"}, "NOT_FOUND", nil},
		"with a text that is too long": {amy, parleytest.Sales, parleytest.Vars{"number": "+12025550115", "text": string(make([]byte, 20_001))}, "BAD_INPUT", nil},
		"without a text":               {amy, parleytest.Sales, parleytest.Vars{"number": "+12025550115", "text": ""}, "SEND_REFUSED", []string{"TEXT_EMPTY"}},
	} {
		before := count(t, p, "conversations", nil)
		got := test.who.start(test.from, test.to)
		require.Equal(t, test.code, code(got), name)
		require.ElementsMatch(t, test.refusals, refusalsOf(got), name)
		if test.code == "" {
			require.Equal(t, "QUEUED", got.Get("message", "status").String(), name)
			require.Regexp(t, `^\+1202555011\d$`, got.Get("conversation", "mobileNumber").String(), name)
			before++
		}
		require.Equal(t, before, count(t, p, "conversations", nil), name)
	}
}

// What was not meant as the number that it could be read as is refused, with what is
// wrong with it.
func TestStartingWithWhatIsNoNumber(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	abroad(p, parleytest.Direct, "DE")
	amy := starter{p.As("amy"), p}
	for _, test := range []struct {
		from, number string
		code, says   string
	}{
		{parleytest.Direct, "0170 123 45 67 (Axel)", "NUMBER_INVALID", "letters"},
		{parleytest.Direct, "0170 1234568 Mama", "NUMBER_INVALID", "letters"},
		{parleytest.Direct, "110", "NUMBER_INVALID", "area code"},
		{parleytest.Direct, "2345 6789", "NUMBER_INVALID", "area code"},
		{parleytest.Direct, "0170 1234567/8", "NUMBER_INVALID", "more than one"},
		{parleytest.Sales, "202555ABCD", "NUMBER_INVALID", "letters"},
		{parleytest.Sales, "555-0176", "NUMBER_INVALID", "area code"},
		{parleytest.Sales, "202-555-0178 x45", "NUMBER_INVALID", "extension"},
		{parleytest.Sales, "68849", "NUMBER_INVALID", "short code"},
		{parleytest.Sales, parleytest.Sales, "NUMBER_INVALID", "own"},
		{parleytest.Sales, "+447911654321", "OUTSIDE_COUNTRY", "US"},
		{parleytest.Sales, "+447700900321", "OUTSIDE_COUNTRY", "US"},
		{parleytest.Sales, "+1 613 555 0123", "OUTSIDE_COUNTRY", "US"},
	} {
		before := count(t, p, "conversations", nil)
		got := amy.start(test.from, parleytest.Vars{"number": test.number})
		require.Equal(t, []string{test.code}, refusalsOf(got), test.number)
		require.Contains(t, got.Get("refusals", 0, "message").String(), test.says, test.number)
		require.Equal(t, before, count(t, p, "conversations", nil), test.number)
	}
	for written, e164 := range map[string]string{
		"\u202a+12025550185\u202c": "+12025550185", "tel:+1-202-555-0186": "+12025550186", "[202] 555.0187": "+12025550187",
		"1-800-FLOWERS": "+18003569377", "+1 787 555 1234": "+17875551234", "+1 555 555 0123": "+15555550123",
	} {
		got := amy.start(parleytest.Sales, parleytest.Vars{"number": written})
		require.Equal(t, e164, got.Get("conversation", "mobileNumber").String(), written)
	}
}

// abroad moves a sender ID to another country.
func abroad(p *parleytest.Parley, address, country string) {
	p.T.Helper()
	require.NoError(p.T, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Channel.Update().Where(entchannel.Address(address)).SetCountry(country).Exec(ctx)
	}))
}

func TestStartingReusesTheConversationThatIsThere(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	amy := starter{p.As("amy"), p}
	got := amy.start(parleytest.Sales, parleytest.Vars{"number": "202 555 0199"})
	require.Equal(t, c.id, got.Get("conversation", "id").String())
	require.Equal(t, 2, got.Get("message", "number").Int())
	c.consent(channel.OptOut)
	require.Equal(t, []string{"OPTED_OUT"}, refusalsOf(amy.start(parleytest.Sales, parleytest.Vars{"number": customer})))
	sue := starter{p.As("sue"), p}
	require.Equal(t, []string{"NOT_A_MEMBER"}, refusalsOf(sue.start(parleytest.Direct, parleytest.Vars{"number": customer})))
	c.write(func(ctx context.Context, tx *ent.Client) error {
		return tx.Agent.Update().Where(agent.Username("bo")).SetLicensed(false).SetRole(viewer.Role("NONE")).Exec(ctx)
	})
	require.NoError(t, p.Directory.Refresh(context.Background()))
	bo := starter{p.As("bo"), p}
	require.Equal(t, []string{"NO_LICENCE", "MISSING_PERMISSION", "MISSING_PERMISSION", "OPTED_OUT"},
		refusalsOf(bo.start(parleytest.Sales, parleytest.Vars{"number": customer})), "sending, starting, and the customer")
	require.Equal(t, []string{"NO_LICENCE", "MISSING_PERMISSION", "MISSING_PERMISSION", "NOT_A_MEMBER"},
		refusalsOf(bo.start(parleytest.Direct, parleytest.Vars{"number": customer})), "nothing is told of a customer one may not see")
}

func TestANoteTakesANumberAndChangesNothingElse(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	look := func() parleytest.Tree {
		return c.Do(`query($id: ID!) { conversation(id: $id) { preview lastMessageAt lastMessageDirection isUnread newCount owner { username } } }`,
			parleytest.Vars{"id": c.id}).Get("conversation")
	}
	before := look().String()
	add := func(who *parleytest.Client, text string) parleytest.Tree {
		return who.Do(`mutation($id: ID!, $text: String!) { addNote(input: {conversationId: $id, text: $text, idempotencyKey: "n"}) {
			errors { code } message { number kind status direction attempts { number } content { ... on NoteContent { text } } } } }`,
			parleytest.Vars{"id": c.id, "text": text}).Get("addNote")
	}
	p.Clock.Advance(5)
	note := add(c.Client, "she called").Get("message")
	require.Equal(t, 2, note.Get("number").Int())
	require.Equal(t, "NOTE", note.Get("kind").String())
	require.Equal(t, "she called", note.Get("content", "text").String())
	require.True(t, note.Get("status").IsNull())
	require.True(t, note.Get("direction").IsNull())
	require.Empty(t, note.Get("attempts").List())
	require.Equal(t, before, look().String())
	require.Zero(t, count(t, p, "attempts", nil))
	require.Zero(t, count(t, p, "river_job", nil), "never sent")
	require.Equal(t, "BAD_INPUT", code(add(p.As("bo"), " ")))
	require.Equal(t, "BAD_INPUT", code(add(p.As("bo"), "\u200B\u2060\u2800")), "nobody would see it")
	require.Equal(t, "BAD_INPUT", code(add(p.As("bo"), string(make([]byte, 10_001)))))
	require.Equal(t, "NOT_FOUND", code(add(p.As("sue"), "x")), "not hers to see")
	c.send("one #silent")
	c.drain()
	require.Equal(t, []string{"one #silent"}, c.texts())
}

// Of several records with one number, the one messaged last counts: the
// conversation moves to it, and its standing counts with it.
func TestStartingByARecordAnchorsTheConversationToIt(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	p.Say(customer, parleytest.Support, "Hello")
	ada := starter{p.As("ada"), p}
	there := ada.Do(`{ conversations(view: {kind: ALL}) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	for range 2 {
		id := record(p, customer, false)
		got := ada.start(parleytest.Support, parleytest.Vars{"recordId": id})
		require.Equal(t, there, got.Get("conversation", "id").String())
		trail := ada.Do(`query($id: ID!) { node(id: $id) { ... on Record { conversations { nodes { id } } } }
			conversations(view: {kind: OBJECT_TYPE, subject: "Contact"}) { totalCount nodes { record { id } } } }`, parleytest.Vars{"id": id})
		require.Equal(t, there, trail.Get("node", "conversations", "nodes", 0, "id").String())
		require.Equal(t, 1, trail.Get("conversations", "totalCount").Int())
		require.Equal(t, id, trail.Get("conversations", "nodes", 0, "record", "id").String())
	}
}
