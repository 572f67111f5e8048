package selection_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/fault"
)

// Records reference records, which have fields, and so on: what multiplies is refused before
// it takes the process's memory, though each level costs little.
func TestListsInsideListsAreRefusedWhileTheyAreRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fields, values := []parleytest.Vars{}, []parleytest.Vars{}
	for i := range 12 {
		name := fmt.Sprint("Next", i)
		fields = append(fields, parleytest.Vars{"name": name, "label": name, "type": "REFERENCE", "targets": []string{"Node__c"}})
		values = append(values, parleytest.Vars{"name": name, "text": "N1"})
	}
	w.admin("createObjectType", "CreateObjectTypeInput", parleytest.Vars{"name": "Node__c", "label": "Node", "messaging": parleytest.Vars{}, "fields": fields, "idempotencyKey": "type"})
	w.admin("upsertRecords", "UpsertRecordsInput", parleytest.Vars{"records": []parleytest.Vars{{"objectType": "Node__c", "externalId": "N1", "fields": values}}})
	nested := func(levels int) *parleytest.Response {
		return w.As("ada").Raw(`{ record(objectType: "Node__c", externalId: "N1") `+strings.Repeat(`{ fields { reference `, levels)+`{ name }`+strings.Repeat(` } }`, levels)+` }`, nil)
	}
	require.Empty(t, nested(3).Errors)
	for _, levels := range []int{5, 6} {
		require.Equal(t, []string{string(fault.LimitExceeded)}, nested(levels).Codes())
	}
}
