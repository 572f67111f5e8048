package doctor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/doctor"
)

// An active channel from which nobody can send is named, with what to run.
func TestChannelsThatNobodyCanSendFrom(t *testing.T) {
	t.Parallel()
	p := admit(t)
	for _, c := range []struct{ damage, means, do, repair string }{
		{
			"UPDATE channels SET active = true", "Active channels belong to deactivated accounts", "parley account activate demo.",
			"UPDATE channels SET active = (provider_account_id IN (SELECT id FROM provider_accounts WHERE active))",
		},
		{"UPDATE agents SET licensed = false", "no active member with a licence", "parley agent set USERNAME --licence", "UPDATE agents SET licensed = true"},
		{"UPDATE agents SET active = false", "no active member with a licence", "parley channel members +", "UPDATE agents SET active = true"},
	} {
		p.do(c.damage)
		found, well := examine(t, p.options())
		require.True(t, well)
		require.Equal(t, doctor.Warn, found["channels"][0].Level, c.damage)
		require.Contains(t, found["channels"][0].Means, c.means)
		require.Contains(t, found["channels"][0].Do, c.do)
		p.do(c.repair)
		found, _ = examine(t, p.options())
		require.Equal(t, doctor.OK, found["channels"][0].Level, "after %s: %+v", c.repair, found["channels"])
	}
}
