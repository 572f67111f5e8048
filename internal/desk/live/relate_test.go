package live_test

import (
	"context"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/ent/agent"
	"parley/ent/objecttype"
	"parley/ent/permissionset"
	"parley/internal/check/parleytest"
	"parley/internal/desk/crm"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// reading is the permission set that lets agents walk from record to record.
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
	{Label: "Leads", Path: []object.Step{
		{Direction: object.Up, Object: "Contact", Field: "AccountId"}, {Direction: object.Down, Object: "Lead", Field: "ConvertedAccountId"},
	}},
	{Label: "Sales", Path: []object.Step{
		{Direction: object.Up, Object: "Contact", Field: "AccountId"},
		{Direction: object.Down, Object: "Lead", Field: "ConvertedAccountId"},
		{Direction: object.Up, Object: "Lead", Field: "ConvertedOpportunityId"},
	}},
}

// references are the fields of the mappings, by the object type that has them.
var references = map[string][]string{
	"Account": nil, "Contact": {"AccountId", "ReportsToId"}, "Lead": {"ConvertedAccountId", "ConvertedOpportunityId"}, "Opportunity": nil,
}

// letRelate has contacts related, and makes the permission set that shows it.
func letRelate(ctx context.Context, tx *store.Tx) error {
	if err := tx.Ent.ObjectType.Update().Where(objecttype.Name("Contact")).SetRelated(mappings).Exec(ctx); err != nil {
		return err
	}
	rights := []object.Right{}
	for kind := range references {
		rights = append(rights, object.Right{Object: kind, Access: object.Read})
	}
	set, err := tx.Ent.PermissionSet.Create().SetName(reading).SetPermissions(nil).SetRecordRights(rights).Save(ctx)
	if err != nil {
		return err
	}
	return tx.Ent.Agent.Update().Where(agent.Username("amy")).AddPermissionSets(set).Exec(ctx)
}

// relate does one thing to what relates records: to lookups, the records on the way, or
// the mappings.
func (o *office) relate(r *rapid.T) {
	of := func(name string, ids ...string) string { return rapid.SampledFrom(ids).Draw(r, name) }
	switch contact := of("contact", "0", "1", "3"); rapid.IntRange(0, 13).Draw(r, "relate") {
	case 5, 6:
		o.upsert("Lead", of("lead", "2", "5"), map[string]string{
			"LastName": "Lead", "ConvertedAccountId": of("account", "A", "B", ""), "ConvertedOpportunityId": of("opportunity", "4", ""),
		})
	case 7:
		o.remove("Contact", contact)
	case 8:
		o.remove("Account", "A")
	case 9:
		o.kin.mappings = mappings[rapid.IntRange(0, len(mappings)-1).Draw(r, "from"):]
		o.change(func(ctx context.Context, tx *store.Tx) error {
			return tx.Ent.ObjectType.Update().Where(objecttype.Name("Contact")).SetRelated(o.kin.mappings).Exec(ctx)
		})
	case 10:
		o.upsert("Account", of("account", "A", "B"), map[string]string{"Name": "Account"})
	case 11:
		o.unite("Contact", contact, "Contact", of("into", "0", "1", "3"))
	case 12:
		o.unite("Lead", of("lead", "2", "5"), "Contact", contact)
	case 13:
		o.unite("Account", of("account", "A", "B"), "Account", of("into", "A", "B"))
	default:
		o.upsert("Contact", contact, map[string]string{
			"LastName": fmt.Sprint("Contact ", contact), "AccountId": of("account", "A", "B", ""), "ReportsToId": of("chief", "0", "1", "3", ""),
		})
	}
}

// later is a time after those of all changes of records before, whatever the clock does.
func (o *office) later() *clock.Time {
	o.kin.changes++
	at := clock.Of(parleytest.Start.Add(-1000 * time.Hour)).Add(time.Duration(o.kin.changes) * time.Second)
	return &at
}

func (o *office) upsert(kind, id string, texts map[string]string) {
	in := &crm.RecordInput{ObjectType: kind, ExternalID: id, ModifiedAt: o.later()}
	for name, text := range texts {
		in.Fields = append(in.Fields, field(name, text))
	}
	_, err := o.Schema.Records.Upsert(o.Context("root"), []*crm.RecordInput{in})
	require.NoError(o.T, err)
	o.kin.upsert(kind, id, texts)
}

func (o *office) remove(kind, id string) {
	_, err := o.Schema.Records.Delete(o.Context("root"), []*crm.DeletionInput{{ObjectType: kind, ExternalID: id, DeletedAt: o.later()}})
	require.NoError(o.T, err)
	o.kin.remove(kind, id)
}

// unite merges a record into another, or converts it to one.
func (o *office) unite(kind, id, intoKind, into string) {
	_, err := o.Schema.Records.Merge(o.Context("root"), []*crm.MergeInput{{ObjectType: kind, ExternalID: id, IntoObjectType: &intoKind, IntoExternalID: into}})
	require.NoError(o.T, err)
	o.kin.unite(kind, id, intoKind, into)
}

// changeReads changes what the permission set lets agents read: of an object type, or a
// lookup on a path.
func (o *office) changeReads(r *rapid.T) {
	var rights []object.Right
	for _, kind := range []string{"Account", "Contact", "Lead", "Opportunity"} {
		right := object.Right{Object: kind, Access: object.Read}
		if rapid.IntRange(0, 5).Draw(r, kind) == 0 {
			right.Access = object.None
		}
		for _, name := range references[kind] {
			if rapid.IntRange(0, 5).Draw(r, name) == 0 {
				right.Fields = append(right.Fields, object.FieldRight{Field: name, Access: object.None})
			}
		}
		rights = append(rights, right)
	}
	o.change(func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.PermissionSet.Update().Where(permissionset.Name(reading)).SetRecordRights(rights).Exec(ctx)
	})
}

func field(name, text string) *crm.FieldInput { return &crm.FieldInput{Name: name, Text: &text} }
