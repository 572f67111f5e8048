package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// Deletions and merges of records are in the audit, an entry for each request, for those
// who see all records.
func TestDeletionsAndMergesOfRecordsAreAudited(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	ada := p.As("ada")
	ada.Do(`mutation { upsertRecords(input: {records: [{objectType: "Lead", externalId: "A1", fields: [{name: "LastName", text: "Li"}]}, {objectType: "Lead", externalId: "A2", fields: [{name: "LastName", text: "Li"}]}, {objectType: "Lead", externalId: "A3", fields: [{name: "LastName", text: "Li"}]}]}) { errors { message } } }`, nil)
	ada.Do(`mutation { mergeRecords(input: {records: [{objectType: "Lead", externalId: "A1", intoExternalId: "A2"}]}) { errors { message } } }`, nil)
	ada.Do(`mutation { deleteRecords(input: {records: [{objectType: "Lead", externalId: "A2"}, {objectType: "Lead", externalId: "A3"}]}) { errors { message } results { outcome error { message } } } }`, nil)
	rows := parleytest.Rows(t, p.Store, "SELECT action, actor_name, subject_name, detail, count FROM audit_entries WHERE subject_type = 'Record' ORDER BY id")
	require.Len(t, rows, 2)
	for _, part := range []string{"MERGED", "ada", "Lead A1 into Lead A2"} {
		require.Contains(t, rows[0], part)
	}
	for _, part := range []string{"DELETED", "ada", "Lead A2, Lead A3", "2"} {
		require.Contains(t, rows[1], part)
	}
}
