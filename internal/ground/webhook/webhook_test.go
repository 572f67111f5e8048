package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/clock"
	"parley/internal/ground/webhook"
)

// The example of the specification's own libraries.
func TestTheSignatureIsThatOfTheSpecification(t *testing.T) {
	t.Parallel()
	at := clock.Of(time.Unix(1614265330, 0))
	const secret, id, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", `{"test": 2432232314}`
	want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	require.Equal(t, want, webhook.Sign(secret, id, at, body))
	other := webhook.NewSecret()
	require.True(t, webhook.Verify([]string{other, secret}, id, "1614265330", "v1,AAAA "+want, body, at))
	for name, ok := range map[string]bool{
		"another body":   webhook.Verify([]string{secret}, id, "1614265330", want, body+" ", at),
		"another id":     webhook.Verify([]string{secret}, "msg_other", "1614265330", want, body, at),
		"another secret": webhook.Verify([]string{other}, id, "1614265330", want, body, at),
		"another time":   webhook.Verify([]string{secret}, id, "1614265331", want, body, at),
		"too old":        webhook.Verify([]string{secret}, id, "1614265330", want, body, at.Add(webhook.Tolerance+time.Second)),
		"ahead":          webhook.Verify([]string{secret}, id, "1614265330", want, body, at.Add(-webhook.Tolerance-time.Second)),
		"no time":        webhook.Verify([]string{secret}, id, "soon", want, body, at),
		"a padded time":  webhook.Verify([]string{secret}, id, "01614265330", want, body, at),
		"no signature":   webhook.Verify([]string{secret}, id, "1614265330", "", body, at),
		"no secret":      webhook.Verify(nil, id, "1614265330", want, body, at),
	} {
		require.False(t, ok, name)
	}
}
