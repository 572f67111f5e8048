package main

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
)

// A customer taps an option of what the sandbox delivered: it comes back as the platform
// tells of it.
func TestSandboxTapsTheLastComponent(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	const page, customer = "10001", "visitor 7"
	_, err := command(t, "--database", database, "channel", "add", page, "--type", "FACEBOOK_ENHANCED", "--account", "demo", "--name", "Page")
	require.NoError(t, err)
	p := parleytest.OpenAt(t, database, func(c *app.Config) { c.PublicURL = "" }).Run()
	tap := func(option string) (string, error) {
		return command(t, "--database", database, "sandbox", "tap", "--url", p.URL(), "--to", page, "--from", customer, option)
	}
	_, err = tap("1")
	require.ErrorContains(t, err, "appears in no conversation", "the customer got nothing to tap")

	question := channel.Structured{Format: channel.Buttons, Text: "Which size?", Plain: "Which size?", Options: []channel.Option{
		{Token: "token-1", Title: "Small"}, {Token: "token-2", Title: "Large"},
	}}
	account := p.Directory.Account("demo").Account
	sent := p.Messenger.Providers["sandbox"].Send(t.Context(), account, channel.Outgoing{
		AttemptKey: "k1", From: page, To: customer, Type: channel.FacebookEnhanced, Content: question,
	})
	require.Equal(t, channel.Accepted, sent.Outcome, sent.Detail)
	require.JSONEq(t, `{"recipient":{"id":"visitor 7"},"messaging_type":"RESPONSE","message":{"attachment":{"type":"template","payload":{"template_type":"button",
		"text":"Which size?","buttons":[{"type":"postback","title":"Small","payload":"token-1"},{"type":"postback","title":"Large","payload":"token-2"}]}}}}`, p.Carrier.Got()[0].Payload)

	said, err := tap("2")
	require.NoError(t, err)
	id := regexp.MustCompile(`Delivered: a new conversation, (cnv_\w+), unassigned`).FindStringSubmatch(said)
	require.Len(t, id, 2, said)
	read := p.As("ada").Do(`query($id: ID!) { conversation(id: $id) { preview } }`, parleytest.Vars{"id": id[1]})
	require.Equal(t, "Large", read.Get("conversation", "preview").String())
	_, err = tap("3")
	require.ErrorContains(t, err, "appears in no conversation", "there is no third option")
	status, err := command(t, "--database", database, "inbound", "status")
	require.NoError(t, err)
	require.Contains(t, status, "the last component has no option 3: it has 2")

	_, err = command(t, "--database", database, "sandbox", "tap", "--url", p.URL(), "--to", parleytest.Billing, "1")
	require.ErrorContains(t, err, "get components as text")
}
