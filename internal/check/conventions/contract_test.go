package conventions

import (
	"fmt"
	goast "go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestTheSchemaTells holds the descriptions to what a caller must know: who may,
// how much, what follows, and how it ends.
func TestTheSchemaTells(t *testing.T) {
	t.Parallel()
	require.Empty(t, untold(writtenSchema(t)))
}

// untold lists what the descriptions of a schema leave out.
func untold(schema *ast.Schema) []string {
	c := &contract{schema: schema}
	for _, field := range schema.Mutation.Fields {
		c.mutation(field)
	}
	for _, field := range schema.Subscription.Fields {
		c.must("Subscription."+field.Name, "how it ends (Ends with …)", ends.MatchString(field.Description))
	}
	for _, definition := range schema.Types {
		if !definition.BuiltIn {
			c.definition(definition)
		}
	}
	return c.problems
}

var (
	needs      = regexp.MustCompile(`\b(?:[Nn]eeds|and|,) ([A-Z][A-Z_]{3,})\b`)
	whoever    = regexp.MustCompile(`[Ww]hoever (may see|sees)\b`)
	bounds     = regexp.MustCompile(`\b\d[\d,]*\b`)
	emits      = regexp.MustCompile(`Emits\s+([A-Z_]+)`)
	noEvent    = regexp.MustCompile(`no event follows`)
	ends       = regexp.MustCompile(`Ends with [A-Z_]+`)
	pageSizes  = regexp.MustCompile(`1 to 100, default 20`)
	storedName = regexp.MustCompile(`\b(MessagingAgent|AgentInitiatedOutbound|EndMessagingSession|AssignConversation|ViewTeamInbox|ManageRecords|ViewAllData|ConfigureMessaging)\b`)
)

type contract struct {
	schema   *ast.Schema
	problems []string
}

func (c *contract) must(path, tell string, told bool) {
	if !told {
		c.problems = append(c.problems, path+" does not tell "+tell)
	}
}

// mutation wants a permission of the schema or that whoever sees it may, a
// number, and an event of the schema or that none follows.
func (c *contract) mutation(field *ast.FieldDefinition) {
	path, text := "Mutation."+field.Name, field.Description
	permitted := needs.FindAllStringSubmatch(text, -1)
	for _, found := range permitted {
		c.value(path, "Permission", found[1])
	}
	c.must(path, "who may (Needs PERMISSION, or Whoever may see …)", permitted != nil || whoever.MatchString(text))
	c.must(path, "its bounds", bounds.MatchString(text))
	emitted := emits.FindAllStringSubmatch(text, -1)
	for _, found := range emitted {
		c.value(path, "ChangeCause", found[1])
	}
	c.must(path, "which event follows (Emits CAUSE, or no event follows)", emitted != nil || noEvent.MatchString(text))
}

func (c *contract) value(path, enum, value string) {
	if c.schema.Types[enum].EnumValues.ForName(value) == nil {
		c.problems = append(c.problems, fmt.Sprintf("%s names %s, which is no %s", path, value, enum))
	}
}

// definition wants sizes of what pages, lengths of texts and lists that are put
// in, and deprecations in due form.
func (c *contract) definition(definition *ast.Definition) {
	for _, value := range definition.EnumValues {
		c.element(definition.Name+"."+value.Name, value.Description, value.Directives)
	}
	c.element(definition.Name, definition.Description, definition.Directives)
	for _, field := range definition.Fields {
		path := definition.Name + "." + field.Name
		c.element(path, field.Description, field.Directives)
		if definition.Kind == ast.InputObject && strings.HasSuffix(definition.Name, "Input") {
			long := field.Type.Elem != nil || field.Type.NamedType == "String"
			c.must(path, "its bounds", !long || bounds.MatchString(field.Description))
		}
		for _, argument := range field.Arguments {
			at := path + "(" + argument.Name + ")"
			c.element(at, argument.Description, argument.Directives)
			if argument.Name == "first" || argument.Name == "last" {
				c.must(at, "its default and maximum (1 to 100, default 20)", pageSizes.MatchString(argument.Description))
			}
		}
	}
}

// element wants permissions by the names that Permission has, and deprecations
// in due form.
func (c *contract) element(path, text string, directives ast.DirectiveList) {
	if name := storedName.FindString(text); name != "" {
		c.problems = append(c.problems, path+" calls a permission "+name+", and not as Permission does")
	}
	if directives.ForName("deprecated") != nil {
		if _, err := LastDay(reason(directives)); err != nil {
			c.problems = append(c.problems, path+": "+err.Error())
		}
	}
}

// TestPermissionsHaveOneName holds messages and guides to the names of the
// Permission enum.
func TestPermissionsHaveOneName(t *testing.T) {
	t.Parallel()
	root := rootOf(t)
	quoted := regexp.MustCompile(`"[^"\n]*` + storedName.String() + `[^"\n]*"`)
	handWritten(t, func(path string, _ *goast.File) {
		if !strings.HasSuffix(path, "_test.go") && filepath.Dir(path) != filepath.Join("internal", "ground", "viewer") {
			text, err := os.ReadFile(filepath.Join(root, path))
			require.NoError(t, err)
			assert.Empty(t, quoted.FindAllString(string(text), -1), path)
		}
	})
	guides, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, guides)
	for _, path := range guides {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Empty(t, storedName.FindAllString(string(text), -1), path)
	}
}

// sample is a schema that tells everything.
const sample = `
enum Permission { ASSIGN_CONVERSATION }
enum ChangeCause { CONVERSATION_ASSIGNED OLD @deprecated(reason: "Use CONVERSATION_ASSIGNED. Since 2026-11-23, removed after 2027-05-23.") }
input GiveInput { "1 to 64 characters." key: String! "1 to 100 conversations." ids: [ID!]! to: ID }
type Query { list("Page size: 1 to 100, default 20." first: Int): Int }
type Mutation { "Gives up to 100. Needs ASSIGN_CONVERSATION. Emits CONVERSATION_ASSIGNED." give(input: GiveInput!): Int
  "Tells for 6 s. Whoever may see it may. Nothing is stored and no event follows." tell: Int }
type Subscription { "All. Ends with RESYNC_REQUIRED." all: Int }`

func TestUntold(t *testing.T) {
	t.Parallel()
	require.Empty(t, untold(schemaOf(t, sample)))
	for _, c := range []struct{ told, instead, want string }{
		{" Needs ASSIGN_CONVERSATION.", "", "Mutation.give does not tell who may"},
		{"Needs ASSIGN_CONVERSATION", "Needs ASSIGN_ALL", "Mutation.give names ASSIGN_ALL, which is no Permission"},
		{"Needs ASSIGN_CONVERSATION", "Needs AssignConversation", "calls a permission AssignConversation"},
		{" Whoever may see it may.", "", "Mutation.tell does not tell who may"},
		{"up to 100", "some", "Mutation.give does not tell its bounds"},
		{" Emits CONVERSATION_ASSIGNED.", "", "Mutation.give does not tell which event"},
		{"Emits CONVERSATION_ASSIGNED", "Emits GIVEN", "Mutation.give names GIVEN, which is no ChangeCause"},
		{" and no event follows", "", "Mutation.tell does not tell which event"},
		{" Ends with RESYNC_REQUIRED.", "", "Subscription.all does not tell how it ends"},
		{", default 20", "", "Query.list(first) does not tell its default"},
		{"1 to 64 characters", "A text", "GiveInput.key does not tell its bounds"},
		{"1 to 100 conversations", "Some", "GiveInput.ids does not tell its bounds"},
		{"2027-05-23", "2026-12-01", "ChangeCause.OLD: "},
		{"Since 2026-11-23, r", "R", "ChangeCause.OLD: "},
	} {
		sdl := strings.Replace(sample, c.told, c.instead, 1)
		require.NotEqual(t, sample, sdl, c.told)
		found := strings.Join(untold(schemaOf(t, sdl)), "\n")
		require.Contains(t, found, c.want, c.told)
	}
}
