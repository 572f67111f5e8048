package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

func TestComponentsByCommand(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	p := parleytest.OpenAt(t, database)
	create := func(name, developerName string) string {
		made := p.As("ada").Do(`mutation($i: CreateComponentInput!) { createComponent(input: $i) { component { id } errors { field message } } }`, parleytest.Vars{"i": parleytest.Vars{
			"name": name, "developerName": developerName, "kind": "ENHANCED_LINK", "idempotencyKey": developerName,
			"design": parleytest.Vars{"formats": []parleytest.Vars{{"format": "RICH_LINK", "title": name, "url": "https://shop.example.com/"}}},
		}}).Get("createComponent")
		require.Empty(t, made.Get("errors").List(), made.String())
		return made.Get("component", "id").String()
	}
	create("Our shop", "Shop")
	archived := p.As("ada").Do(`mutation($id: ID!) { updateComponent(input: {id: $id, isArchived: true}) { errors { message } } }`, parleytest.Vars{"id": create("Old shop", "Former")})
	require.Empty(t, archived.Get("updateComponent", "errors").List(), archived.String())
	try := func(args ...string) (string, error) {
		return command(t, append([]string{"--database", database, "component"}, args...)...)
	}
	parley := func(args ...string) string {
		t.Helper()
		out, err := try(args...)
		require.NoError(t, err)
		return out
	}
	require.Regexp(t, `^DEVELOPER NAME +NAME +KIND +VERSION +USED\nShop +Our shop +ENHANCED_LINK +1 +false\n$`, parley("list"))
	require.JSONEq(t, `[{"name": "Old shop", "developerName": "Former", "kind": "ENHANCED_LINK", "version": 1, "isUsed": false}]`, parley("list", "--archived", "--json"))
	require.Contains(t, parley("show", "SHOP"), "https://shop.example.com/")
	require.Contains(t, parley("show", "Former"), "Old shop", "archived ones too")
	_, err := try("show", "Nothing")
	require.ErrorContains(t, err, "parley component list")
}
