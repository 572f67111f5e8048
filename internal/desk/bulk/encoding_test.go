package bulk_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/bulk"
	"parley/internal/desk/message"
)

// Hashes of inputs are kept for a week beside their idempotency keys, over these
// encodings. A field that gets another name in Go keeps its own here by a tag, and a
// new one is left out while it is empty: else a retry after an update is a conflict.
func TestInputsAreEncodedAsEver(t *testing.T) {
	t.Parallel()
	const selection = `{"IDs":[_,_],"View":{"Kind":_,"Subject":_},"Search":_,"FilterBy":{"IsUnread":_,"ObjectType":_,"ChannelID":_,` +
		`"OwnerID":_,"IsAssigned":_,"LastMessageDirection":_,"LastMessageFrom":_,"LastMessageBefore":_}}`
	for want, input := range map[string]any{
		`{"ConversationID":_,"Text":_,"IdempotencyKey":_,"ConfirmForOwner":_,"Component":_,"UpToMessageID":_}`:              &message.SendInput{},
		`{"ChannelID":_,"RecordID":_,"Number":_,"PhoneField":_,"Country":_,"Name":_,"Topic":_,"Text":_,"IdempotencyKey":_}`: &message.StartInput{},
		`{"ConversationID":_,"Text":_,"IdempotencyKey":_}`:                                                                  &message.NoteInput{},
		`{"MessageID":_,"IdempotencyKey":_}`:                                                                                &message.RetryInput{},
		`{"Selection":` + selection + `,"ConfirmForOwner":_,"DryRun":_,"IdempotencyKey":_}`:                                 &bulk.MarkInput{},
		`{"Selection":` + selection + `,"AgentID":_,"DryRun":_,"IdempotencyKey":_}`:                                         &bulk.AssignInput{},
		`{"Selection":` + selection + `,"IdempotencyKey":_}`:                                                                &bulk.LinkInput{},
	} {
		parleytest.Fill(t, input)
		encoded, err := json.Marshal(input)
		require.NoError(t, err)
		require.Equal(t, want, withoutValues(string(encoded)))
	}
	for want, input := range map[string]any{
		`{"ConversationID":"","Text":"","IdempotencyKey":"","ConfirmForOwner":false}`:                                       message.SendInput{},
		`{"ChannelID":"","RecordID":null,"Number":null,"Text":"","IdempotencyKey":""}`:                                      message.StartInput{},
		`{"Selection":{"IDs":null,"View":null,"FilterBy":null},"ConfirmForOwner":false,"DryRun":false,"IdempotencyKey":""}`: bulk.MarkInput{Selection: &bulk.Selection{}},
	} {
		encoded, err := json.Marshal(input)
		require.NoError(t, err)
		require.Equal(t, want, string(encoded))
	}
}

// values are those behind a name, or of a list.
var values = regexp.MustCompile(`([:\[,])(?:"[^"]*"|true|-?\d+)([,\]}])`)

func withoutValues(encoded string) string {
	for range 2 { // of two that touch, one at a time
		encoded = values.ReplaceAllString(encoded, "${1}_${2}")
	}
	return encoded
}
