package number_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/number"
)

func TestACountryIsKnownByItsCodesAndItsName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"DE": "DE", "de": "DE", "DEU": "DE", "Germany": "DE", " GERMANY ": "DE", "UK": "GB", "United Kingdom": "GB", "Great Britain": "GB",
		"US": "US", "USA": "US", "United States": "US", "United States of America": "US", "Japan": "JP", "South Korea": "KR", "Russia": "RU",
		"Czech Republic": "CZ", "Czechia": "CZ", "Turkey": "TR", "Côte d’Ivoire": "CI", "Brazil": "BR", "India": "IN", "Hong Kong": "HK",
		"": "", "Atlantis": "", "ZZ": "", "EU": "", "Deutschland": "", "D": "", "001": "", "Europe": "",
	} {
		require.Equal(t, want, number.Region(text), text)
	}
}
