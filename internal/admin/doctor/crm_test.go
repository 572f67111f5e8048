package doctor_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/doctor"
)

func TestConnectionsToCRMs(t *testing.T) {
	t.Parallel()
	p := admit(t)
	look := func() doctor.Finding {
		found, _ := examine(t, p.options())
		return found["CRM connections"][0]
	}
	require.Equal(t, doctor.OK, look().Level, "there is none")

	now := time.Now()
	p.do(fmt.Sprintf(`INSERT INTO crm_connections (key, name, kind, active, settings, created_at) VALUES
		('posted', 'Posted', 'WEBHOOK', TRUE, '{"types":[]}', 1),
		('paused', 'Paused', 'SALESFORCE', FALSE, '{"types":[{"objectType":"Lead"}]}', 1),
		('read', 'Read', 'SALESFORCE', TRUE, '{"types":[{"objectType":"Lead"},{"objectType":"Case"}]}', %d)`, now.Add(-2*time.Hour).UnixMicro()))
	require.Contains(t, look().Means, `"Read" was read to its end 2h0m0s ago`, "never, and it was made two hours ago")

	caughtUp := func(lead, cases time.Duration) {
		p.do("DELETE FROM crm_syncs")
		p.do(fmt.Sprintf(`INSERT INTO crm_syncs (connection_id, progress) SELECT id, '[{"objectType":"Lead","caughtUp":%d},{"objectType":"Case","caughtUp":%d}]' FROM crm_connections WHERE key = 'read'`,
			now.Add(-lead).UnixMicro(), now.Add(-cases).UnixMicro()))
	}
	caughtUp(time.Minute, 61*time.Minute)
	require.Equal(t, doctor.Warn, look().Level, "the object type furthest behind counts")
	caughtUp(time.Minute, 2*time.Minute)
	require.Equal(t, doctor.OK, look().Level)
	require.Contains(t, look().Means, "2 connections")

	p.do("UPDATE crm_syncs SET problem = 'The CRM refused the credentials.'")
	require.Contains(t, look().Means, `"Read" fails: The CRM refused the credentials.`)
	require.Contains(t, look().Do, "parley sync test read")
	p.do("UPDATE crm_syncs SET problem = ''")

	p.do(`INSERT INTO crm_actions (name, developer_name, performs, type, object_types, parameters, conditions) VALUES ('A', 'A', 'UPDATE_RECORD', 'MANUAL', '[]', '[]', '[]')`)
	p.do(`INSERT INTO crm_action_runs (outcome, created_at, action_id) SELECT 'DONE', 1, MAX(id) FROM crm_actions`)
	p.do(`INSERT INTO record_writes (record_id, object_type, creates, fields, status, attempts, created_at, connection_id, run_id)
		SELECT 1, 'Lead', FALSE, '{}', 'FAILED', '[]', 1, c.id, (SELECT MAX(id) FROM crm_action_runs) FROM crm_connections AS c WHERE c.key = 'read'`)
	require.Contains(t, look().Means, `1 change by an action did not get to the CRM "Read".`)
	require.Equal(t, doctor.Warn, look().Level)
}
