package number_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/number"
)

// Carriers put a digit into mobile numbers of three countries that people leave out, or the
// other way round.
func TestNumbersThatCarriersWriteOtherwise(t *testing.T) {
	t.Parallel()
	for one, other := range map[string]string{
		"+5215512345678":  "+525512345678",
		"+5491112345678":  "+541112345678",
		"+5511987654321":  "+551187654321",
		"+12025550190":    "",
		"+4915112345678":  "",
		"+52551234567890": "",
	} {
		require.Equal(t, other, number.Alike(one), one)
		if other != "" {
			require.Equal(t, one, number.Alike(other), other)
		}
	}
}
