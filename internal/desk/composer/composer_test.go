package composer_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
)

type vars = parleytest.Vars

const selection = `{ component {
	id name developerName kind description version isArchived isUsed
	design {
		constants { name type text alt items { name subtitle imageUrl imageAlt } } parameters { name type objectType isOptional } listTemplates { name list template }
		options { ... on StaticOptions { constant } ... on QueryOptions { objectType limit condition filters { field value } display { title } } ... on SlotOptions { display { title } } }
		formats { ... on LinkFormat { format title url imageUrl imageAlt } ... on QuestionFormat { format text } ... on TextFormat { format text } }
		translations { locale constants { name text items { name } } }
	} } errors { code field message } }`

func question() vars {
	return vars{
		"constants": []vars{
			{"name": "Ask", "type": "TEXT", "text": "How can we help?"},
			{"name": "Topics", "type": "LIST", "items": []vars{{"name": "Billing"}, {"name": "Repairs"}}},
		},
		"options":      vars{"constant": "Topics"},
		"formats":      []vars{{"format": "BUTTONS", "text": "{!$Constants.Ask}"}},
		"translations": []vars{{"locale": "DE", "constants": []vars{{"name": "Ask", "text": "Wie können wir helfen?"}}}},
	}
}

// bundle is a desk with components.
type bundle struct {
	*parleytest.Parley
	forging *forging
	made    int
}

func setup(t *testing.T, options ...func(*app.Config)) *bundle {
	p := parleytest.New(t, options...)
	f := &forging{adapter: p.Receiver.Providers["sandbox"].(adapter)}
	p.Receiver.Providers["sandbox"] = f
	return &bundle{Parley: p, forging: f}
}

func (b *bundle) create(username, name, kind string, design vars) parleytest.Tree {
	b.T.Helper()
	b.made++
	return b.As(username).Do(`mutation($i: CreateComponentInput!) { createComponent(input: $i) `+selection+` }`, vars{"i": vars{
		"name": name, "developerName": fmt.Sprintf("C%d", b.made), "kind": kind, "design": design, "idempotencyKey": fmt.Sprintf("key-%d", b.made),
	}}).Get("createComponent")
}

func (b *bundle) change(username, mutation string, input vars) parleytest.Tree {
	b.T.Helper()
	kind := map[string]string{"updateComponent": "UpdateComponentInput", "cloneComponent": "CloneComponentInput"}[mutation]
	return b.As(username).Do(`mutation($i: `+kind+`!) { `+mutation+`(input: $i) `+selection+` }`, vars{"i": input}).Get(mutation)
}

func (b *bundle) remove(username, id string) parleytest.Tree {
	b.T.Helper()
	return b.As(username).Do(`mutation($id: ID!) { deleteComponent(input: {id: $id}) { deletedId errors { code message } } }`, vars{"id": id}).Get("deleteComponent")
}

func code(payload parleytest.Tree) string {
	if errs := payload.Get("errors").List(); len(errs) > 0 {
		return errs[0].Get("code").String()
	}
	return ""
}

func TestOnlyAdministratorsDesignComponents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, "FORBIDDEN", code(b.create("amy", "Mine", "STATIC_QUESTION", question())))
	made := b.create("ada", "Topics", "STATIC_QUESTION", question())
	require.Empty(t, code(made), made.String())
	id := made.Get("component", "id").String()
	require.Equal(t, "FORBIDDEN", code(b.change("amy", "updateComponent", vars{"id": id, "name": "x"})))
	require.Equal(t, "FORBIDDEN", code(b.change("amy", "cloneComponent", vars{"id": id, "name": "x", "developerName": "x", "idempotencyKey": "x"})))
	require.Equal(t, "FORBIDDEN", code(b.remove("amy", id)))
	for _, username := range []string{"amy", "bo", "sue", "ada"} { // everybody who is signed in sees what agents send
		require.Equal(t, "Topics", b.As(username).Do(`query($id: ID!) { component(id: $id) { name } }`, vars{"id": id}).Get("component", "name").String())
		require.Equal(t, id, b.As(username).Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": id}).Get("node", "id").String())
	}
	require.Equal(t, []string{"NOT_FOUND"}, b.As("amy").Raw(`{ component(id: "cmp_0000000000000") { id } }`, nil).Codes())
	require.Contains(t, b.As("ada").Do(`{ auditEntries(first: 20) { nodes { subjectType subjectName action } } }`, nil).String(), `"Component"`)
}

func TestAComponentHasVersions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.create("ada", "Topics", "STATIC_QUESTION", question()).Get("component")
	id := made.Get("id").String()
	require.Equal(t, `[{"format":"BUTTONS","text":"{!$Constants.Ask}"},{"format":"TEXT","text":"{!$Constants.Ask}\n{!$ListTemplates.Options}"}]`, made.Get("design", "formats").String())
	require.Equal(t, "de", made.Get("design", "translations").List()[0].Get("locale").String())
	require.Equal(t, 1, made.Get("version").Int())

	same := b.change("ada", "updateComponent", vars{"id": id, "design": question(), "name": "Topics"})
	require.Equal(t, 1, same.Get("component", "version").Int(), "nothing differs: %s", same)
	design := question()
	design["formats"] = []vars{{"format": "QUICK_REPLIES", "text": "{!$Constants.Ask}"}}
	changed := b.change("ada", "updateComponent", vars{"id": id, "design": design, "description": "For beginners", "isArchived": true}).Get("component")
	require.Equal(t, 2, changed.Get("version").Int())
	require.True(t, changed.Get("isArchived").Bool())
	require.Equal(t, "QUICK_REPLIES", changed.Get("design", "formats").List()[0].Get("format").String())

	copied := b.change("ada", "cloneComponent", vars{"id": id, "name": "Copy", "developerName": "Copy", "idempotencyKey": "copy"}).Get("component")
	require.Equal(t, changed.Get("design").String(), copied.Get("design").String())
	require.Equal(t, 1, copied.Get("version").Int())
	again := b.change("ada", "cloneComponent", vars{"id": id, "name": "Copy", "developerName": "Copy", "idempotencyKey": "copy"}).Get("component")
	require.Equal(t, copied.Get("id").String(), again.Get("id").String())
	taken := b.change("ada", "cloneComponent", vars{"id": id, "name": "Copy", "developerName": "COPY", "idempotencyKey": "other"})
	require.Equal(t, "input.developerName", taken.Get("errors").List()[0].Get("field").String())

	require.Equal(t, id, b.remove("ada", id).Get("deletedId").String())
	require.Equal(t, "NOT_FOUND", code(b.remove("ada", id)))
	require.Equal(t, []string{"NOT_FOUND"}, b.As("ada").Raw(`query($id: ID!) { component(id: $id) { id } }`, vars{"id": id}).Codes())
}

func TestErrorsNameThePlaceInATemplate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	design := question()
	design["formats"] = []vars{{"format": "BUTTONS", "text": "Hello,\n{!$Constants.Aks}"}}
	wrong := b.create("ada", "Topics", "STATIC_QUESTION", design).Get("errors").List()[0]
	require.Equal(t, "input.design.formats.0.text", wrong.Get("field").String())
	require.Equal(t, "Line 2, column 3: There is no field $Constants.Aks. Did you mean $Constants.Ask?", wrong.Get("message").String())
}

func TestComponentsAreListedByName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"Zebra", "Écran", "apple pie"} {
		require.Empty(t, code(b.create("ada", name, "STATIC_QUESTION", question())))
	}
	names := func(filter vars, first int) (names []string, after string) {
		p := b.As("amy").Do(`query($f: ComponentFilter, $n: Int) { components(filterBy: $f, first: $n) { nodes { name design { formats { __typename } } } pageInfo { endCursor } } }`, vars{"f": filter, "n": first}).Get("components")
		for _, n := range p.Get("nodes").List() {
			names = append(names, n.Get("name").String())
		}
		return names, p.Get("pageInfo", "endCursor").String()
	}
	all, _ := names(nil, 10)
	require.Equal(t, []string{"apple pie", "Écran", "Zebra"}, all)
	_, after := names(nil, 1)
	rest := b.As("amy").Do(`query($a: String) { components(after: $a) { nodes { name } } }`, vars{"a": after}).Get("components", "nodes")
	require.Equal(t, `[{"name":"Écran"},{"name":"Zebra"}]`, rest.String())
	for search, want := range map[string][]string{"ecr": {"Écran"}, "pie": {"apple pie"}, "ebra": nil} {
		found, _ := names(vars{"search": search}, 10)
		require.Equal(t, want, found, search)
	}
	none, _ := names(vars{"kind": "ENHANCED_LINK"}, 10)
	require.Empty(t, none)
}
