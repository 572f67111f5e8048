package twilio

import (
	"net/http"
	"strings"

	"parley/internal/channel"
)

// Credentials are stored as {"sid": …, "secret": …}.
type Credentials struct {
	SID   string         `json:"sid"`    // identifies the account: AC…
	Token channel.Secret `json:"secret"` // the auth token: authenticates calls and signs webhooks
}

// Missing implements channel.Credentials.
func (c Credentials) Missing() string {
	switch {
	case c.Token == "":
		return "auth token"
	case c.SID == "":
		return "account SID"
	}
	return ""
}

// CredentialFields implements channel.Provider.
func (*Provider) CredentialFields() []channel.CredentialField {
	return []channel.CredentialField{
		{Name: "sid", Label: "Account SID", Help: "Starts with AC; on the first page of the Twilio console.", Required: true},
		{Name: "secret", Label: "Auth token", Help: "Beside the account SID. It authenticates calls and signs webhooks.", Secret: true, Required: true},
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

func (c Credentials) authenticate(req *http.Request) { req.SetBasicAuth(c.SID, string(c.Token)) }

// credentials are the account's, all missing when they could not be read.
func credentials(a channel.Account) Credentials {
	c, _ := a.Credentials.(Credentials)
	return c
}

// The credentials of the demo data's account. They protect nothing: the account does
// not exist.
const (
	DemoSID   = "AC00000000000000000000000000000000"
	DemoToken = "twilio-demo-token" //nolint:gosec // a demo's, and public
)

var _ channel.Demonstrator = (*Provider)(nil)

// DemoAccount implements channel.Demonstrator.
func (*Provider) DemoAccount() channel.DemoAccount {
	return channel.DemoAccount{Key: "twilio-demo", Name: "Twilio (demo)", Stored: channel.Stored{SID: DemoSID, Secret: DemoToken}}
}

// Pretended implements channel.Demonstrator.
func (*Provider) Pretended(a channel.Account) string {
	if !isMadeUp(a) {
		return ""
	}
	return "belongs to the demo data: it is fictitious, only parley serve --demo simulates its carrier, and no carrier was asked about it"
}

// isMadeUp reports whether an account has the SID of demo data.
func isMadeUp(a channel.Account) bool {
	c := credentials(a)
	return a.BaseURL == "" && c.SID != "" && strings.Trim(c.SID, "AC0") == ""
}
