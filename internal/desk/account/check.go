package account

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// Bounds.
const (
	mostAccounts    = 200
	mostAccountID   = 64
	mostFields      = 20
	mostValue       = 2_000 // characters of one part of the credentials
	mostBaseURL     = 500
	defaultOverlap  = 24 // hours
	mostOverlap     = 7 * 24
	accountIDLetter = "abcdefghijklmnopqrstuvwxyz0123456789-"
)

// provider finds a provider by its name.
func (s *Service) provider(ctx context.Context, name string) (channel.Provider, error) {
	if p := s.Providers.Named(name); p != nil {
		return p, nil
	}
	var names []string
	for _, p := range s.Known(ctx) {
		names = append(names, p.Name)
	}
	return nil, fault.Input("input.provider", "There is no such provider. Choose one of: %s.", strings.Join(names, ", "))
}

// document makes the JSON object that the provider reads. Its errors quote no value.
func document(p channel.Provider, given []CredentialInput) (json.RawMessage, error) {
	const field = "input.credentials"
	if len(given) > mostFields {
		return nil, fault.Input(field, "Give at most %d values, not %d.", mostFields, len(given))
	}
	fields, values := p.CredentialFields(), map[string]string{}
	for _, c := range given {
		known := slices.ContainsFunc(fields, func(f channel.CredentialField) bool { return f.Name == c.Name })
		_, twice := values[c.Name]
		value := strings.TrimSpace(c.Value) // pasted with a space or a line break
		switch {
		case !known:
			return nil, fault.Input(field, "%s has no such field. Give: %s.", p.Name(), fieldNames(fields))
		case twice:
			return nil, fault.Input(field, "%s is given twice. Give it once.", c.Name)
		case value == "" || utf8.RuneCountInString(value) > mostValue || !utf8.ValidString(value) || strings.ContainsFunc(value, isControl):
			return nil, fault.Input(field, "%s needs 1 to %d characters in one line.", c.Name, mostValue)
		}
		values[c.Name] = value
	}
	for _, f := range fields {
		if f.Required && values[f.Name] == "" {
			return nil, fault.Input(field, "%s (%s) is missing. %s", f.Name, f.Label, f.Help)
		}
	}
	document, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	if _, err := p.ParseCredentials(document); err != nil {
		return nil, fault.Input(field, "%s cannot read these credentials. Compare them with its console.", p.Name())
	}
	return document, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func fieldNames(fields []channel.CredentialField) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
		if !f.Required {
			names[i] += " (optional)"
		}
	}
	return strings.Join(names, ", ")
}

func checkAccountID(id string) error {
	if id == "" || len(id) > mostAccountID || strings.Trim(id, accountIDLetter) != "" || strings.HasPrefix(id, "-") {
		return fault.Input("input.accountId", "Use 1 to %d small letters, digits and hyphens, a hyphen not first.", mostAccountID)
	}
	return nil
}

// checkBaseURL refuses addresses that would send credentials unencrypted, or to this
// machine and its private networks, but for an operator. A name is not looked up, which
// may change later: whoever connects does so.
func (s *Service) checkBaseURL(ctx context.Context, given *string) error {
	if given == nil || *given == "" {
		return nil
	}
	const field = "input.baseUrl"
	u, err := url.Parse(*given)
	if len(*given) > mostBaseURL || channel.CheckPublicURL(*given) != nil || err != nil {
		return fault.Input(field, "Give scheme and host, and perhaps a path, in at most %d characters, such as https://api.example.com.", mostBaseURL)
	}
	near := channel.IsNear(u.Hostname())
	switch {
	case (s.Loopback || viewer.FromContext(ctx).System != "") && (near || u.Scheme == "https"):
		return nil
	case u.Scheme != "https":
		return fault.Input(field, "Use https: credentials must not travel unencrypted.")
	case near:
		return fault.Input(field, "Give the carrier's public address, not one of this machine or a private network.")
	}
	return nil
}
