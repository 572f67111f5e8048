package linking_test

import (
	"crypto/rand"
	"fmt"
	"testing"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/crm"
)

// An inbound message from a number that so many records have, with linking off and on. The
// rule that finds them suggests only, so that every message looks again.
func BenchmarkInbound(b *testing.B) {
	for _, records := range []int{-1, 0, 1, 10, 1_000} {
		name := fmt.Sprintf("records=%d", records)
		if records < 0 {
			name = "off"
		}
		b.Run(name, func(b *testing.B) {
			d := setup(b)
			if records >= 0 {
				d.rule(vars{"objectType": "Farm__c", "mode": "SUGGESTED"})
				d.rule(vars{"objectType": "Visit__c"})
			}
			number := ann
			var list []*crm.RecordInput
			for i := range records {
				name := "Farm"
				list = append(list, &crm.RecordInput{ObjectType: "Farm__c", ExternalID: fmt.Sprint("F", i), Fields: []*crm.FieldInput{{Name: "Name", Text: &name}, {Name: "Mobile", Text: &number}}})
			}
			for len(list) > 0 {
				some := list[:min(len(list), crm.MostPerCall)]
				if _, err := d.Schema.Records.Upsert(d.Context("ada"), some); err != nil {
					b.Fatal(err)
				}
				list = list[len(some):]
			}
			d.say(ann)
			for b.Loop() {
				id := rand.Text()
				d.Post(d.Inbound(channel.Inbound{EventID: id, ProviderID: id, From: ann, To: parleytest.Sales, Text: "Hello"}))
			}
		})
	}
}
