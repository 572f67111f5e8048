package related_test

import (
	"context"
	"fmt"
	"testing"

	"parley/internal/desk/object"
	"parley/internal/desk/related"
	"parley/internal/ground/store"
)

// A trail down to ten records, where so many of another type have the same field with the
// same record: as a version before wrote their lookups, and as they are filled.
func BenchmarkDown(b *testing.B) {
	for _, others := range []int{0, 50_000} {
		for _, filled := range []bool{false, true} {
			b.Run(fmt.Sprintf("others=%d/filled=%t", others, filled), func(b *testing.B) {
				c := newCRM(b)
				c.types["A"].Related = []object.Mapping{{Label: "Cs", Path: []object.Step{{Direction: object.Down, Object: "C", Field: "F"}}}}
				rows, lookups := []*row{{objectType: "A"}}, map[[2]any]int{}
				for i := range others + 10 {
					r := &row{objectType: "B"}
					if i >= others {
						r.objectType = "C"
					}
					lookups[[2]any{len(rows), "F"}] = 0
					rows = append(rows, r)
				}
				c.write(rows, lookups)
				if filled {
					fill(b, c)
				}
				if err := c.Store.Analyze(c.System()); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					trail, err := related.Read(c.System(), c.Store, c, rows[0].key)
					if err != nil || len(trail.Records()) != 11 {
						b.Fatal(err, len(trail.Records()))
					}
				}
			})
		}
	}
}

// fill gives all lookups their type.
func fill(tb testing.TB, c *crm) {
	tb.Helper()
	err := c.Store.Write(c.System(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, store.SQL("UPDATE lookups SET record_type = (SELECT object_type FROM records WHERE id = record_id)"))
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
}
