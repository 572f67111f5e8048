package registry_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/registry"
)

func TestEachCarrierHasANameOfItsOwn(t *testing.T) {
	t.Parallel()
	all := registry.Providers(registry.Options{})
	require.Len(t, all.ByName(), len(all))
	accounts := map[string]bool{}
	for _, p := range all {
		require.Regexp(t, regexp.MustCompile(`^[a-z]{1,20}$`), p.Name(), "it is part of the webhook URL")
		require.NotEqual(t, channel.NoCarrier, p.Name())
		require.Same(t, p, all.Named(p.Name()))
		if d, ok := p.(channel.Demonstrator); ok {
			key := d.DemoAccount().Key
			require.False(t, accounts[key], "two demo accounts have the key %q", key)
			accounts[key] = true
		}
	}
	require.Nil(t, all.Named("pigeon"))
}
