package crm_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/directory"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/page"
	"parley/internal/ground/viewer"
)

// defined are object types, and what everybody may do with records.
type defined struct {
	types  []*object.Definition
	rights map[string]*object.Rights // by username
}

func (d *defined) ObjectType(name string) *directory.ObjectType {
	for i, t := range d.types {
		if t.Name == name {
			return &directory.ObjectType{Definition: *t, Key: int64(i + 1)}
		}
	}
	return nil
}

func (d *defined) Refresh(context.Context) error { return nil }

func (d *defined) RecordRights(v *viewer.Viewer) *object.Rights {
	if r := d.rights[v.Username]; r != nil && !v.Can(viewer.ManageRecords) {
		return r
	}
	return object.Everything
}

func definitions() *defined {
	return &defined{types: []*object.Definition{
		{
			Name: "Visit__c", Label: "Visit",
			Fields: []object.Field{
				{Name: "Name", Kind: object.Text, Filterable: true, Required: true},
				{Name: "Mobile", Kind: object.Phone},
				{Name: "Home", Kind: object.Phone},
				{Name: "Country", Kind: object.Text},
				{Name: "OptOut", Kind: object.Boolean},
				{Name: "Amount", Kind: object.Currency, Filterable: true},
				{Name: "Stage", Kind: object.Picklist, Choices: []string{"Open", "Won", "Lost"}, Filterable: true},
				{Name: "Tags", Kind: object.MultiPicklist, Choices: []string{"a", "b", "c"}, Filterable: true},
				{Name: "Due", Kind: object.DateTime, Filterable: true},
				{Name: "Place", Kind: object.Geolocation},
				{Name: "Farm", Kind: object.Reference, Targets: []string{"Farm__c"}, Filterable: true},
				{Name: "Salary", Kind: object.Number, Sensitive: true, Filterable: true},
			},
			Messaging: object.Messaging{Name: "Name", Country: "Country", OptedOut: "OptOut", Phones: []object.PhoneField{{Field: "Mobile"}, {Field: "Home"}}},
		},
		{Name: "Farm__c", Label: "Farm", Fields: []object.Field{{Name: "Name", Kind: object.Text}}, Messaging: object.Messaging{Name: "Name"}},
	}}
}

// records are the use cases on a fresh Parley, as an administrator.
type records struct {
	*crm.Service
	p   *parleytest.Parley
	ctx context.Context
	t   *testing.T

	statements atomic.Int64
}

func newRecords(t *testing.T) *records {
	r := &records{t: t}
	r.p = parleytest.New(t, func(c *app.Config) {
		c.Trace = func(context.Context, string) func(error) { r.statements.Add(1); return nil }
	})
	conversations := r.p.Conversations
	r.Service = &crm.Service{Store: r.p.Store, IDs: conversations.IDs, Cursors: conversations.Cursors, Definitions: definitions(), Conversations: conversations}
	r.ctx = r.p.Context("ada")
	return r
}

func text(s string) *string { return &s }

// visit is a record with fields, given as name and text in turn.
func visit(id string, at int, fields ...string) *crm.RecordInput {
	in := &crm.RecordInput{ObjectType: "Visit__c", ExternalID: id}
	if at != 0 {
		modified := clock.Of(time.Date(2026, 1, 1, 0, 0, at, 0, time.UTC))
		in.ModifiedAt = &modified
	}
	for i := 0; i < len(fields); i += 2 {
		in.Fields = append(in.Fields, &crm.FieldInput{Name: fields[i], Text: &fields[i+1]})
	}
	return in
}

// upsert writes records and returns what became of each: an outcome, or the field of the
// error and its message.
func (r *records) upsert(in ...*crm.RecordInput) (outcomes []string) {
	r.t.Helper()
	results, err := r.Upsert(r.ctx, in)
	require.NoError(r.t, err)
	return outcomesOf(results)
}

func outcomesOf(results []*crm.Result) (outcomes []string) {
	for _, res := range results {
		if res.Error != nil {
			outcomes = append(outcomes, res.Error.Field+": "+res.Error.Message)
			continue
		}
		outcomes = append(outcomes, string(*res.Outcome))
	}
	return outcomes
}

// holds are the fields of a record that are not blank, as texts.
func (r *records) holds(ctx context.Context, id string) map[string]string {
	r.t.Helper()
	record, err := r.Conversations.RecordNamed(ctx, "Visit__c", id)
	require.NoError(r.t, err)
	if record == nil {
		return nil
	}
	fields, err := r.Fields(ctx, []*conversation.Record{record}, nil)
	require.NoError(r.t, err)
	out := map[string]string{}
	for _, f := range fields[0] {
		if f.Unreadable != nil {
			out[f.Name()] = string(*f.Unreadable)
		} else if f.Text() != nil {
			out[f.Name()] = *f.Text()
		}
	}
	return out
}

func TestRecordsAreTakenOnceAndInOrder(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	first := visit("V1", 10, "Name", "Kim", "amount", "12.50", "Tags", "b;a", "Farm", "F1")
	require.Equal(t, []string{"CREATED"}, r.upsert(first))
	require.Equal(t, map[string]string{"Name": "Kim", "Amount": "12.50", "Tags": "a;b", "Farm": "Farm__c/F1"}, r.holds(r.ctx, "V1"))

	require.Equal(t, []string{"UNCHANGED"}, r.upsert(first), "the same again")
	require.Equal(t, []string{"OLDER"}, r.upsert(visit("V1", 9, "Name", "Old")))
	require.Equal(t, []string{"UPDATED"}, r.upsert(visit("V1", 11, "Amount", "", "Stage", "Won")), "what is not named stays")
	require.Equal(t, map[string]string{"Name": "Kim", "Tags": "a;b", "Farm": "Farm__c/F1", "Stage": "Won"}, r.holds(r.ctx, "V1"))
	require.Equal(t, []string{"UNCHANGED"}, r.upsert(visit("V1", 12)), "nothing is said of it")

	// One bad record costs its neighbours nothing.
	require.Equal(t, []string{
		"CREATED", `input.records.1.fields.0: Amount takes a number such as 12.50, not "much".`, "Name: A new Visit__c needs Name.",
		"input.records.3: Visit__c V2 is there twice in this call. Pass it once.", "CREATED",
		"input.records.5.objectType: No such object type, or you may not read its records. objectTypes lists them.",
	}, r.upsert(visit("V2", 0, "Name", "Bo"), visit("V3", 0, "Amount", "much"), visit("V4", 0, "Amount", "1"), visit("V2", 0, "Name", "Bob"),
		&crm.RecordInput{ObjectType: "Farm__c", ExternalID: "F1", Fields: []*crm.FieldInput{{Name: "Name", Text: text("Sunny")}}}, &crm.RecordInput{ObjectType: "Nothing", ExternalID: "1"}))
}

func TestAReferenceMayComeBeforeItsRecord(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	farm := func() *conversation.Record {
		v, err := r.Conversations.RecordNamed(r.ctx, "Visit__c", "V1")
		require.NoError(t, err)
		fields, err := r.Fields(r.ctx, []*conversation.Record{v}, []string{"farm"})
		require.NoError(t, err)
		require.Len(t, fields[0], 1)
		found, err := r.References(r.ctx, fields[0])
		require.NoError(t, err)
		return found[0]
	}
	r.upsert(visit("V1", 0, "Name", "Kim", "Farm", "F1"))
	require.Nil(t, farm(), "it has not come yet")
	stub, err := r.Conversations.RecordNamed(r.ctx, "Farm__c", "F1")
	require.NoError(t, err)
	require.Nil(t, stub)
	require.Equal(t, []string{"CREATED"}, r.upsert(&crm.RecordInput{ObjectType: "Farm__c", ExternalID: "F1", Fields: []*crm.FieldInput{{Name: "Name", Text: text("Sunny")}}}))
	require.Equal(t, "Sunny", farm().Name)
	require.Equal(t, []string{"UPDATED"}, r.upsert(visit("V1", 0, "Amount", "1")), "what is referenced already has no second stub")
	require.Equal(t, "Sunny", farm().Name)
}

func TestDeletedRecordsAreGoneUntilANewerChange(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	at := func(s int) *clock.Time { return visit("", s).ModifiedAt }
	remove := func(id string, when *clock.Time) string {
		results, err := r.Delete(r.ctx, []*crm.DeletionInput{{ObjectType: "Visit__c", ExternalID: id, DeletedAt: when}})
		require.NoError(t, err)
		return outcomesOf(results)[0]
	}
	r.upsert(visit("V1", 10, "Name", "Kim", "Amount", "1"))
	require.Equal(t, "OLDER", remove("V1", at(9)))
	require.Equal(t, "DELETED", remove("V1", at(11)))
	require.Nil(t, r.holds(r.ctx, "V1"))
	require.Equal(t, "UNCHANGED", remove("V1", at(12)))
	require.Equal(t, []string{"OLDER"}, r.upsert(visit("V1", 11, "Name", "Kim")))
	require.Nil(t, r.holds(r.ctx, "V1"))
	require.Equal(t, []string{"OLDER"}, r.upsert(visit("V1", 12, "Name", "Kim")), "a deletion said again counts by its later time")
	require.Equal(t, []string{"CREATED"}, r.upsert(visit("V1", 13, "Name", "Kim")))
	require.Equal(t, map[string]string{"Name": "Kim"}, r.holds(r.ctx, "V1"), "it comes back without what it held")
	require.Contains(t, remove("V9", nil), "No such record")
}

// Whoever may read records without their phone fields reads no number of theirs. Whoever
// has a record by its conversation alone sees whom they talk to.
func TestNumbersFollowTheRightsOnTheirFields(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	r.upsert(visit("V1", 0, "Name", "Kim", "Mobile", "202-555-0123"))
	kim, err := r.Conversations.RecordNamed(r.ctx, "Visit__c", "V1")
	require.NoError(t, err)
	number := func(rights ...object.Right) *string {
		r.Definitions.(*defined).rights = map[string]*object.Rights{"amy": object.Sum(rights)}
		return r.MobileNumbers(r.p.Context("amy"), []*conversation.Record{kim})[0]
	}
	require.Equal(t, "202-555-0123", *number())
	require.Equal(t, "202-555-0123", *number(object.Right{Object: "Visit__c", Access: object.Read}))
	require.Nil(t, number(object.Right{Object: "Visit__c", Access: object.Read, Fields: []object.FieldRight{{Field: "Home", Access: object.None}}}))
}

// list returns the names of a page and whether there is more.
func (r *records) list(ctx context.Context, f *crm.Filter, w page.Window) (names []string, p *crm.Page, err error) {
	p, err = r.List(ctx, "Visit__c", f, w)
	if err == nil {
		for _, n := range p.Nodes() {
			names = append(names, n.Name)
		}
	}
	return names, p, err
}

func TestRecordsAreListedByName(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	names := []string{"Ada", "bert", "Çelik", "Dee", "dee"}
	for i, n := range names {
		r.upsert(visit(fmt.Sprint(i), 0, "Name", n))
	}
	var walked []string
	w := page.Window{Size: 2}
	for {
		got, p, err := r.list(r.ctx, nil, w)
		require.NoError(t, err)
		walked = append(walked, got...)
		if !p.HasNextPage {
			break
		}
		w.Cursor = *p.PageInfo().EndCursor
	}
	require.Equal(t, []string{"Ada", "bert", "Dee", "dee", "Çelik"}, walked)
	got, p, err := r.list(r.ctx, nil, page.Window{Size: 2, Backward: true, Cursor: w.Cursor})
	require.NoError(t, err)
	require.Equal(t, []string{"bert", "Dee"}, got)
	require.True(t, p.HasPreviousPage)
	_, _, err = r.list(r.ctx, nil, page.Window{Size: 2, Cursor: "nonsense"})
	require.Equal(t, fault.BadInput, fault.CodeOf(err))
}

func TestRecordsAreFilteredAndSearched(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	r.upsert(
		visit("1", 0, "Name", "Kim Park", "Amount", "9.5", "Stage", "Open", "Tags", "a;b", "Mobile", "(202) 555-0111", "Country", "US", "Due", "2026-05-01T10:00:00Z", "Farm", "F1"),
		visit("2", 0, "Name", "kimberly", "Amount", "10", "Stage", "Won", "Tags", "b", "Home", "+44 20 7946 0018", "Farm", "F2"),
		visit("3", 0, "Name", "Lee", "Amount", "-100.25", "Stage", "Won", "Salary", "5"),
		visit("4", 0, "Name", "Noa"),
	)
	field := func(f crm.FieldFilter) *crm.Filter { return &crm.Filter{Fields: []*crm.FieldFilter{&f}} }
	yes, no := true, false
	for what, test := range map[string]struct {
		f    *crm.Filter
		want []string
	}{
		"a name":                    {&crm.Filter{Search: text("KIM")}, []string{"Kim Park", "kimberly"}},
		"a name and its blank":      {&crm.Filter{Search: text("kim p")}, []string{"Kim Park"}},
		"a national number":         {&crm.Filter{Search: text("202-555")}, []string{"Kim Park"}},
		"an international number":   {&crm.Filter{Search: text("+1 (202) 555 01")}, []string{"Kim Park"}},
		"a number in another field": {&crm.Filter{Search: text("+4420")}, []string{"kimberly"}},
		"as its country dials it":   {&crm.Filter{Search: text("(020) 79")}, []string{"kimberly"}},
		"nothing":                   {&crm.Filter{Search: text("zz")}, nil},
		"equal numbers":             {field(crm.FieldFilter{Name: "amount", Equals: text("9.50")}), []string{"Kim Park"}},
		"numbers up to one":         {field(crm.FieldFilter{Name: "Amount", AtMost: text("9.5")}), []string{"Kim Park", "Lee"}},
		"numbers in a range":        {field(crm.FieldFilter{Name: "Amount", AtLeast: text("9.4"), AtMost: text("10")}), []string{"Kim Park", "kimberly"}},
		"one of two choices":        {field(crm.FieldFilter{Name: "Stage", OneOf: []string{"Won", "Lost"}}), []string{"kimberly", "Lee"}},
		"a choice among several":    {field(crm.FieldFilter{Name: "Tags", Equals: text("b")}), []string{"Kim Park", "kimberly"}},
		"blank":                     {field(crm.FieldFilter{Name: "Stage", IsBlank: &yes}), []string{"Noa"}},
		"not blank":                 {field(crm.FieldFilter{Name: "Due", IsBlank: &no}), []string{"Kim Park"}},
		"a time":                    {field(crm.FieldFilter{Name: "Due", AtMost: text("2026-05-01T12:00:00+02:00")}), []string{"Kim Park"}},
		"a reference":               {field(crm.FieldFilter{Name: "Farm", Equals: text("F2")}), []string{"kimberly"}},
		"what a text begins with":   {field(crm.FieldFilter{Name: "Name", StartsWith: text("no")}), []string{"Noa"}},
		"two fields":                {&crm.Filter{Fields: []*crm.FieldFilter{{Name: "Stage", Equals: text("Won")}, {Name: "Amount", AtLeast: text("0")}}}, []string{"kimberly"}},
		"a search and a field":      {&crm.Filter{Search: text("kim"), Fields: []*crm.FieldFilter{{Name: "Stage", Equals: text("Won")}}}, []string{"kimberly"}},
	} {
		got, _, err := r.list(r.ctx, test.f, page.Window{Size: 10})
		require.NoError(t, err, what)
		require.Equal(t, test.want, got, what)
	}
	for field, f := range map[string]*crm.Filter{
		"filterBy.search":              {Search: text("k")},
		"filterBy.fields.0.name":       {Fields: []*crm.FieldFilter{{Name: "Place", IsBlank: &yes}}},
		"filterBy.fields.0":            {Fields: []*crm.FieldFilter{{Name: "Stage", IsBlank: &yes, Equals: text("Won")}}},
		"filterBy.fields.0.equals":     {Fields: []*crm.FieldFilter{{Name: "Amount", Equals: text("much")}}},
		"filterBy.fields.0.startsWith": {Fields: []*crm.FieldFilter{{Name: "Amount", StartsWith: text("1")}}},
		"filterBy.fields.0.oneOf":      {Fields: []*crm.FieldFilter{{Name: "Stage", OneOf: []string{}}}},
		"filterBy.fields":              {Fields: make([]*crm.FieldFilter, 6)},
	} {
		_, _, err := r.list(r.ctx, f, page.Window{Size: 10})
		var f *fault.Error
		require.ErrorAs(t, err, &f, field)
		require.Equal(t, field, f.Field)
	}
}

// Who may not read a field cannot tell what stands in it: it is not shown, filtered by,
// searched or written.
func TestFieldsThatMayNotBeReadSayNothing(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	r.upsert(visit("1", 0, "Name", "Kim", "Salary", "5", "Mobile", "+12025550111", "Home", "+12025550122", "Amount", "3"))
	d := r.Definitions.(*defined)
	d.rights = map[string]*object.Rights{"amy": object.Sum([]object.Right{{Object: "Visit__c", Access: object.Write, Fields: []object.FieldRight{{Field: "Home", Access: object.None}, {Field: "Amount", Access: object.Read}}}})}
	amy := r.p.Context("amy")
	record, err := r.Conversations.RecordNamed(r.ctx, "Visit__c", "1")
	require.NoError(t, err)
	fields, err := r.Fields(amy, []*conversation.Record{record}, []string{"Salary", "Home", "Name"})
	require.NoError(t, err)
	require.Equal(t, []any{"Kim", (*string)(nil), (*string)(nil)}, []any{*fields[0][0].Text(), fields[0][1].Text(), fields[0][2].Text()})
	for i, f := range fields[0] {
		require.Equal(t, i > 0, f.Unreadable != nil, f.Name())
	}
	_, _, err = r.list(amy, &crm.Filter{Fields: []*crm.FieldFilter{{Name: "Salary", Equals: text("5")}}}, page.Window{Size: 5})
	_, _, none := r.list(amy, &crm.Filter{Fields: []*crm.FieldFilter{{Name: "Nothing", Equals: text("5")}}}, page.Window{Size: 5})
	require.Equal(t, none, err, "a field that may not be read is answered as one that is not there")

	r.ctx = amy
	require.Equal(t, []string{
		`input.records.0.fields.0: Visit__c has no field "Salary". objectType lists its fields.`,
		"input.records.1.fields.0: You may not write Amount. Leave it out, or ask an administrator.",
		"input.records.2.objectType: No such object type, or you may not read its records. objectTypes lists them.",
	}, r.upsert(visit("1", 0, "Salary", "6"), visit("2", 0, "Amount", "6"), &crm.RecordInput{ObjectType: "Farm__c", ExternalID: "1"}))
	_, err = r.List(amy, "Farm__c", nil, page.Window{Size: 5})
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
}

// A call takes as many statements for 80 records as for 10.
func TestUpsertingTakesAFixedNumberOfStatements(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	many := func(n, round int) (in []*crm.RecordInput) {
		for i := range n {
			in = append(in, visit(fmt.Sprint(i), round, "Name", fmt.Sprintf("N%d.%d", i, round), "Amount", fmt.Sprint(i), "Mobile", fmt.Sprintf("+1202555%04d", i), "Farm", fmt.Sprint(i%7)))
		}
		return in
	}
	count := func(n, round int) int {
		in, before := many(n, round), r.statements.Load()
		results, err := r.Upsert(r.ctx, in)
		require.NoError(t, err)
		require.Len(t, results, n)
		return int(r.statements.Load() - before)
	}
	count(200, 1)
	few := count(10, 2)
	require.LessOrEqual(t, few, 12)
	require.Equal(t, few, count(80, 3))
	require.LessOrEqual(t, count(200, 4), few+2, "of derived rows, 250 to a statement")
}

// Records keep what a field no longer offers, and are found by it.
func TestRecordsAreFoundByAChoiceThatIsNoLongerOffered(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	r.upsert(visit("A", 0, "Name", "Ann", "Stage", "Lost"), visit("B", 0, "Name", "Bea", "Stage", "Open"))
	types := definitions()
	types.types[0].Fields[6].Choices = []string{"Open", "Won"}
	r.Definitions = types
	names, _, err := r.list(r.ctx, &crm.Filter{Fields: []*crm.FieldFilter{{Name: "Stage", Equals: text("Lost")}}}, page.Window{Size: 5})
	require.NoError(t, err)
	require.Equal(t, []string{"Ann"}, names)
}
