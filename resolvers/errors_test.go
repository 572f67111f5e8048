package resolvers

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/conventions"
)

// What mutations answer in their payload is what the schema says they may.
func TestPayloadsHoldTheSchemasCodes(t *testing.T) {
	t.Parallel()
	schema, err := conventions.LoadSchema("..")
	require.NoError(t, err)
	enum := schema.Types["UserErrorCode"].EnumValues
	require.Len(t, inPayload, len(enum))
	for code := range inPayload {
		require.NotNil(t, enum.ForName(string(code)), code)
	}
}
