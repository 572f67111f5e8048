package object_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/object"
	"parley/internal/ground/fault"
)

// The standard types are definitions as anybody could write them.
func TestStandardTypesAreSound(t *testing.T) {
	t.Parallel()
	types := object.Standard()
	require.Len(t, types, 5)
	for _, d := range types {
		written := d.Fields
		d.Fields = nil
		require.NoError(t, d.Amend(written), d.Name)
		require.NoError(t, d.Check(), d.Name)
	}
}

func TestBoundsOfDefinitions(t *testing.T) {
	t.Parallel()
	many := func(n int, f object.Field) (fields []object.Field) {
		for i := range n {
			f.Name = fmt.Sprint("F", i)
			fields = append(fields, f)
		}
		return fields
	}
	for _, c := range []struct {
		name   string
		fields []object.Field
		field  string // at fault; empty for none
	}{
		{"T", many(500, object.Field{Kind: object.Text}), ""},
		{"T", many(501, object.Field{Kind: object.Text}), "input.fields"},
		{"T", many(10, object.Field{Kind: object.Text, Filterable: true}), ""},
		{"T", many(11, object.Field{Kind: object.Text, Filterable: true}), "input.fields"},
		{"T", many(300, object.Field{Kind: object.Text, Description: strings.Repeat("x", 1000)}), "input.fields"},
		{strings.Repeat("T", 81), nil, "input.name"},
		{"1T", nil, "input.name"},
		{"Ü", nil, "input.name"},
		{"T", []object.Field{{Name: "A", Kind: object.Text}, {Name: "a", Kind: object.Text}}, "input.fields.1.name"},
		{"T", []object.Field{{Name: "A", Kind: "NEWER"}}, "input.fields.0.type"},
		{"T", []object.Field{{Name: "A", Kind: object.Text, Required: true, Retired: true}}, "input.fields.0.isRequired"},
		{"T", []object.Field{{Name: "A", Kind: object.MultiPicklist, Choices: []string{"x", "a;b"}}}, "input.fields.0.choices.1"},
		{"T", []object.Field{{Name: "A", Kind: object.Picklist, Choices: []string{"x", "x"}}}, "input.fields.0.choices.1"},
		{"T", []object.Field{{Name: "A", Kind: object.Reference, Targets: []string{"User", "USER"}}}, "input.fields.0.targets.1"},
	} {
		d := &object.Definition{Name: c.name}
		err := d.Amend(c.fields)
		if err == nil {
			err = d.Check()
		}
		if c.field == "" {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, fault.BadInput, fault.CodeOf(err), c.field)
		require.ErrorContains(t, err, c.field+":")
	}
}

func TestRightsAreTheSumOfTheSets(t *testing.T) {
	t.Parallel()
	d := &object.Definition{Name: "Lead", Fields: []object.Field{{Name: "Name", Kind: object.Text}, {Name: "Salary", Kind: object.Number, Sensitive: true}}}
	types := map[string]*object.Definition{"Lead": d}
	lead := func(access object.Access, fields ...object.FieldRight) []object.Right {
		return []object.Right{{Object: "Lead", Access: access, Fields: fields}}
	}
	salary := func(access object.Access) object.FieldRight {
		return object.FieldRight{Field: "salary", Access: access}
	}
	for _, c := range []struct {
		sets                [][]object.Right
		object, name, money object.Access
	}{
		{nil, object.None, object.None, object.None},
		{[][]object.Right{lead(object.Read)}, object.Read, object.Read, object.None},
		{[][]object.Right{lead(object.Read, salary(object.Read))}, object.Read, object.Read, object.Read},
		{[][]object.Right{lead(object.Read, salary(object.Read)), lead(object.Write)}, object.Write, object.Write, object.Read},
		{[][]object.Right{lead(object.Write, object.FieldRight{Field: "Name", Access: object.None})}, object.Write, object.None, object.None},
		{[][]object.Right{lead("NEWER", salary("NEWER"))}, object.None, object.None, object.None},
	} {
		sum := object.Sum(c.sets...)
		require.Equal(t, c.object, sum.Object("Lead").Known())
		require.Equal(t, c.name, sum.Field(d, &d.Fields[0]).Known())
		require.Equal(t, c.money, sum.Field(d, &d.Fields[1]).Known())
		require.True(t, object.Everything.CoversAll(sum, types))
		for _, set := range c.sets {
			require.Equal(t, c.object != object.None, sum.Covers(set, types), "whoever has a set has what it gives, as far as this version knows")
			require.False(t, (&object.Rights{}).Covers(set, types))
		}
	}
	require.False(t, object.Sum(lead(object.Read)).Covers(lead(object.Read, salary(object.Read)), types))
	require.False(t, object.Sum(lead(object.Write)).CoversAll(object.Everything, types))
}
