package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// Customers are added, changed, opted out, merged and parted by commands beside a running
// server.
func TestCustomersAreManagedByCommands(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	url := serve(t, "--database", database, "--mode", "development", "--demo")
	try := func(args ...string) (string, error) {
		return command(t, append([]string{"--database", database}, args...)...)
	}
	parley := func(args ...string) string {
		t.Helper()
		out, err := try(args...)
		require.NoError(t, err)
		return out
	}
	const first, second = "+12025550177", "+12025550178"
	for _, from := range []string{first, second} {
		parley("sandbox", "say", "--url", url, "--to", parleytest.Sales, "--from", from, "Hello")
	}
	require.Regexp(t, `^\+12025550179 on \S+ \(usr_\w+\)\. Name: Nora\. External id: C-9\. Consent: IMPLICIT_OPT_IN\.\n$`,
		parley("customer", "add", "(202) 555-0179", "--channel", parleytest.Sales, "--name", "Nora", "--external-id", "C-9"))
	require.Contains(t, parley("customer", "set", "+12025550179", "--name", "Nora Lund", "--locale", "de-at", "--time-zone", "Europe/Vienna"), "Name: Nora Lund. External id: C-9.")
	require.Contains(t, parley("customer", "consent", second, "explicit_opt_in", "--reason", "signed the form"), "Consent: EXPLICIT_OPT_IN.")

	show := func(name string, args ...string) (shown shownCustomer) {
		t.Helper()
		require.NoError(t, json.Unmarshal([]byte(parley(append([]string{"customer", "show", name, "--json"}, args...)...)), &shown))
		return shown
	}
	require.Equal(t, "de-AT", show("+12025550179").Locale)
	require.Contains(t, parley("customer", "show", "+12025550179"), "Locale: de-AT. Time zone: Europe/Vienna.")
	winner, loser := show(first).ID, show(second).ID
	require.Equal(t, "signed the form", show(loser).Consents[0].Reason)

	require.Contains(t, parley("customer", "merge", second, first), first+" on ")
	require.Equal(t, loser, show(winner).MergedFrom[0].ID)
	require.Equal(t, winner, show(second).MergedInto.ID)
	require.Contains(t, parley("customer", "show", first), "Merged from "+second)
	require.Contains(t, parley("customer", "unmerge", second), second+" on ")
	require.Empty(t, show(winner).MergedFrom)

	parley("customer", "add", first, "--channel", parleytest.Direct)
	_, err := try("customer", "show", first)
	require.ErrorContains(t, err, "name one by --channel")
	require.Equal(t, parleytest.Direct, show(first, "--channel", parleytest.Direct).Channel)
	for want, args := range map[string][]string{
		"nothing to change: give --name":            {"customer", "set", second},
		`there is no customer "+12025550111"`:       {"customer", "show", "+12025550111"},
		"OPT_OUT, IMPLICIT_OPT_IN":                  {"customer", "consent", second, "maybe", "--reason", "x"},
		"no conversation yet and cannot be merged":  {"customer", "merge", second, "+12025550179"},
		"Give the ids of 2 different messaging use": {"customer", "merge", second, second},
		"The number cannot be messaged":             {"customer", "add", "12", "--channel", parleytest.Sales},
	} {
		_, err := try(args...)
		require.ErrorContains(t, err, want)
	}
	listed := parley("audit", "list")
	require.Regexp(t, `command line .*MERGED +MessagingUser \+12025550178`, listed)
}
