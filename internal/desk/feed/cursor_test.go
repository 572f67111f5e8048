package feed_test

import (
	"encoding/base64"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/feed"
	"parley/internal/ground/fault"
)

var (
	key     = []byte("0123456789abcdef0123456789abcdef")
	cursors = feed.NewCursors(key, 7)
)

func TestACursorComesBackAsItsPosition(t *testing.T) {
	t.Parallel()
	for _, position := range []int64{0, 1, 255, 1 << 32, math.MaxInt64} {
		got, err := feed.NewCursors(key, 7).Decode(cursors.Encode(position))
		require.NoError(t, err)
		require.Equal(t, position, got)
	}
}

func TestACursorThatIsNotOursIsRefused(t *testing.T) {
	t.Parallel()
	good := cursors.Encode(42)
	for name, cursor := range map[string]string{
		"empty":            "",
		"not base64":       "!!!",
		"cut short":        good[:len(good)-1],
		"longer":           good + "AAAA",
		"padded":           good + "==",
		"with a line feed": good[:8] + "\n" + good[8:],
		"of another key":   feed.NewCursors([]byte("another"), 7).Encode(42),
		"of another epoch": feed.NewCursors(key, 8).Encode(42),
		"a bare position":  base64.RawURLEncoding.EncodeToString(make([]byte, 28)),
	} {
		requireResync(t, cursor, name)
	}
}

// Streams that were opened on the last release go on.
func TestACursorOfTheLastReleaseStillPasses(t *testing.T) {
	t.Parallel()
	const signed = "AAAAAAAAAAcAAAAAAAAAKutxd7CDvF0cQZZ_ZQ"
	got, err := cursors.Decode(signed)
	require.NoError(t, err)
	require.EqualValues(t, 42, got)
	requireResync(t, signed[:len(signed)-1]+"A")
}

func TestACursorWithOneBitChangedIsRefused(t *testing.T) {
	t.Parallel()
	good, err := base64.RawURLEncoding.DecodeString(cursors.Encode(42))
	require.NoError(t, err)
	for bit := range len(good) * 8 {
		forged := append([]byte(nil), good...)
		forged[bit/8] ^= 1 << (bit % 8)
		requireResync(t, base64.RawURLEncoding.EncodeToString(forged), "bit %d", bit)
	}
}

func requireResync(t *testing.T, cursor string, about ...any) {
	t.Helper()
	_, err := cursors.Decode(cursor)
	var refused *fault.Error
	require.True(t, errors.As(err, &refused), about...)
	require.Equal(t, fault.ResyncRequired, refused.Code, about...)
	require.NotEmpty(t, refused.Message)
}

// Whatever is sent, it is one of ours to the letter or it is refused.
func FuzzCursor(f *testing.F) {
	ours := map[string]int64{cursors.Encode(0): 0, cursors.Encode(42): 42}
	for seed := range ours {
		f.Add(seed)
	}
	for _, seed := range []string{"", "AAAA", feed.NewCursors(key, 8).Encode(42)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		position, err := cursors.Decode(cursor)
		if err != nil {
			require.Equal(t, fault.ResyncRequired, fault.CodeOf(err))
			return
		}
		require.Contains(t, ours, cursor)
		require.Equal(t, ours[cursor], position)
	})
}
