package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// The demo has a CRM around its conversations, and a start that was cut short goes on.
func TestTheDemoHasACRM(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	require.NoError(t, demoRights(p.System(), p.App))
	for range 2 {
		require.NoError(t, demo(t.Context(), p.App))
	}
	got := p.As("amy").Do(`{ record(objectType: "Account", externalId: "DEMO-FIRM-1") { name relatedConversations { counts { total } } } crmActions { name } components { nodes { name } } }`, nil)
	require.Equal(t, demoFirms[0], got.Get("record", "name").String())
	require.Positive(t, got.Get("record", "relatedConversations", "counts", "total").Int())
	require.Len(t, got.Get("crmActions").List(), 2)
	require.Len(t, got.Get("components", "nodes").List(), 2)
	p.Say("+12025550199", parleytest.Sales, "Hello")
	lone := p.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { linkSuggestions { record { name } } } } }`, nil)
	require.Equal(t, "Robin Fox", lone.Get("conversations", "nodes", 0, "linkSuggestions", 0, "record", "name").String())
}
