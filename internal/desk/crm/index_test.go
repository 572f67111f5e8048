package crm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/crm"
	"parley/internal/ground/job"
	"parley/internal/ground/page"
	"parley/internal/ground/store"
)

// indexed runs the periodic job.
func (r *records) indexed() {
	r.t.Helper()
	for _, j := range r.Jobs() {
		if p, ok := j.(job.Periodic); ok {
			require.NoError(r.t, p.Run(r.ctx))
		}
	}
}

// Records that an import brought are found once they are indexed, and keep what they had.
func TestImportedRecordsAreIndexed(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	require.NoError(t, r.p.Store.Write(r.p.System(), func(ctx context.Context, tx *store.Tx) error {
		farm := tx.Ent.Record.Create().SetObjectType("Farm__c").SetExternalID("F").SetName("Sunny").SaveX(ctx)
		old := tx.Ent.Record.Create().SetObjectType("Visit__c").SetExternalID("old").SetName("Quinn").SetMobileNumber("+12025550177").SetOptedOut(true).SaveX(ctx)
		return tx.Ent.Lookup.Create().SetRecordID(old.ID).SetField("Farm__c").SetTargetID(farm.ID).Exec(ctx)
	}))
	search := func(q string) []string {
		names, _, err := r.list(r.ctx, &crm.Filter{Search: &q}, page.Window{Size: 5})
		require.NoError(t, err)
		return names
	}
	require.Empty(t, search("qui"))
	typed := func() []string { return parleytest.Rows(t, r.p.Store, "SELECT record_type FROM lookups") }
	require.Equal(t, []string{""}, typed(), "as a version before writes it")
	r.indexed()
	require.Equal(t, []string{"Visit__c"}, typed())
	require.Equal(t, []string{"Quinn"}, search("qui"))
	require.Equal(t, []string{"Quinn"}, search("+1 202-555-0177"))
	names, _, err := r.list(r.ctx, &crm.Filter{Fields: []*crm.FieldFilter{{Name: "Name", IsBlank: new(bool)}}}, page.Window{Size: 5})
	require.NoError(t, err)
	require.Equal(t, []string{"Quinn"}, names)

	require.Equal(t, map[string]string{"Name": "Quinn", "Mobile": "+12025550177", "OptOut": "true"}, r.holds(r.ctx, "old"))
	require.Equal(t, []string{"UPDATED"}, r.upsert(visit("old", 0, "Amount", "3")))
	require.Equal(t, map[string]string{"Name": "Quinn", "Mobile": "+12025550177", "OptOut": "true", "Amount": "3"}, r.holds(r.ctx, "old"))
	require.Len(t, parleytest.Rows(t, r.p.Store, "SELECT id FROM lookups"), 1, "what the import knew of the parent stays")
}

// A changed definition has the records of its type read again.
func TestRecordsFollowTheirDefinition(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	d := r.Definitions.(*defined)
	r.upsert(visit("1", 0, "Name", "Kim", "Country", "Malta"))
	country := &d.types[0].Fields[3]
	require.Equal(t, "Country", country.Name)
	country.Filterable = true
	malta := "malta"
	byCountry := func() []string {
		names, _, err := r.list(r.ctx, &crm.Filter{Fields: []*crm.FieldFilter{{Name: "Country", Equals: &malta}}}, page.Window{Size: 5})
		require.NoError(t, err)
		return names
	}
	require.Empty(t, byCountry())
	require.NoError(t, r.p.Store.Write(r.ctx, func(_ context.Context, tx *store.Tx) error { return r.Reindex(r.ctx, tx, "Visit__c") }))
	d.types[0].Messaging.Name = "Country"
	jobs, err := job.Start(r.p.System(), r.p.Store, r.Jobs(), job.Options{Workers: 2})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, jobs.Stop(context.Background())) })
	r.p.Eventually(func() bool { return len(byCountry()) == 1 && byCountry()[0] == "Malta" }, "the records are read again")
}
