package objecttype_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/object"
)

const mappings = ` relatedConversationMappings { label path { direction objectType field } } `

// up and down are steps of a path.
func up(objectType, field string) vars {
	return vars{"direction": "UP", "objectType": objectType, "field": field}
}

func down(objectType, field string) vars {
	return vars{"direction": "DOWN", "objectType": objectType, "field": field}
}

// relate changes the mappings of contacts, and returns the payload.
func relate(p *parleytest.Parley, of ...vars) parleytest.Tree {
	p.T.Helper()
	of = append([]vars{}, of...)
	return p.As("ada").Do(`mutation($i: UpdateObjectTypeInput!) { updateObjectType(input: $i) { objectType {`+mappings+`} errors { code field message } } }`,
		vars{"i": vars{"id": p.Directory.ObjectType("Contact").ID, "relatedConversationMappings": of}}).Get("updateObjectType")
}

func TestMappingsAreCheckedWhenSaved(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	colleagues := vars{"label": "Colleagues", "path": []vars{up("contact", "accountid"), down("Contact", "AccountId")}}
	got := relate(p, colleagues, vars{"label": "Cases", "path": []vars{down("Case", "ContactId")}})
	require.Empty(t, got.Get("errors").List(), got.String())
	require.Equal(t, []object.Mapping{
		{Label: "Colleagues", Path: []object.Step{{Direction: object.Up, Object: "Contact", Field: "AccountId"}, {Direction: object.Down, Object: "Contact", Field: "AccountId"}}},
		{Label: "Cases", Path: []object.Step{{Direction: object.Down, Object: "Case", Field: "ContactId"}}},
	}, p.Directory.ObjectType("Contact").Related, "spelt as they are defined")
	six := []vars{up("Account", "ParentId"), up("Account", "ParentId"), up("Account", "ParentId"), up("Account", "ParentId"), up("Account", "ParentId"), up("Account", "ParentId")}
	one := []vars{down("Case", "ContactId")}
	for _, c := range []struct {
		field string
		of    []vars
	}{
		{"path", []vars{{"label": "None", "path": []vars{}}}},
		{"path", []vars{{"label": "Far", "path": six}}},
		{"label", []vars{{"label": " ", "path": one}}},
		{"label", []vars{{"label": strings.Repeat("x", 201), "path": one}}},
		{"path.0.objectType", []vars{{"label": "Missing", "path": []vars{down("Visit__c", "Contact__c")}}}},
		{"path.0.objectType", []vars{{"label": "Elsewhere", "path": []vars{up("Case", "ContactId")}}}},
		{"path.0.field", []vars{{"label": "Missing", "path": []vars{down("Case", "Contact__c")}}}},
		{"path.0.field", []vars{{"label": "No reference", "path": []vars{up("Contact", "Email")}}}},
		{"path.0.field", []vars{{"label": "Elsewhere", "path": []vars{down("Contact", "AccountId")}}}},
		{"path.1.objectType", []vars{{"label": "Away", "path": []vars{up("Contact", "AccountId"), up("Contact", "AccountId")}}}},
		{"path.1.field", []vars{{"label": "Away", "path": []vars{up("Contact", "AccountId"), down("Case", "ContactId")}}}},
	} {
		require.Equal(t, "BAD_INPUT input.relatedConversationMappings.0."+c.field, wrong(relate(p, c.of...)))
	}
	require.Equal(t, "BAD_INPUT input.relatedConversationMappings.1.label",
		wrong(relate(p, vars{"label": "Cases", "path": one}, vars{"label": "CASES", "path": []vars{up("Contact", "ReportsToId")}})))
	require.Equal(t, "BAD_INPUT input.relatedConversationMappings.1.path",
		wrong(relate(p, vars{"label": "Cases", "path": one}, vars{"label": "Again", "path": one})))
	require.Equal(t, "BAD_INPUT input.relatedConversationMappings", wrong(relate(p, make21(one)...)))
	require.Len(t, p.Directory.ObjectType("Contact").Related, 2, "what is refused changes nothing")
	require.Equal(t, "FORBIDDEN", p.As("amy").Do(update, vars{"i": vars{"id": p.Directory.ObjectType("Contact").ID, "relatedConversationMappings": []vars{}}}).Get("updateObjectType", "errors", 0, "code").String())
	require.Empty(t, relate(p).Get("objectType", "relatedConversationMappings").List())
}

func make21(path []vars) (many []vars) {
	for i := range 21 {
		many = append(many, vars{"label": strings.Repeat("x", i+1), "path": path})
	}
	return many
}

func wrong(payload parleytest.Tree) string {
	return payload.Get("errors", 0, "code").String() + " " + payload.Get("errors", 0, "field").String()
}

// A mapping is there for whoever may read every object type and field on its path.
func TestMappingsAreSeenByWhoeverMayReadTheirPath(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	relate(p, vars{"label": "Cases", "path": []vars{down("Case", "ContactId")}}, vars{"label": "Chiefs", "path": []vars{up("Contact", "ReportsToId")}})
	labels := func() (out []string) {
		for _, m := range p.As("amy").Do(`{ objectType(name: "Contact") {`+mappings+`} }`, nil).Get("objectType", "relatedConversationMappings").List() {
			out = append(out, m.Get("label").String())
		}
		return out
	}
	give(p, "amy", "Contacts-without-chiefs", object.Right{Object: "Contact", Access: object.Read, Fields: []object.FieldRight{{Field: "ReportsToId", Access: object.None}}})
	require.Empty(t, labels())
	give(p, "amy", "Cases", object.Right{Object: "Case", Access: object.Read})
	require.Equal(t, []string{"Cases"}, labels())
}
