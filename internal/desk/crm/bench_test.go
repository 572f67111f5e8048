package crm_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/crm"
	"parley/internal/ground/store"
)

// BenchmarkUpsert writes 200 records a call, with a name, two numbers, a reference, three
// filterable fields and a text; against the bare insertion, in the same run, of rows that
// hold the same.
func BenchmarkUpsert(b *testing.B) {
	p := parleytest.New(b)
	service := &crm.Service{
		Store: p.Store, IDs: p.Conversations.IDs, Cursors: p.Conversations.Cursors, Definitions: definitions(), Conversations: p.Conversations,
	}
	ctx, n := p.Context("ada"), 0
	var parley, bare time.Duration
	for b.Loop() {
		records := make([]*crm.RecordInput, crm.MostPerCall)
		for i := range records {
			n++
			records[i] = visit(fmt.Sprint("B", n), 0, "Name", fmt.Sprint("Customer ", n), "Mobile", fmt.Sprintf("+1202%07d", 5550000+n%9999), "Home", "+44 20 7946 0018", "Country", "US",
				"Amount", fmt.Sprint(n), "Stage", "Open", "Due", "2026-05-01T10:00:00Z", "Farm", fmt.Sprint("F", n%50))
		}
		began := time.Now()
		results, err := service.Upsert(ctx, records)
		parley += time.Since(began)
		require.NoError(b, err)
		require.Nil(b, results[0].Error)
		began = time.Now()
		require.NoError(b, copyRows(p, n))
		bare += time.Since(began)
	}
	b.ReportMetric(float64(n)/parley.Seconds(), "records/s")
	b.ReportMetric(parley.Seconds()/bare.Seconds(), "x-bare")
}

// copyRows inserts what the last call wrote once more, under other ids.
func copyRows(p *parleytest.Parley, last int) error {
	var bodies [][]any
	q := store.SQL(fmt.Sprintf("SELECT body, name_key FROM records WHERE object_type = 'Visit__c' AND body <> '' ORDER BY id DESC LIMIT %d", crm.MostPerCall))
	err := p.Store.Read(p.System(), store.System("a benchmark"), q, func(rows *sql.Rows) error {
		var body string
		var key []byte
		err := rows.Scan(&body, &key)
		bodies = append(bodies, []any{body, key})
		return err
	})
	if err != nil {
		return err
	}
	return p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		keys, err := tx.ReserveKeys(ctx, "records", len(bodies))
		if err != nil {
			return err
		}
		var records, values, phones, lookups [][]any
		for i, b := range bodies {
			records = append(records, []any{keys[i], "Copy", fmt.Sprint(last, "-", i), "Customer", "", false, 1, b[0], b[1]})
			for slot := range 3 {
				values = append(values, []any{keys[i], slot, b[1]})
			}
			for slot := range 2 {
				phones = append(phones, []any{keys[i], slot, slot, fmt.Sprint(last, i), fmt.Sprint(last, i)})
			}
			lookups = append(lookups, []any{keys[i], "Farm", keys[0]})
		}
		for _, t := range []struct {
			table   string
			columns []string
			rows    [][]any
		}{
			{"records", []string{"id", "object_type", "external_id", "name", "mobile_number", "opted_out", "updated_at", "body", "name_key"}, records},
			{"record_values", []string{"record_id", "slot", "value"}, values},
			{"record_phones", []string{"record_id", "slot", "place", "number", "own"}, phones},
			{"lookups", []string{"record_id", "field", "target_id"}, lookups},
		} {
			if err := tx.InsertRows(ctx, t.table, t.columns, t.rows); err != nil {
				return err
			}
		}
		return nil
	})
}
