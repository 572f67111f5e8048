package switchboard_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
)

func TestInputsAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	many := make([]string, 501)
	for i := range many {
		many[i] = b.agent("bo")
	}
	sales := b.channelAt(parleytest.Sales)
	b.call("ada", "updateChannel", vars{"id": sales, "developerName": "Sales"})
	number := func(more vars) vars { return b.number("+12025550177", more) }
	for _, c := range []struct {
		mutation string
		input    vars
		want     string
	}{
		{"createChannel", number(vars{"name": " "}), "input.name: Enter at least one visible"},
		{"createChannel", number(vars{"name": strings.Repeat("ü", 201)}), "input.name: Use at most 200 characters, not 201"},
		{"createChannel", number(vars{"address": "hello"}), "input.address: The address has to be a phone number: it has letters"},
		{"createChannel", number(vars{"address": "555 0177", "country": "US"}), "input.address: The address has to be a phone number"},
		{"createChannel", number(vars{"country": "DE"}), "input.country: The number +12025550177 is not in DE"},
		{"createChannel", number(vars{"country": "XX"}), `input.country: "XX" is not a country`},
		{"createChannel", number(vars{"country": "840"}), `input.country: "840" is not a country`},
		{"createChannel", number(vars{"type": "OTHER"}), `input.type: This version does not know`},
		{"createChannel", number(vars{"type": "SMS_SHORT_CODE"}), "input.address: A short code has 3 to 8 digits"},
		{"createChannel", number(vars{"type": "SMS_SHORT_CODE", "address": "12345"}), "input.country: A short code belongs to a country"},
		{"createChannel", number(vars{"type": "SMS_SHORT_CODE", "address": "12345", "country": "US", "requiredConsent": "IMPLICIT_OPT_IN"}), "input.requiredConsent: Channels of type SMS_SHORT_CODE can require EXPLICIT_OPT_IN or DOUBLE_OPT_IN"},
		{"createChannel", number(vars{"type": "FACEBOOK"}), "input.address: The address of a Facebook channel is the page's id"},
		{"createChannel", number(vars{"type": "WEB", "address": "a b"}), "input.address: Use a key of 1 to 200"},
		{"createChannel", number(vars{"type": "WEB", "address": "shop", "requiredConsent": "IMPLICIT_OPT_IN"}), "input.requiredConsent: Channels of type WEB require no consent"},
		{"createChannel", number(vars{"requiredConsent": "OPT_OUT"}), "input.requiredConsent: Channels of type SMS_LONG_CODE can require IMPLICIT_OPT_IN"},
		{"createChannel", number(vars{"developerName": "1st"}), "input.developerName: Use 1 to 80"},
		{"createChannel", number(vars{"developerName": strings.Repeat("a", 81)}), "input.developerName: Use 1 to 80"},
		{"createChannel", number(vars{"developerName": "sALES"}), `input.developerName: The channel "Sales" has the developer name "Sales" already`},
		{"createChannel", number(vars{"limits": vars{"messagesPerSecond": -1}}), "input.limits.messagesPerSecond: Use 1 to 10000000"},
		{"createChannel", number(vars{"limits": vars{"customersPerDay": 10_000_001}}), "input.limits.customersPerDay: Use 1 to 10000000"},
		{"createChannel", number(vars{"memberIds": many}), "input.memberIds: Give at most 500 ids, not 501"},
		{"createChannel", number(vars{"idempotencyKey": ""}), "idempotencyKey"},
		{"createChannel", number(vars{"providerAccountId": b.account("twilio-demo"), "type": "WHATSAPP"}), "input.type: The carrier twilio has no channels of type WHATSAPP"},
		{"updateChannel", vars{"id": sales, "name": "\u200b"}, "input.name: Enter at least one visible"},
		{"updateChannel", vars{"id": sales, "requiredConsent": "EXPLICIT_OPT_IN"}, "input.requiredConsent: Channels of type SMS_LONG_CODE can require"},
		{"updateChannel", vars{"id": b.channelAt(parleytest.Direct), "developerName": "SALES"}, "input.developerName: The channel"},
		{"addChannelMembers", vars{"id": sales, "agentIds": []string{}}, "input.agentIds: Give 1 to 500 ids of agents, not 0"},
		{"removeChannelMembers", vars{"id": sales, "agentIds": many}, "input.agentIds: Give 1 to 500 ids of agents, not 501"},
		{"createQueue", vars{"name": "support"}, `input.name: The name "Support" is taken`},
		{"addQueueMembers", vars{"id": b.supportQueue(), "agentIds": []string{}}, "input.agentIds: Give 1 to 500"},
	} {
		require.Contains(t, message(b.call("ada", c.mutation, c.input)), c.want, c.mutation)
	}
}

func TestEveryTypeOfChannelCanBeCreated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for kind, at := range map[channel.Type][2]string{
		channel.SMSLongCode: {"+4915112345678", "DE"}, channel.SMSTollFree: {"+18005550199", "US"}, channel.SMSShortCode: {"12345678", "US"},
		channel.WhatsApp: {"+4915112345679", "DE"}, channel.WhatsAppEnhanced: {"+4915112345670", "DE"},
		channel.Facebook: {"104857600000001", ""}, channel.FacebookEnhanced: {"104857600000002", ""}, channel.Web: {"shop.example.com/help", ""}, channel.InApp: {"app", ""},
	} {
		input := b.number(at[0], vars{"type": kind})
		if kind == channel.SMSShortCode {
			input["country"] = "US"
		}
		made := b.call("ada", "createChannel", input)
		require.Empty(t, message(made), kind)
		require.Equal(t, at[1], made.Get("channel", "country").String(), kind)
		if kind == channel.SMSShortCode {
			require.Equal(t, "EXPLICIT_OPT_IN", made.Get("channel", "requiredConsent").String())
			require.Contains(t, message(b.call("ada", "updateChannel", vars{"id": made.Get("channel", "id").String(), "requiredConsent": nil})), "input.requiredConsent")
		}
	}
}

// An address belongs to one channel of its account, and to one active channel of a
// network.
func TestAddressesAreUnique(t *testing.T) {
	t.Parallel()
	b := setup(t)
	twilio := b.account("twilio-demo")
	require.Equal(t, "CONFLICT", code(b.call("ada", "createChannel", b.number(parleytest.Sales, nil))), "of the account")
	require.Equal(t, "CONFLICT", code(b.call("ada", "createChannel", b.number(parleytest.Sales, vars{"type": "WHATSAPP"}))), "on another network")
	taken := b.call("ada", "createChannel", b.number(parleytest.Sales, vars{"providerAccountId": twilio, "type": "SMS_TOLL_FREE"}))
	require.Equal(t, `input.address: The active channel "Sales" has the address +12025550100 already. Deactivate it first.`, message(taken))

	sales := b.channelAt(parleytest.Sales)
	require.Empty(t, message(b.call("ada", "deactivateChannel", vars{"id": sales})))
	moved := b.call("ada", "createChannel", b.number(parleytest.Sales, vars{"providerAccountId": twilio}))
	require.Empty(t, message(moved), "the number has moved to another carrier")
	require.Contains(t, message(b.call("ada", "activateChannel", vars{"id": sales})), "input.id: The active channel")
	require.Empty(t, message(b.call("ada", "deactivateChannel", vars{"id": moved.Get("channel", "id").String()})))
	require.Empty(t, message(b.call("ada", "activateChannel", vars{"id": sales})))

	short := func(account, country string) string {
		return code(b.call("ada", "createChannel", b.number("12345", vars{"providerAccountId": account, "type": "SMS_SHORT_CODE", "country": country})))
	}
	require.Equal(t, []string{"", "CONFLICT", ""}, []string{short(b.account("demo"), "US"), short(twilio, "US"), short(twilio, "CA")})
}
