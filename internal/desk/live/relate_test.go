package live_test

import (
	"context"
	"fmt"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/ent/objecttype"
	"parley/internal/desk/crm"
	"parley/internal/desk/object"
	"parley/internal/ground/store"
)

// reading is the permission set that lets agents walk from contact to contact.
const reading = "records"

// mappings are what contacts may be related by.
var mappings = []object.Mapping{
	{Label: "Reports", Path: []object.Step{{Direction: object.Down, Object: "Contact", Field: "ReportsToId"}}},
	{Label: "Colleagues", Path: []object.Step{
		{Direction: object.Up, Object: "Contact", Field: "AccountId"}, {Direction: object.Down, Object: "Contact", Field: "AccountId"},
	}},
	{Label: "Chief's chief", Path: []object.Step{
		{Direction: object.Up, Object: "Contact", Field: "ReportsToId"}, {Direction: object.Up, Object: "Contact", Field: "ReportsToId"},
	}},
}

// letRelate has contacts related, and makes the permission set that shows it.
func letRelate(ctx context.Context, tx *store.Tx) error {
	if err := tx.Ent.ObjectType.Update().Where(objecttype.Name("Contact")).SetRelated(mappings).Exec(ctx); err != nil {
		return err
	}
	return tx.Ent.PermissionSet.Create().SetName(reading).SetPermissions(nil).
		SetRecordRights([]object.Right{{Object: "Contact", Access: object.Read}, {Object: "Account", Access: object.Read}}).Exec(ctx)
}

// relate does one thing to what relates records: to lookups, the records on the way, or
// the mappings.
func (o *office) relate(r *rapid.T) {
	root := o.Context("root")
	contact := rapid.SampledFrom([]string{"0", "1", "3"}).Draw(r, "contact")
	account, chief := rapid.SampledFrom([]string{"A", "B", ""}).Draw(r, "account"), rapid.SampledFrom([]string{"0", "1", "3", ""}).Draw(r, "chief")
	var err error
	switch rapid.IntRange(0, 9).Draw(r, "relate") {
	case 7:
		_, err = o.Schema.Records.Delete(root, []*crm.DeletionInput{{ObjectType: "Contact", ExternalID: contact}})
	case 8:
		_, err = o.Schema.Records.Delete(root, []*crm.DeletionInput{{ObjectType: "Account", ExternalID: "A"}})
	case 9:
		of := mappings[rapid.IntRange(0, 2).Draw(r, "from"):]
		o.change(func(ctx context.Context, tx *store.Tx) error {
			return tx.Ent.ObjectType.Update().Where(objecttype.Name("Contact")).SetRelated(of).Exec(ctx)
		})
	case 6:
		_, err = o.Schema.Records.Upsert(root, []*crm.RecordInput{{ObjectType: "Account", ExternalID: "A", Fields: []*crm.FieldInput{field("Name", "A")}}})
	default:
		_, err = o.Schema.Records.Upsert(root, []*crm.RecordInput{{ObjectType: "Contact", ExternalID: contact, Fields: []*crm.FieldInput{
			field("LastName", fmt.Sprint("Contact ", contact)), field("AccountId", account), field("ReportsToId", chief),
		}}})
	}
	require.NoError(o.T, err)
}

func field(name, text string) *crm.FieldInput { return &crm.FieldInput{Name: name, Text: &text} }
