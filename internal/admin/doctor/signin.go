package doctor

import (
	"context"
	"fmt"
	"strings"
)

// signIn asks every issuer for its keys.
func (e *examination) signIn(ctx context.Context) (Finding, error) {
	var keys, broken []string
	for n := range e.Issuers {
		i := &e.Issuers[n]
		count, err := i.CountKeys(ctx)
		if err != nil {
			broken = append(broken, fmt.Sprintf("those of %s (%v)", i.Issuer, err))
			continue
		}
		keys = append(keys, fmt.Sprintf("%d of %s", count, i.Issuer))
	}
	switch {
	case len(e.Issuers) == 0:
		return ok("Only tokens from parley token are accepted."), nil
	case len(broken) > 0:
		return fail("Check jwks and algorithms in the --issuers file, and whether this machine can reach the address.",
			"Keys cannot be fetched, so tokens are refused: %s.", strings.Join(broken, ", ")), nil
	}
	return ok("Keys found: %s.", strings.Join(keys, ", ")), nil
}
