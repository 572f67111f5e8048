package importer_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/crm"
	"parley/internal/desk/object"
	"parley/internal/desk/objecttype"
	"parley/internal/ground/store"
)

// An account's trail leads to the contacts of an export, also to those that an earlier
// import knew by their parent's type alone, and a later change of a contact keeps it so.
func TestParentsStandInTheFieldsThatReferenceThem(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	imported(t, p, export())
	ada := p.Context("ada")
	account := p.Directory.ObjectType("Account")
	_, err := p.Schema.ObjectTypes.Update(ada, objecttype.UpdateInput{ID: account.ID, Related: []object.Mapping{
		{Label: "Contacts", Path: []object.Step{{Direction: object.Down, Object: "Contact", Field: "AccountId"}}},
	}})
	require.NoError(t, err)
	const lookups = `SELECT r.external_id, l.field FROM lookups l JOIN records r ON r.id = l.record_id ORDER BY r.external_id`
	want := []string{"C-1|AccountId", "C-2|AccountId"}
	require.Equal(t, want, parleytest.Rows(t, p.Store, lookups))
	related := p.As("ada").Do(`{ record(objectType: "Account", externalId: "A-1") { relatedConversations { groups { objectType counts { total } } } } }`, nil)
	require.Equal(t, "Contact", related.Get("record", "relatedConversations", "groups", 0, "objectType").String())
	field := p.As("ada").Do(`{ record(objectType: "Contact", externalId: "C-1") { fields(names: ["AccountId"]) { name text } } }`, nil)
	require.Contains(t, field.Get("record", "fields").String(), "A-1")

	phone := "+12125550177"
	_, err = p.Schema.Records.Upsert(ada, []*crm.RecordInput{{ObjectType: "Contact", ExternalID: "C-1", Fields: []*crm.FieldInput{{Name: "Phone", Text: &phone}}}})
	require.NoError(t, err)
	require.Equal(t, want, parleytest.Rows(t, p.Store, lookups))
	require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, store.SQL(`UPDATE lookups SET field = 'Account'`))
		if err == nil {
			_, err = tx.Exec(ctx, store.SQL(`UPDATE records SET body = '' WHERE external_id = 'C-2'`))
		}
		return err
	}))
	imported(t, p, export())
	require.Equal(t, []string{"C-1|Account", "C-2|AccountId"}, parleytest.Rows(t, p.Store, lookups), "C-1 has changed since the export")
}
