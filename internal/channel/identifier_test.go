package channel_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
)

func TestIdentifiersAreKnownByTheirShape(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		identifier string
		on         channel.Type
		want       channel.IdentifierKind
	}{
		{"US.13491208655302741918", channel.WhatsApp, channel.BusinessScopedID},
		{"US." + strings.Repeat("a", 128), channel.WhatsAppEnhanced, channel.BusinessScopedID},
		{"US." + strings.Repeat("a", 129), channel.WhatsApp, ""},
		{"us.1", channel.WhatsApp, ""},
		{"US.1", channel.SMSLongCode, ""},
		{"5893049283749283", channel.Facebook, channel.PageScopedID},
		{strings.Repeat("1", 33), channel.FacebookEnhanced, channel.PlatformID},
		{"US.1", channel.Facebook, channel.PlatformID},
		{"shop/auth0|42", channel.Web, channel.KeySetSubject},
		{"shop/" + strings.Repeat("s", 136), channel.InApp, channel.PlatformID},
		{"shop/a b", channel.Web, ""},
		{"visitor-7", channel.Web, channel.PlatformID},
		{"", channel.Web, ""},
		{strings.Repeat("v", 201), channel.InApp, ""},
	} {
		require.Equal(t, c.want, channel.KindOf(c.identifier, c.on), "%s on %s", c.identifier, c.on)
	}
	require.Equal(t, channel.OtherIdentifier, channel.IdentifierKind("NEWER").Known())
}
