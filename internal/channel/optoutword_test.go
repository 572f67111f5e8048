package channel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
)

func TestAnOptOutWordIsTheWholeMessage(t *testing.T) {
	t.Parallel()
	sms, web := channel.CapabilitiesOf(channel.SMSLongCode), channel.CapabilitiesOf(channel.Web)
	for text, want := range map[string]bool{
		"STOP": true, " stop\n": true, "Unsubscribe": true, "Quit": true, "arret": true, "OptOut": true,
		"": false, "STOP 12345": false, "Please stop": false, "YES": false, "HELP": false, "START": false,
	} {
		require.Equal(t, want, sms.IsOptOutWord(text), text)
		require.False(t, web.IsOptOutWord(text), text)
	}
}
