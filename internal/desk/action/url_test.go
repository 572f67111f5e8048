package action_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/action"
	"parley/internal/ground/fault"
)

// Whatever a customer calls themselves, the address stays where its author put it.
func TestAValueNeverLeadsToAnotherAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, value, built string }{
		{"https://crm.example.com/leads/{V}/edit?q={V}#{V}", "a/../b?c#d&e=f", "https://crm.example.com/leads/a%2F..%2Fb%3Fc%23d%26e%3Df/edit?q=a%2F..%2Fb%3Fc%23d%26e%3Df#a%2F..%2Fb%3Fc%23d%26e%3Df"},
		{"https://crm.example.com/leads/{V}", `\\evil@x:1 é`, "https://crm.example.com/leads/%5C%5Cevil%40x%3A1%20%C3%A9"},
		{"https://crm.example.com/leads/{V}", "%2e%2e", "https://crm.example.com/leads/%252e%252e"},
		{"https://crm.example.com/leads/{V}", "...", "https://crm.example.com/leads/..."},
		{"https://crm.example.com/leads/{V}", "", "https://crm.example.com/leads/"},
		{"https://crm.example.com/?at={V}", "..", "https://crm.example.com/?at=.."},
		{"https://crm.example.com/leads/../{V}.pdf", "..", "https://crm.example.com/leads/../...pdf"},
		{"https://crm.example.com/leads/{V}/edit", "..", ""},
		{"https://crm.example.com/leads/{V}", ".", ""},
		{"https://crm.example.com/leads/.{V}/edit", ".", ""},
		{"https://crm.example.com/leads/{V}{V}/edit?x", ".", ""},
		{"https://crm.example.com/leads/%2E{V}/edit", ".", ""},
	} {
		d := &action.Definition{Kind: action.OpenURL, Parameters: []action.Parameter{{Key: action.Address, Source: action.URL, Value: c.address}, {Key: "V", Source: action.Value}}}
		built, err := d.BuildURL(func(string) string { return c.value })
		require.Equal(t, c.built, built, c)
		if c.built == "" {
			require.Equal(t, fault.BadInput, fault.CodeOf(err))
		} else {
			require.NoError(t, err)
		}
	}
}
