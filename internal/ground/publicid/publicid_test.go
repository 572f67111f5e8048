package publicid_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/ground/publicid"
)

func codec(t require.TestingT) *publicid.Codec {
	c, err := publicid.New([]byte("0123456789abcdef0123456789abcdef"))
	require.NoError(t, err)
	return c
}

func TestIDsComeBackAsTheirKeys(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, key := codec(t), rapid.Int64Range(1, 1<<48-1).Draw(t, "key")
		id := c.Encode(publicid.Conversation, key)
		got, ok := c.Decode(publicid.Conversation, id)
		require.True(t, ok)
		require.Equal(t, key, got)
		_, ok = c.Decode(publicid.Message, id)
		require.False(t, ok, "an id is of one kind")
		other, _ := c.Decode(publicid.Message, "msg"+strings.TrimPrefix(id, "cnv"))
		require.NotEqual(t, key, other, "another prefix is not the same row")
	})
}

func TestNeighboursLookNothingAlike(t *testing.T) {
	t.Parallel()
	c, seen := codec(t), map[string]bool{}
	for key := range int64(10_000) {
		id := c.Encode(publicid.Message, key+1)
		require.False(t, seen[id])
		seen[id] = true
	}
	a, b := c.Encode(publicid.Message, 1), c.Encode(publicid.Message, 2)
	require.NotEqual(t, a[:9], b[:9])
}

func TestAnotherKeyGivesOtherIDs(t *testing.T) {
	t.Parallel()
	other, err := publicid.New([]byte("another key another key another!"))
	require.NoError(t, err)
	_, ok := other.Decode(publicid.Agent, codec(t).Encode(publicid.Agent, 7))
	require.False(t, ok)
	_, err = publicid.New([]byte("short"))
	require.Error(t, err)
}

func FuzzParse(f *testing.F) {
	c := codec(f)
	f.Add(c.Encode(publicid.Channel, 5))
	f.Add("cnv_")
	f.Fuzz(func(t *testing.T, id string) {
		if kind, key, ok := c.Parse(id); ok {
			require.Equal(t, id, c.Encode(kind, key))
		}
	})
}

func Example() {
	c, _ := publicid.New(make([]byte, 32))
	key, ok := c.Decode(publicid.Agent, c.Encode(publicid.Agent, 42))
	fmt.Println(key, ok)
	// Output: 42 true
}
