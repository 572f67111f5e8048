package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/crm"
)

// A call names a record once, also one that never came.
func TestARecordIsDeletedOnceInACall(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	r.upsert(visit("V1", 1, "Name", "Kim"), visit("V2", 1, "Name", "Lee"))
	for _, unseen := range []bool{false, true} {
		id := map[bool]string{false: "V1", true: "V9"}[unseen]
		in := &crm.DeletionInput{ObjectType: "Visit__c", ExternalID: id, Unseen: unseen}
		results, err := r.Delete(r.ctx, []*crm.DeletionInput{in, in, {ObjectType: "Visit__c", ExternalID: "V2"}})
		require.NoError(t, err)
		require.Equal(t, "DELETED", outcomesOf(results)[0])
		require.Equal(t, "input.records.1: Visit__c "+id+" is there twice in this call. Pass it once.", outcomesOf(results)[1])
		require.Nil(t, results[2].Error)
	}
	require.Nil(t, r.holds(r.ctx, "V1"))
	require.Nil(t, r.holds(r.ctx, "V2"))
}
