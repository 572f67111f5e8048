package cursor_test

import (
	"bytes"
	"encoding/base64"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/cursor"
)

var key = []byte("0123456789abcdef0123456789abcdef")

func sealer() *cursor.Sealer { return cursor.New(key) }

func TestAPlaceComesBackFromItsCursor(t *testing.T) {
	t.Parallel()
	s := sealer()
	for _, n := range []int64{0, 1, -1, 1 << 32, math.MaxInt64, math.MinInt64} {
		text := s.Seal(cursor.Messages, n, 7, n)
		require.Len(t, text, cursor.MostLength)
		var a, b, c int64
		require.True(t, sealer().Open(cursor.Messages, text, &a, &b, &c))
		require.Equal(t, []int64{n, 7, n}, []int64{a, b, c})
		require.False(t, s.Open(cursor.Messages, text, &a, &b), "it has three numbers")
		require.True(t, s.Open(cursor.Messages, s.Seal(cursor.Messages)))
	}
}

func TestTwoCursorsOfOnePlaceHaveNothingInCommon(t *testing.T) {
	t.Parallel()
	a, err := base64.RawURLEncoding.DecodeString(sealer().Seal(cursor.Feed, 0, 0))
	require.NoError(t, err)
	b, err := base64.RawURLEncoding.DecodeString(sealer().Seal(cursor.Feed, 0, 0))
	require.NoError(t, err)
	same := 0
	for i := range a {
		if a[i] == b[i] {
			same++
		}
	}
	require.Less(t, same, len(a)/4)
}

func TestACursorIsOfItsKindAndKeyAlone(t *testing.T) {
	t.Parallel()
	s := sealer()
	text := s.Seal(cursor.Search, 1)
	for _, kind := range []cursor.Kind{cursor.Feed, cursor.Conversations, cursor.Messages, cursor.Operations, cursor.Results, ""} {
		require.False(t, s.Open(kind, text, new(int64)), kind)
	}
	require.False(t, cursor.New(key[:31]).Open(cursor.Search, text, new(int64)))
}

func TestACursorWithOneBitChangedIsRefused(t *testing.T) {
	t.Parallel()
	s := sealer()
	good, err := base64.RawURLEncoding.DecodeString(s.Seal(cursor.Feed, 42))
	require.NoError(t, err)
	for bit := range len(good) * 8 {
		forged := bytes.Clone(good)
		forged[bit/8] ^= 1 << (bit % 8)
		require.False(t, s.Open(cursor.Feed, base64.RawURLEncoding.EncodeToString(forged), new(int64)), "bit %d", bit)
	}
}

// FuzzOpen holds that only what was sealed opens, in one spelling.
func FuzzOpen(f *testing.F) {
	s := sealer()
	sealed := s.Seal(cursor.Feed, 42)
	for _, seed := range []string{"", "AAAA", sealed, sealed + "==", sealed[:9] + "\n" + sealed[9:], sealed[:len(sealed)-1]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s.Open(cursor.Feed, text, new(int64)) {
			require.Equal(t, sealed, text)
		}
	})
}
