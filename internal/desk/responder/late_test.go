package responder_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
)

// Nothing is prepared for an answer that is late: its component is not even read.
func TestAnAnswerThatIsLateIsNotPrepared(t *testing.T) {
	t.Parallel()
	var read atomic.Int64
	b := setup(t, func(c *app.Config) {
		c.Trace = func(_ context.Context, statement string) func(error) {
			if strings.Contains(statement, "component_versions") {
				read.Add(1)
			}
			return nil
		}
	})
	require.Empty(t, b.answer("ada", b.web, acknowledging(b.component("AUTO_RESPONSE", page()))).Get("errors").List())
	reads := func(from string, after time.Duration) int64 {
		b.Say(from, "website", "Hello")
		conversation, before := b.conversation(), read.Load()
		b.Clock.Advance(after)
		require.NoError(t, b.Responder.Respond(context.Background(), conversation))
		return read.Load() - before
	}
	require.Positive(t, reads("shop/1", time.Minute))
	require.Zero(t, reads("shop/2", 61*time.Minute))
	require.Empty(t, b.automatic())
}

// It is not parallel: the log is the process's.
func TestALogNamesAConversationByItsID(t *testing.T) {
	b := setup(t)
	require.Empty(t, b.answer("ada", b.web, []vars{{"moment": "ACKNOWLEDGEMENT", "text": "Thanks"}}).Get("errors").List())
	b.Say(customer, "website", "Hello")
	out := b.thread().Get("id").String()
	customer := b.As("ada").Do(`query($id: ID!) { conversation(id: $id) { messagingUser { id } } }`, vars{"id": out}).Get("conversation", "messagingUser", "id").String()
	b.ok("setConsent", "SetConsentInput", "messagingUser { id }", vars{"id": customer, "status": "OPT_OUT", "reason": "By phone."})
	before := slog.Default()
	defer slog.SetDefault(before)
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, b.Responder.Respond(context.Background(), b.conversation()))
	require.Contains(t, log.String(), "conversation="+out+" moment=ACKNOWLEDGEMENT reason=OPTED_OUT")
}
