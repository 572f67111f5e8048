package token_test

import (
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/token"
	"parley/internal/ground/viewer"
)

func TestWhatRulesMakeOfClaims(t *testing.T) {
	t.Parallel()
	no := false
	o := newOffice(t, func(o *token.VerifierOptions) {
		o.Issuers[0].Agents = &token.Arrivals{Groups: "https://desk.test/roles", Name: "/profile/full~1name", Rules: []token.ArrivalRule{
			{Value: "lead", Role: viewer.Supervisor, PermissionSets: []string{"B", "A"}},
			{Value: "reader", IsLicensed: &no, PermissionSets: []string{"C", "A"}},
		}}
	})
	made := func(roles any) *token.Newcomer {
		claims, err := o.Verify(t.Context(), theirs(t, jwt.SigningMethodRS256, rsaA(), nil, map[string]any{
			"https://desk.test/roles": roles, "profile": map[string]any{"full/name": "Amy Adams"}, "zoneinfo": "Europe/Berlin", "locale": 7,
		}))
		require.NoError(t, err)
		require.True(t, claims.Outside.Makes)
		require.Equal(t, claims.Outside.Newcomer == nil, claims.Outside.Unmapped() != nil)
		return claims.Outside.Newcomer
	}
	want := func(role viewer.Role, licensed bool, sets ...string) *token.Newcomer {
		return &token.Newcomer{Name: "Amy Adams", TimeZone: "Europe/Berlin", Role: role, IsLicensed: licensed, PermissionSets: sets}
	}
	require.Equal(t, want(viewer.Supervisor, true, "A", "B"), made("lead"))
	require.Equal(t, want(viewer.Standard, false, "A", "C"), made([]any{7, "reader", nil}))
	require.Equal(t, want(viewer.Supervisor, true, "A", "B", "C"), made([]string{"reader", "lead"}), "the rules' order decides, not the claim's")
	for _, nothing := range []any{nil, "", 7, "Lead", "lead reader", []any{}, []any{[]any{"lead"}}, map[string]any{"lead": true}} {
		require.Nil(t, made(nothing), "%v", nothing)
	}
}
