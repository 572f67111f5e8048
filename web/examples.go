package web

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed examples/*.graphql examples/*.json
var exampleFiles embed.FS

//go:embed page/placeholders.graphql
var placeholders string

// Placeholders returns the document by which the page finds the ids for the
// examples' variables. It holds against the schema as the examples do.
func Placeholders() string { return placeholders }

// Example is a document that the playground opens as a tab.
type Example struct {
	// Name is what the example shows, such as "My inbox".
	Name string `json:"name"`
	// Query is the document. It has one operation, whose name is the tab's title.
	Query string `json:"query"`
	// Variables is a JSON object, empty when the document needs none. The page
	// puts a random key for NEW_KEY, a conversation of the agent for
	// CONVERSATION_ID, its record for RECORD_ID, an action that can be taken in it for
	// ACTION_ID, a component for COMPONENT_ID and another agent for COLLEAGUE_ID.
	Variables string `json:"variables"`
}

// exampleNames lists the examples in the order of their tabs. The file of each
// is its name in lower case with hyphens.
var exampleNames = []string{
	"My inbox", "Watch my inbox", "Search", "A thread", "Watch a thread", "A record page", "Watch a record page", "Try an action", "Link suggestions", "Reply", "Mark read", "Assign", "New messages live", "Inbox counts", "Who else is here", "Quick texts", "New quick text", "Components",
	"Preview a component", "Prepare a component", "Send a component", "Who may what", "New agent", "Accounts and numbers", "Customers", "Who changed what",
}

// Examples returns the playground's example documents in the order of their
// tabs. A test holds every one against the schema.
func Examples() []Example {
	examples := make([]Example, len(exampleNames))
	for i, name := range exampleNames {
		examples[i] = readExample(name)
	}
	return examples
}

// readExample panics on a missing document: the list above and the embedded
// files belong together, and a test reads them all.
func readExample(name string) Example {
	file := "examples/" + strings.ReplaceAll(strings.ToLower(name), " ", "-")
	query, err := exampleFiles.ReadFile(file + ".graphql")
	if err != nil {
		panic(fmt.Sprintf("web: example %q: %v", name, err))
	}
	variables, _ := exampleFiles.ReadFile(file + ".json") // absent: no variables
	return Example{Name: name, Query: string(query), Variables: string(variables)}
}
