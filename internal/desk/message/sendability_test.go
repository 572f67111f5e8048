package message_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/ent"
	"parley/ent/agent"
	entchannel "parley/ent/channel"
	"parley/ent/messaginguser"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

const askSendability = `query($id: ID!, $draft: String) { conversation(id: $id) { sendability(draft: $draft) {
	canSend refusals { code message } segments { encoding units segments remaining } } } }`

func (c *thread) sendability(draft any) parleytest.Tree {
	c.p.T.Helper()
	return c.Do(askSendability, parleytest.Vars{"id": c.id, "draft": draft}).Get("conversation", "sendability")
}

func refusalsOf(t parleytest.Tree) []string {
	out := []string{}
	for _, r := range t.Get("refusals").List() {
		out = append(out, r.Get("code").String())
	}
	return out
}

// world is one state of everything that decides a send.
type world struct {
	licensed, active, account, recordOptedOut bool
	consent, required                         channel.Consent
	country                                   string
	role                                      viewer.Role
	draft                                     string
}

func (w world) build(ctx context.Context, tx *ent.Client) error {
	switched := tx.Agent.Update().Where(agent.Username("bo")).SetLicensed(w.licensed).SetRole(w.role).Exec(ctx)
	number := tx.Channel.Update().Where(entchannel.Address(parleytest.Sales)).SetActive(w.active).SetCountry(w.country).
		SetRequiredConsent(w.required).Exec(ctx)
	account := tx.ProviderAccount.Update().SetActive(w.account).Exec(ctx)
	user := tx.MessagingUser.Update().Where(messaginguser.Address(customer)).SetConsentStatus(w.consent).Exec(ctx)
	record := tx.Record.Update().SetOptedOut(w.recordOptedOut).Exec(ctx)
	for _, err := range []error{switched, number, account, user, record} {
		if err != nil {
			return err
		}
	}
	return nil
}

func randomWorld(t *rapid.T) world {
	likely := rapid.Custom(func(t *rapid.T) bool { return rapid.IntRange(0, 4).Draw(t, "n") > 0 })
	levels := []channel.Consent{channel.OptOut, channel.Pending, channel.ImplicitOptIn, channel.ExplicitOptIn, channel.DoubleOptIn}
	return world{
		licensed: likely.Draw(t, "licensed"), active: likely.Draw(t, "active"), account: likely.Draw(t, "account"),
		recordOptedOut: !likely.Draw(t, "record"),
		consent:        rapid.SampledFrom(levels).Draw(t, "consent"),
		required:       rapid.SampledFrom(append(levels[2:], "", "")).Draw(t, "required"),
		country:        rapid.SampledFrom([]string{"US", "US", "CA", ""}).Draw(t, "country"),
		role:           rapid.SampledFrom([]viewer.Role{viewer.Standard, viewer.Supervisor, "NONE"}).Draw(t, "role"),
		draft: rapid.SampledFrom([]string{
			"Hello", "", "  ", "\x00", "é\x00", strings.Repeat("x", 841), strings.Repeat("€", 420), strings.Repeat("й", 397),
		}).Draw(t, "draft"),
	}
}

// Whatever the world, what sendability says is what the send does.
func TestSendabilityIsWhatTheSendDoes(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	c := begin(p, customer, parleytest.Sales)
	c.Client = p.As("bo") // a member, so the conversation is seen whatever the role
	c.anchor()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		w := randomWorld(t)
		require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error { return w.build(ctx, tx.Ent) }))
		said := c.sendability(w.draft)
		n++
		did := c.ask(w.draft, fmt.Sprint("key", n))
		require.Equal(t, refusalsOf(said), refusalsOf(did), "%+v", w)
		require.Equal(t, said.Get("canSend").Bool(), !did.Get("message").IsNull(), "%+v", w)
		want := "SEND_REFUSED"
		if said.Get("canSend").Bool() {
			want = ""
		}
		require.Equal(t, want, code(did), "%+v", w)
	})
}

// anchor ties the conversation to a record.
func (c *thread) anchor() {
	c.p.T.Helper()
	c.write(func(ctx context.Context, tx *ent.Client) error {
		r, err := tx.Record.Create().SetObjectType("Contact").SetExternalID("1").SetName("Cleo").SetMobileNumber(customer).SetUpdatedAt(1).Save(ctx)
		if err != nil {
			return err
		}
		return tx.Conversation.UpdateOneID(c.key).SetRecordID(r.ID).SetObjectType("Contact").Exec(ctx)
	})
}

func TestADraftShowsItsSegmentsAtTheEdge(t *testing.T) {
	t.Parallel()
	c := begin(parleytest.New(t), customer, parleytest.Sales)
	for _, test := range []struct {
		draft, encoding            string
		units, segments, remaining int
		refusals                   []string
	}{
		{"Hello", "GSM_7", 5, 1, 155, []string{}},
		{"Привет", "UCS_2", 6, 1, 64, []string{}},
		{strings.Repeat("x", 160), "GSM_7", 160, 1, 0, []string{}},
		{strings.Repeat("x", 161), "GSM_7", 161, 2, 143, []string{}},
		{strings.Repeat("x", 840), "GSM_7", 840, 6, 72, []string{}},
		{strings.Repeat("x", 841), "GSM_7", 841, 6, 71, []string{"TEXT_TOO_LONG"}},
		{strings.Repeat("й", 397), "UCS_2", 397, 7, 65, []string{"TEXT_TOO_LONG"}},
		{"", "GSM_7", 0, 0, 160, []string{"TEXT_EMPTY"}},
	} {
		s := c.sendability(test.draft)
		require.Equal(t, test.encoding, s.Get("segments", "encoding").String(), test.draft)
		require.Equal(t, []int{test.units, test.segments, test.remaining}, []int{
			s.Get("segments", "units").Int(), s.Get("segments", "segments").Int(), s.Get("segments", "remaining").Int(),
		}, test.draft)
		require.Equal(t, test.refusals, refusalsOf(s), test.draft)
	}
	none := c.sendability(nil)
	require.True(t, none.Get("segments").IsNull())
	require.True(t, none.Get("canSend").Bool(), "no draft yet is no reason")
	long := c.Raw(askSendability, parleytest.Vars{"id": c.id, "draft": strings.Repeat("x", 20_001)})
	require.Equal(t, []string{"BAD_INPUT"}, long.Codes())
	require.Equal(t, "BAD_INPUT", code(c.ask(strings.Repeat("x", 20_001), "k")))
}

func TestANumberThatIsNoneCannotBeAnswered(t *testing.T) {
	t.Parallel()
	c := begin(parleytest.New(t), "AMAZON", parleytest.Sales)
	require.Equal(t, []string{"NUMBER_INVALID"}, refusalsOf(c.sendability("Hello")))
}

func TestWhoSendsBecomesTheOwnerOnlyOfASharedSenderID(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	shared := begin(p, customer, parleytest.Sales)
	owner := func(c *thread) string {
		return c.Do(`query($id: ID!) { conversation(id: $id) { owner { username } } }`, parleytest.Vars{"id": c.id}).
			Get("conversation", "owner").String()
	}
	require.Empty(t, owner(shared), "nobody's")
	for _, who := range []string{"bo", "amy"} {
		by := &thread{Client: p.As(who), p: p, id: shared.id, key: shared.key}
		by.send("from " + who)
		require.Contains(t, owner(shared), who, "whoever sent last")
	}
	sole := begin(p, customer, parleytest.Direct)
	require.Contains(t, owner(sole), "amy", "the sole owner's from the first word")
	ada := &thread{Client: p.As("ada"), p: p, id: sole.id, key: sole.key}
	ada.send("from ada")
	require.Contains(t, owner(sole), "amy")
}

func TestRefusalsAreListedWithoutARepeat(t *testing.T) {
	t.Parallel()
	c := begin(parleytest.New(t), customer, parleytest.Sales)
	c.consent(channel.OptOut)
	got := refusalsOf(c.sendability(" "))
	require.Equal(t, []string{"OPTED_OUT", "TEXT_EMPTY"}, got)
	require.Len(t, slices.Compact(got), 2)
}
