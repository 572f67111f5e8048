package account

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/ground/fault"
)

// Bounds.
const (
	mostAccounts    = 200
	mostAccountID   = 64
	mostFields      = 20
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
	document, err := Document(p.Name(), p.CredentialFields(), given)
	if err != nil {
		return nil, err
	}
	if _, err := p.ParseCredentials(document); err != nil {
		return nil, fault.Input("input.credentials", "%s cannot read these credentials. Compare them with its console.", p.Name())
	}
	return document, nil
}

// Document is a JSON object of the values that are given for fields, complete and within
// their bounds. of names who asks for them. Its errors quote no value.
func Document(of string, fields []channel.CredentialField, given []CredentialInput) (json.RawMessage, error) {
	const field = "input.credentials"
	if len(given) > mostFields {
		return nil, fault.Input(field, "Give at most %d values, not %d.", mostFields, len(given))
	}
	values := map[string]string{}
	for _, c := range given {
		at := slices.IndexFunc(fields, func(f channel.CredentialField) bool { return f.Name == c.Name })
		_, twice := values[c.Name]
		value := strings.TrimSpace(c.Value) // pasted with a space or a line break
		switch {
		case at < 0:
			return nil, fault.Input(field, "%s has no such field. Give: %s.", of, fieldNames(fields))
		case twice:
			return nil, fault.Input(field, "%s is given twice. Give it once.", c.Name)
		case value == "" || utf8.RuneCountInString(value) > fields[at].Most() || !utf8.ValidString(value) || strings.ContainsFunc(value, fields[at].Refuses):
			return nil, fault.Input(field, "%s needs 1 to %d characters%s.", c.Name, fields[at].Most(), inLines[fields[at].Lines])
		}
		values[c.Name] = value
	}
	for _, f := range fields {
		if f.Required && values[f.Name] == "" {
			return nil, fault.Input(field, "%s (%s) is missing. %s", f.Name, f.Label, f.Help)
		}
	}
	return json.Marshal(values)
}

var inLines = map[bool]string{false: " in one line"}

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

// CheckAccountID refuses what cannot be the last element of a webhook URL.
func CheckAccountID(field, id string) error {
	if id == "" || len(id) > mostAccountID || strings.Trim(id, accountIDLetter) != "" || strings.HasPrefix(id, "-") {
		return fault.Input(field, "Use 1 to %d small letters, digits and hyphens, a hyphen not first.", mostAccountID)
	}
	return nil
}

// checkBaseURL refuses what credentials must not be sent to; nil and empty are the
// provider's own.
func (s *Service) checkBaseURL(ctx context.Context, given *string) error {
	if given == nil || *given == "" {
		return nil
	}
	return administration.CheckAddress(ctx, "input.baseUrl", *given, s.Loopback)
}
