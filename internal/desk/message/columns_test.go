package message_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/message"
)

// unread are columns that are only written and looked up by.
var unread = []string{"inbound_ordinal", "provider_account_id", "provider_id"}

// The columns of a message are those of the schema.
func TestAMessageHasEveryColumn(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, parleytest.Columns(t, "messages"), append(message.Read(), unread...))
}
