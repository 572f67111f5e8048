package access_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// BenchmarkSignInAmong compares sign-ins by an outside issuer in a small organisation and
// in one near its limit of 5,000 agents: an agent with a token that was not seen before,
// and somebody who becomes an agent by it. Run it with -benchtime 100x.
func BenchmarkSignInAmong(b *testing.B) {
	for _, agents := range []int{10, 4_500} {
		i := newIssuer(b)
		p := parleytest.New(b, i.configure)
		require.NoError(b, p.Directory.Change(b.Context(), func(ctx context.Context, tx *store.Tx) error {
			for n := range agents - len(p.Directory.Agents()) {
				err := tx.Ent.Agent.Create().SetUsername(fmt.Sprint("agent-", n)).SetName("Agent").SetRole(viewer.Standard).SetCreatedAt(tx.Now).Exec(ctx)
				if err != nil {
					return err
				}
			}
			return nil
		}))
		signIn := func(bearer string) { require.Empty(b, p.With(bearer).Raw(me, nil).Codes()) }
		people := 0
		for _, kind := range []string{"known", "first"} {
			b.Run(fmt.Sprintf("%s/%d", kind, agents), func(b *testing.B) {
				bearers := make([]string, b.N)
				for n := range bearers {
					username := "amy"
					if kind == "first" {
						people++
						username = fmt.Sprint("new-", people)
					}
					bearers[n] = i.bearer(username, "desk", jwt.MapClaims{"jti": fmt.Sprint(n)})
				}
				b.ResetTimer()
				for _, bearer := range bearers {
					signIn(bearer)
				}
			})
		}
	}
}
