package sandbox

import (
	"net/url"

	"parley/internal/channel"
)

// Credentials are stored as {"secret": …, "verifyToken": …}.
type Credentials struct {
	Secret      channel.Secret `json:"secret"`                // authenticates calls and signs webhooks
	VerifyToken channel.Secret `json:"verifyToken,omitempty"` // of the challenge; without it none is answered
}

// Missing implements channel.Credentials.
func (c Credentials) Missing() string {
	if c.Secret == "" {
		return "secret"
	}
	return ""
}

// CredentialFields implements channel.Provider.
func (*Provider) CredentialFields() []channel.CredentialField {
	return []channel.CredentialField{
		{Name: "secret", Label: "Secret", Help: "Any text: it authenticates calls to the sandbox and signs its webhooks.", Secret: true, Required: true},
		{Name: "verifyToken", Label: "Verify token", Help: "Any text, which a GET of the webhook URL must repeat; without it no such request is answered.", Secret: true},
	}
}

// ParseCredentials implements channel.Provider.
func (*Provider) ParseCredentials(document []byte) (channel.Credentials, error) {
	var c Credentials
	if err := channel.DecodeCredentials(document, &c); err != nil {
		return nil, err
	}
	return c, nil
}

// credentials are the account's, all missing when they could not be read.
func credentials(a channel.Account) Credentials {
	c, _ := a.Credentials.(Credentials)
	return c
}

var _ channel.Challenger = (*Provider)(nil)

// Challenge implements channel.Challenger in Meta's form: hub.mode is "subscribe",
// hub.verify_token the account's, and hub.challenge is sent back.
func (*Provider) Challenge(a channel.Account, query url.Values) (answer string, ok bool) {
	answer = query.Get("hub.challenge")
	known := credentials(a).VerifyToken.Is(query.Get("hub.verify_token"))
	if !known || query.Get("hub.mode") != "subscribe" || !validID(answer) {
		return "", false
	}
	return answer, true
}

// The credentials of the demo data's account. They protect nothing: the sandbox is no
// carrier.
const (
	DemoSecret      = "sandbox-demo-secret"       //nolint:gosec // a demo's, and public
	DemoVerifyToken = "sandbox-demo-verify-token" //nolint:gosec // a demo's, and public
)

var _ channel.Demonstrator = (*Provider)(nil)

// DemoAccount implements channel.Demonstrator.
func (*Provider) DemoAccount() channel.DemoAccount {
	return channel.DemoAccount{Key: "demo", Name: "Sandbox carrier", Stored: channel.Stored{
		Document: `{"secret":"` + DemoSecret + `","verifyToken":"` + DemoVerifyToken + `"}`, Secret: DemoSecret,
	}}
}

// Pretended implements channel.Demonstrator.
func (*Provider) Pretended(channel.Account) string {
	return "uses the sandbox: its messages reach no phone"
}
