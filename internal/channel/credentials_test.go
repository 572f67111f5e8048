package channel_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
)

// reader is a provider that reads credentials and does nothing else.
type reader struct{ channel.Provider }

type read struct{ Document string }

func (read) Missing() string { return "" }

func (reader) ParseCredentials(document []byte) (channel.Credentials, error) {
	return read{string(document)}, nil
}

func TestADocumentGoesBeforeTheColumns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stored channel.Stored
		want   string
	}{
		{channel.Stored{Document: `{"secret":"new"}`, SID: "AC1", Secret: "old"}, `{"secret":"new"}`},
		{channel.Stored{SID: "AC1", Secret: `o"ld`}, `{"secret":"o\"ld","sid":"AC1"}`},
		{channel.Stored{}, `{"secret":"","sid":""}`},
	} {
		got, err := c.stored.Credentials(reader{})
		require.NoError(t, err)
		require.Equal(t, read{c.want}, got)
		require.NotContains(t, fmt.Sprintf("%+v", c.stored), "old")
	}
}

func TestASecretIsComparedAndNeverShown(t *testing.T) {
	t.Parallel()
	s := channel.Secret("hush")
	require.True(t, s.Is("hush"))
	require.False(t, s.Is("hush "))
	require.False(t, s.Is(""))
	require.False(t, channel.Secret("").Is(""))
	encoded, err := json.Marshal(map[string]any{"a": s, "b": &s})
	require.NoError(t, err)
	require.JSONEq(t, `{"a":"hidden","b":"hidden"}`, string(encoded))
	require.Equal(t, "hidden hidden hidden", fmt.Sprintf("%v %s %x", s, &s, []any{s}[0]))
	require.Equal(t, "hidden", s.String())
	var back channel.Secret
	require.NoError(t, json.Unmarshal([]byte(`"hush"`), &back))
	require.Equal(t, "hush", string(back))
}
