package administration_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/administration"
)

// A zone that one machine's files alone know would be another one, or none, elsewhere.
func TestTimeZonesAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"} {
		require.NoError(t, administration.CheckTimeZone("zone", zone), zone)
	}
	for _, zone := range []string{"", "Local", "localtime", "posixrules", "Factory", "posix/UTC", "right/UTC", "Europe/Nowhere", "../UTC"} {
		require.ErrorContains(t, administration.CheckTimeZone("zone", zone), "There is no such time zone", zone)
	}
}

// A locale is the language of somebody.
func TestLocalesAreLanguages(t *testing.T) {
	t.Parallel()
	for locale, clean := range map[string]string{"": "", "de-at": "de-AT", "en-x-plain": "en-x-plain", "zh-hant-TW": "zh-Hant-TW"} {
		got, err := administration.CleanLocale("locale", locale)
		require.NoError(t, err, locale)
		require.Equal(t, clean, got)
	}
	for _, locale := range []string{"und", "und-DE", "mul", "mis", "zxx", "qaa", "qtz-DE", "afa", "gem", "bih", "bh-IN", "sgn-US", "zhx", "x-private"} {
		_, err := administration.CleanLocale("locale", locale)
		require.ErrorContains(t, err, "stands for no single language", locale)
	}
	_, err := administration.CleanLocale("locale", "not a tag")
	require.ErrorContains(t, err, "This is no language tag")
}
