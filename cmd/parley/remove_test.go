package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// Queues and permission sets are removed by commands; a channel says what to do instead.
func TestWhatIsSetUpIsRemovedByCommands(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	try := func(args ...string) (string, error) {
		return command(t, append([]string{"--database", database}, args...)...)
	}
	parley := func(args ...string) string {
		t.Helper()
		out, err := try(args...)
		require.NoError(t, err)
		return out
	}
	parley("queue", "add", "Repairs", "--member", "bo")
	parley("channel", "set", parleytest.Sales, "--queue", "Repairs")
	_, err := try("queue", "remove", "Repairs")
	require.ErrorContains(t, err, "Channels whose new conversations go to this queue: 1")
	parley("channel", "set", parleytest.Sales, "--no-queue")
	require.Equal(t, "Repairs is still there. Conversations in it: 0. Quick texts: 0.\n", parley("queue", "remove", "Repairs", "--dry-run"))
	require.Equal(t, "Repairs was deleted. Conversations in it: 0. Quick texts: 0.\n", parley("queue", "remove", "repairs"))
	_, err = try("queue", "members", "Repairs", "--add", "bo")
	require.ErrorContains(t, err, "there is no queue")

	parley("permission", "add", "Leads", "--permission", "ASSIGN_CONVERSATION")
	parley("agent", "set", "bo", "--grant", "Leads")
	_, err = try("permission", "remove", "Leads")
	require.ErrorContains(t, err, "Agents who have this permission set: 1")
	parley("agent", "set", "bo", "--revoke", "Leads")
	require.Equal(t, "leads was deleted.\n", parley("permission", "remove", "leads"))

	_, err = try("channel", "remove", parleytest.Sales)
	require.ErrorContains(t, err, "parley channel deactivate "+parleytest.Sales)
}
