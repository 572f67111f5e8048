package crm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/object"
	"parley/internal/ground/store"
)

// made makes a Farm here and returns its name.
func (r *records) made(title string) crm.Name {
	r.t.Helper()
	own := crm.NewName("Farm__c")
	require.NoError(r.t, r.Store.Write(r.ctx, func(ctx context.Context, tx *store.Tx) error {
		in := &crm.RecordInput{ObjectType: own.ObjectType, ExternalID: own.ExternalID, Fields: []*crm.FieldInput{{Name: "Name", Text: &title}}}
		if err := r.Lock(ctx, tx); err != nil {
			return err
		}
		_, err := r.Change(ctx, tx, object.Everything, in, true)
		return err
	}))
	return own
}

func (r *records) confirm(own crm.Name, id string) {
	r.t.Helper()
	require.NoError(r.t, r.Store.Write(r.p.System(), func(ctx context.Context, tx *store.Tx) error {
		if err := r.Lock(ctx, tx); err != nil {
			return err
		}
		return r.Confirm(ctx, tx, own, id)
	}))
}

func (r *records) farm(id string) *conversation.Record {
	r.t.Helper()
	found, err := r.Conversations.RecordNamed(r.ctx, "Farm__c", id)
	require.NoError(r.t, err)
	return found
}

func farm(id, title string) *crm.RecordInput {
	return &crm.RecordInput{ObjectType: "Farm__c", ExternalID: id, Fields: []*crm.FieldInput{{Name: "Name", Text: &title}}}
}

func TestAConfirmedRecordTakesItsID(t *testing.T) {
	t.Parallel()
	for name, referenced := range map[string]bool{"nothing has the id": false, "a record that came references it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecords(t)
			own := r.made("Hilltop")
			was := r.farm(own.ExternalID)
			require.Nil(t, was.ConfirmedExternalID())
			r.upsert(visit("A", 0, "Name", "Ann", "Farm", own.ExternalID))
			if referenced {
				r.upsert(visit("B", 0, "Name", "Bea", "Farm", "F1"))
			}
			for range 2 { // again changes nothing
				r.confirm(own, "F1")
				for _, id := range []string{own.ExternalID, "F1"} {
					require.Equal(t, was.Key, r.farm(id).Key)
					require.Equal(t, "F1", *r.farm(id).ConfirmedExternalID())
				}
			}
			require.Equal(t, []string{"UPDATED"}, r.upsert(farm("F1", "Valley")))
			require.Equal(t, "Valley", r.farm(own.ExternalID).Name)
			require.Zero(t, r.count("SELECT COUNT(*) FROM lookups WHERE target_id IN (SELECT id FROM records WHERE merged_into > 0)"))
			require.Equal(t, 1, r.count("SELECT COUNT(*) FROM records WHERE merged_into > 0"))
		})
	}
}

func TestARecordThatCameFirstHasThePlace(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	own := r.made("Hilltop")
	r.upsert(visit("A", 0, "Name", "Ann", "Farm", own.ExternalID))
	r.upsert(farm("F1", "Hilltop of the CRM"))
	r.confirm(own, "F1")
	require.Equal(t, "Hilltop of the CRM", r.farm(own.ExternalID).Name)
	require.Equal(t, "F1", r.farm(own.ExternalID).ExternalID)
	require.Equal(t, 1, r.count("SELECT COUNT(*) FROM lookups WHERE target_id = (SELECT id FROM records WHERE external_id = 'F1')"))
}
