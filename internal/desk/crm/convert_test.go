package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/crm"
)

// What a converted record references is known whichever comes first, the record or its
// conversion; nothing else of it is, and a record that was merged into its like references
// nothing any more.
func TestAConvertedRecordReferencesWhatItBecameInAnyOrder(t *testing.T) {
	t.Parallel()
	into := func(r *records, id, objectType string) {
		results, err := r.Merge(r.ctx, []*crm.MergeInput{{ObjectType: "Visit__c", ExternalID: id, IntoObjectType: &objectType, IntoExternalID: "X"}})
		require.NoError(r.t, err)
		require.Nil(r.t, results[0].Error)
	}
	arrive := func(r *records, id, farm string, at int) []string {
		return r.upsert(visit(id, at, "Name", "Kim", "Mobile", "+12025550144", "Farm", farm))
	}
	for what, converted := range map[string]func(*records){
		"converted last":  func(r *records) { arrive(r, "V1", "F1", 2); into(r, "V1", "Farm__c") },
		"converted first": func(r *records) { into(r, "V1", "Farm__c"); arrive(r, "V1", "F1", 2) },
		"in between":      func(r *records) { arrive(r, "V1", "", 1); into(r, "V1", "Farm__c"); arrive(r, "V1", "F1", 2) },
		"again":           func(r *records) { into(r, "V1", "Farm__c"); arrive(r, "V1", "F1", 2); arrive(r, "V1", "F1", 2) },
		"an older late":   func(r *records) { into(r, "V1", "Farm__c"); arrive(r, "V1", "F1", 2); arrive(r, "V1", "F2", 1) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := newRecords(t)
			converted(r)
			require.Equal(t, []string{"MERGED"}, arrive(r, "V1", "F1", 3))
			lookups := func() []string {
				return parleytest.Rows(t, r.p.Store, "SELECT r.external_id, f.external_id FROM lookups l JOIN records r ON r.id = l.record_id JOIN records f ON f.id = l.target_id")
			}
			require.Equal(t, []string{"V1|F1"}, lookups())
			require.Empty(t, parleytest.Rows(t, r.p.Store, "SELECT id FROM record_phones"), "nobody finds it by its number")

			into(r, "V2", "Visit__c")
			require.Equal(t, []string{"MERGED"}, arrive(r, "V2", "F1", 2))
			require.Equal(t, []string{"V1|F1"}, lookups())
		})
	}
}
