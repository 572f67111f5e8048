package doctor_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/doctor"
	"parley/internal/check/parleytest"
)

// What waits for its turn on a channel with a limit is no fault while turns are given.
func TestWhatHasATurnAheadIsNoFault(t *testing.T) {
	t.Parallel()
	p := admit(t)
	p.Say("+12025550199", parleytest.Sales, "Hello")
	p.do(`INSERT INTO attempts (conversation_id, message_id, number, status, provider_account_id, updated_at, created_at)
		SELECT conversation_id, id, 1, 'QUEUED', 1, 1, 0 FROM messages LIMIT 1`)
	p.do("INSERT INTO paces (id, next_at) SELECT channel_id, 1 FROM conversations WHERE id = (SELECT MIN(conversation_id) FROM attempts)")
	for next, want := range map[int64]doctor.Level{time.Now().Add(-time.Minute).UnixMicro(): doctor.Warn, time.Now().Add(time.Minute).UnixMicro(): doctor.OK} {
		p.do(fmt.Sprintf("UPDATE paces SET next_at = %d", next))
		found, _ := examine(t, p.options())
		require.Equal(t, want, found["queue"][0].Level)
		require.Contains(t, found["queue"][0].Means, "1 message waited")
	}
}
