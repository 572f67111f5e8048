package table_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/internal/ground/store"
	"parley/internal/ground/table"
)

type person struct {
	key, boss, age int64
	name           string
	friends        []int64
	old            bool
}

type facts struct{ boss int64 }

var people = table.New("people", []table.Column[person, facts]{
	{Name: "id", Value: table.Int(func(p *person) *int64 { return &p.key }), Fields: "id"},
	{
		Name: "boss_id", Value: table.Key(func(p *person) *int64 { return &p.boss }), Fields: "boss team",
		Fact: func(f *facts, p *person) { f.boss = p.boss },
	},
	{Name: "age", Value: table.Int(func(p *person) *int64 { return &p.age }), Fields: "age"},
	{Name: "name", Value: table.Text(func(p *person) *string { return &p.name }), Fields: "name team"},
	{Name: "friends", Value: table.Keys(func(p *person) *[]int64 { return &p.friends })},
	{Name: "old", Value: table.Bool(func(p *person) *bool { return &p.old })},
	{Name: "months", Of: func(x string) string { return x + ".age * 12" }, Value: table.Int(func(p *person) *int64 { return &p.age }), Fields: "months"},
})

var all table.Columns

func TestSelections(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"id", "boss_id", "age", "name", "friends", "old"}, people.Names(all))
	require.Equal(t, people.Stored(), people.Only(people.Names(all)...))
	require.Equal(t, []string{"x.name", "x.age * 12"}, people.Select("x", people.Only("months", "name")))
	require.Equal(t, "INSERT INTO people (id, name) VALUES (?, ?)", people.Insert(people.Only("name", "id")))
}

func TestFieldsNeedColumns(t *testing.T) {
	t.Parallel()
	id := people.Only("id")
	for fields, columns := range map[string]table.Columns{
		"":            id,
		"id age":      people.Only("id", "age"),
		"team months": people.Only("id", "boss_id", "name", "months"),
		"age unknown": all,
	} {
		require.Equal(t, columns, people.Needed(id, strings.FieldsSeq(fields)), fields)
	}
}

func TestWhatDiffersIsWritten(t *testing.T) {
	t.Parallel()
	before := person{key: 1, boss: 2, age: 30, name: "Amy", friends: []int64{3}}
	after := before
	require.True(t, people.Differ(&before, &after, all).IsZero())
	after.friends = []int64{3}
	require.True(t, people.Differ(&before, &after, all).IsZero())

	after = person{key: 1, age: 31, name: "Bo", old: true}
	differ := people.Differ(&before, &after, all)
	require.Equal(t, []string{"boss_id", "age", "name", "friends", "old"}, people.Names(differ))
	require.Equal(t, []any{nil, int64(31), "Bo", nil, true}, people.Values(&after, differ))
	require.Equal(t, people.Only("age"), people.Differ(&before, &after, people.Only("id", "age")))

	update := entsql.Update("people")
	people.Set(update, &after, all)
	require.True(t, update.Empty())
	people.Set(update, &before, people.Only("friends", "boss_id"))
	text, args := update.Query()
	require.Equal(t, "UPDATE `people` SET `boss_id` = ?, `friends` = ?", text)
	require.Equal(t, []any{int64(2), "[3]"}, args)
}

func TestFacts(t *testing.T) {
	t.Parallel()
	var f facts
	people.Facts(&f, &person{boss: 7})
	require.Equal(t, facts{7}, f)
}

// wide declares n columns; reading one adds its place to what was read.
func wide(n int) *table.Table[[]string, facts] {
	var columns []table.Column[[]string, facts]
	for i := range n {
		name := fmt.Sprint("c", i)
		read := func(into *[]string, _ *store.Row, at int) { *into = append(*into, fmt.Sprint(name, "@", at)) }
		columns = append(columns, table.Column[[]string, facts]{Name: name, Value: table.Value[[]string]{Read: read}})
	}
	return table.New("wide", columns)
}

func TestManyColumns(t *testing.T) {
	t.Parallel()
	most := wide(128)
	require.Len(t, most.Names(all), 128)
	c := most.Only("c127", "c0", "c64", "c63")
	require.Equal(t, []string{"c0", "c63", "c64", "c127"}, most.Names(c))
	require.Equal(t, []string{"c0", "c127"}, most.Names(c.Without(most.Only("c63", "c64", "c65"))))
	require.True(t, c.Has(most.Only("c64", "c127")))
	require.False(t, c.Has(most.Only("c64", "c126")))
	require.Equal(t, c, most.Only("c0", "c63").And(most.Only("c64", "c127")))
	var read []string
	require.Equal(t, 9, most.Read(&read, nil, 5, c))
	require.Equal(t, []string{"c0@5", "c63@6", "c64@7", "c127@8"}, read)
}

func TestDeclarationsThatAreRefused(t *testing.T) {
	t.Parallel()
	require.PanicsWithValue(t, "table: wide has more than 128 columns", func() { wide(129) })
	require.PanicsWithValue(t, "table: people has no column shoe_size", func() { people.Only("id", "shoe_size") })
	require.PanicsWithValue(t, "table: twice has two columns id", func() {
		table.New("twice", slices.Repeat([]table.Column[person, facts]{{Name: "id"}}, 2))
	})
}
