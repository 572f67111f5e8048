package object_test

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/object"
)

func TestValuesAreReadByTheirKind(t *testing.T) {
	t.Parallel()
	choices, targets := []string{"Hot", "Warm", "Cold"}, []string{"Account", "Lead"}
	for _, test := range []struct {
		kind        object.Kind
		given, want string
	}{
		{object.Text, " as it is ", " as it is "},
		{object.Number, "0012.50", "12.50"},
		{object.Number, "-.5", "-0.5"},
		{object.Number, "1e3", "1000"},
		{object.Number, "-0", "0"},
		{object.Number, "1.5E-2", "0.015"},
		{object.Currency, "+7", "7"},
		{object.Percent, "50", "50"},
		{object.Boolean, "TRUE", "true"},
		{object.Boolean, "false", "false"},
		{object.Date, "2024-02-29", "2024-02-29"},
		{object.DateTime, "2026-11-28T15:04:05+02:00", "2026-11-28T13:04:05.000Z"},
		{object.DateTime, "2026-11-28T15:04:05.123456+0000", "2026-11-28T15:04:05.123Z"},
		{object.Time, "15:04", "15:04:00.000"},
		{object.Time, "15:04:05.5Z", "15:04:05.500"},
		{object.Picklist, "Warm", "Warm"},
		{object.Phone, " 202 555 0100 x12 ", "202 555 0100 x12"},
		{object.Email, "a@example.com", "a@example.com"},
		{object.URL, "https://example.com/a?b=c", "https://example.com/a?b=c"},
		{object.Geolocation, "48.137, -011.5", "48.137,-11.5"},
		{object.Geolocation, "90,180", "90,180"},
		{object.Reference, "ACC1", "Account/ACC1"},
		{object.Reference, "Lead/L/1", "Lead/L/1"},
		{object.Reference, "Case/C1", "Account/Case/C1"},
		{object.ID, "003xx", "003xx"},
		{object.Text, "", ""},
		{object.Number, " ", ""},
	} {
		f := object.Field{Name: "F", Kind: test.kind, Choices: choices, Targets: targets}
		got, err := f.Parse(test.given, nil)
		require.NoError(t, err, "%s %q", test.kind, test.given)
		require.Equal(t, test.want, got.Text, "%s %q", test.kind, test.given)
		again, err := f.Parse(got.Text, nil)
		require.NoError(t, err)
		require.Equal(t, got, again, "what is stored reads as itself")
	}
	for _, test := range []struct {
		kind  object.Kind
		given string
	}{
		{object.Number, "1,5"},
		{object.Number, "."},
		{object.Number, "1e99"},
		{object.Number, strings.Repeat("9", 39)},
		{object.Number, "NaN"},
		{object.Number, "0x10"},
		{object.Boolean, "yes"},
		{object.Date, "2025-02-29"},
		{object.Date, "28.11.2026"},
		{object.DateTime, "2026-11-28"},
		{object.Time, "25:00"},
		{object.Picklist, "warm"},
		{object.Email, "a@"},
		{object.Email, "A <a@example.com>"},
		{object.URL, "javascript:alert(1)"},
		{object.URL, "//example.com"},
		{object.Geolocation, "90.1,0"},
		{object.Geolocation, "0,-180.5"},
		{object.Geolocation, "1"},
		{object.Phone, strings.Repeat("1", 1001)},
		{object.Text, strings.Repeat("a", object.MostValue+1)},
		{object.Reference, "Account/"},
	} {
		f := object.Field{Name: "F", Kind: test.kind, Choices: choices, Targets: targets}
		_, err := f.Parse(test.given, nil)
		require.ErrorContains(t, err, "F takes", "%s %.20q", test.kind, test.given)
	}
}

func TestChoicesAreASet(t *testing.T) {
	t.Parallel()
	f := object.Field{Name: "F", Kind: object.MultiPicklist, Choices: []string{"a", "b", "c"}}
	for _, given := range [][]string{{"c", "a"}, {"a", "c", "a"}, {"a", " c "}} {
		got, err := f.Parse("", given)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "c"}, got.List)
	}
	got, err := f.Parse("c;a", nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c"}, got.List)
	require.Len(t, f.Keys(got), 2)
	free, err := (&object.Field{Name: "F", Kind: object.MultiPicklist}).Parse("", []string{"z", "y"})
	require.NoError(t, err)
	require.Equal(t, []string{"y", "z"}, free.List)
	_, err = f.Parse("", []string{"d"})
	require.ErrorContains(t, err, `"d" is none of them`)
	_, err = (&object.Field{Name: "F", Kind: object.Text}).Parse("", []string{"d"})
	require.ErrorContains(t, err, "not a list")
}

// Keys are in the order of the numbers, and equal where these are.
func TestKeysOfNumbersAreOrdered(t *testing.T) {
	t.Parallel()
	f := object.Field{Name: "F", Kind: object.Number}
	number := rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprintf("%s%d.%0*d", rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign"), rapid.Int64Range(0, 100_000).Draw(t, "whole"),
			rapid.IntRange(1, 6).Draw(t, "scale"), rapid.Int64Range(0, 9).Draw(t, "part"))
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		key := func(s string) []byte {
			v, err := f.Parse(s, nil)
			require.NoError(t, err)
			return f.Keys(v)[0]
		}
		rat := func(s string) *big.Rat { r, _ := new(big.Rat).SetString(s); return r }
		require.Equal(t, rat(a).Cmp(rat(b)), bytes.Compare(key(a), key(b)), "%s, %s", a, b)
	})
}

func TestKeysOfTextsIgnoreCaseAndAreBounded(t *testing.T) {
	t.Parallel()
	f := object.Field{Name: "F", Kind: object.Text}
	key := func(s string) []byte { return f.Keys(object.Value{Text: s})[0] }
	require.Equal(t, key("Straße"), key("STRASSE"))
	long := strings.Repeat("x", 400)
	require.Len(t, key(long+"1"), 300)
	require.NotEqual(t, key(long+"1"), key(long+"2"))
	require.True(t, bytes.HasPrefix(key(long), object.Prefix(strings.Repeat("X", 350))))
	require.True(t, bytes.HasPrefix(key("Nowak LLC"), object.Prefix("nowak")))
	require.Empty(t, f.Keys(object.Value{}))
}
