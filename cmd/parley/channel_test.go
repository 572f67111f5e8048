package main

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// An organisation's channels and queues are set up by the command line alone.
func TestChannelsAndQueuesAreSetUpByCommands(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	parley := func(args ...string) string {
		t.Helper()
		out, err := command(t, append([]string{"--database", database}, args...)...)
		require.NoError(t, err)
		return out
	}
	require.Equal(t, "Repairs. Members: bo. Channels: none.\n", parley("queue", "add", "Repairs", "--member", "bo"))
	require.Equal(t, "+12025550177 (Main): SMS_LONG_CODE, active. Queue: Repairs. Members: amy. Webhook: PUBLIC_URL/webhooks/sandbox/demo\n",
		parley("channel", "add", "(202) 555-0177", "--country", "US", "--account", "demo", "--name", "Main", "--developer-name", "main", "--queue", "repairs", "--member", "amy"))
	require.Equal(t, "+12025550177 (Side): SMS_LONG_CODE, active. Queue: none. Members: amy. Webhook: PUBLIC_URL/webhooks/sandbox/demo\n",
		parley("channel", "set", "MAIN", "--name", "Side", "--no-queue", "--limit", "per-second=3"))
	require.Equal(t, "Repair. Members: bo. Channels: none.\n", parley("queue", "set", "repairs", "--name", "Repair"))
	parley("channel", "set", "main", "--queue", "Repair", "--consent", "implicit_opt_in")
	require.Equal(t, "Repair. Members: amy, sue. Channels: +12025550177.\n", parley("queue", "members", "repair", "--add", "amy", "--add", "sue", "--remove", "bo"))
	require.Contains(t, parley("channel", "members", "+12025550177", "--add", "bo", "--remove", "amy"), "Members: bo.")
	require.Contains(t, parley("channel", "deactivate", "main", "--dry-run"), "active. Queue: Repair. Members: bo. Webhook: PUBLIC_URL/webhooks/sandbox/demo\nMessages that wait to be sent from it, and fail when it is deactivated: 0.")
	require.Contains(t, parley("channel", "deactivate", "main"), "deactivated. Queue: Repair.")
	require.Contains(t, parley("channel", "list"), "+12025550177  Side        main            SMS_LONG_CODE  demo         deactivated  Repair   bo\n")
	require.Contains(t, parley("queue", "list"), "Repair   amy, sue  +12025550177\n")
	var off deactivatedChannelLine
	require.NoError(t, json.Unmarshal([]byte(parley("channel", "deactivate", "main", "--json")), &off))
	require.False(t, off.Active)
	require.Contains(t, parley("channel", "activate", "main"), ", active.")
	parley("channel", "set", "main", "--no-consent", "--no-limits", "--no-developer-name")

	var channels []channelLine
	require.NoError(t, json.Unmarshal([]byte(parley("channel", "list", "--json")), &channels))
	require.Len(t, channels, 5)
	var queues []queueLine
	require.NoError(t, json.Unmarshal([]byte(parley("queue", "list", "--json")), &queues))
	require.Equal(t, []string{"+12025550177"}, queues[0].Channels)
	var amy agentLine
	require.NoError(t, json.Unmarshal([]byte(parley("agent", "set", "amy", "--time-zone", "Europe/Berlin", "--locale", "de-at", "--default-channel", parleytest.Sales, "--json")), &amy))
	require.Equal(t, []string{"Europe/Berlin", "de-AT", parleytest.Sales}, []string{amy.TimeZone, amy.Locale, amy.DefaultChannel})
	require.NoError(t, json.Unmarshal([]byte(parley("agent", "set", "amy", "--default-channel", "", "--json")), &amy))
	require.Empty(t, amy.DefaultChannel)

	for want, args := range map[string][]string{
		`there is no provider account "none" in this database; its accounts are: demo, twilio-demo`: {"channel", "add", "1", "--account", "none", "--name", "N"},
		"ADDRESS: The address has to be a phone number":                                             {"channel", "add", "1", "--account", "demo", "--name", "N"},
		`there is no channel "main"; see parley channel list`:                                       {"channel", "activate", "main"},
		`there is no queue "Sales"; see parley queue list`:                                          {"channel", "set", parleytest.Sales, "--queue", "Sales"},
		`there is no limit "per-week"; the limits are`:                                              {"channel", "set", parleytest.Sales, "--limit", "per-week=1"},
		"nothing to change: give --add or --remove":                                                 {"queue", "members", "Repair"},
		"nothing to change: give --name, --developer-name":                                          {"channel", "set", parleytest.Sales},
		`"bo" is in both --add and --remove`:                                                        {"queue", "members", "Repair", "--add", "bo", "--remove", "bo"},
		`there is no agent "eve"`:                                                                   {"queue", "add", "New", "--member", "eve"},
	} {
		_, err := command(t, append([]string{"--database", database}, args...)...)
		require.ErrorContains(t, err, want)
	}
}

// Programs read whatever administers agents, permission sets, channels, queues, customers
// and the audit.
func TestAdministrationPrintsJSON(t *testing.T) {
	t.Parallel()
	program, err := kong.New(&cli{}, kong.Name("parley"))
	require.NoError(t, err)
	seen := 0
	for _, group := range program.Model.Children {
		if !slices.Contains([]string{"agent", "permission", "channel", "queue", "customer", "audit", "organisation"}, group.Name) {
			continue
		}
		for _, leaf := range group.Children {
			seen++
			require.True(t, slices.ContainsFunc(leaf.Flags, func(f *kong.Flag) bool { return f.Name == "json" }), leaf.Path())
		}
	}
	require.Greater(t, seen, 20)
}

// The audit on a terminal names whom a change added, and is cut by nobody silently.
func TestTheAuditIsListed(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	parley := func(args ...string) string {
		printed, err := command(t, append([]string{"--database", database}, args...)...)
		require.NoError(t, err, args)
		return printed
	}
	parley("queue", "add", "Repairs", "--member", "bo", "--member", "sue")
	parley("queue", "members", "Repairs", "--remove", "bo")
	listed := parley("audit", "list", "--of", "bo")
	require.Regexp(t, `UPDATED +Queue Repairs +members -bo\n`, listed)
	require.Regexp(t, `CREATED +Queue Repairs +.*members( \+bo| \+sue){2}\n`, listed)
	var lines []struct{ Action, SubjectName string }
	require.NoError(t, json.Unmarshal([]byte(parley("audit", "list", "--of", "bo", "--most", "1", "--json")), &lines))
	require.Len(t, lines, 1)
	require.Equal(t, "Repairs", lines[0].SubjectName)
	for _, list := range []string{"audit", "customer"} {
		_, err := command(t, list, "list", "--database", database, "--most", "1001")
		require.ErrorContains(t, err, "--most: a list has at most 1000 lines, not 1001")
	}
}
