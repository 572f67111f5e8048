package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/persisted"
	"parley/internal/edge/server"
)

// TestASubscriptionHasOneRootField over each transport, and for documents by name.
func TestASubscriptionHasOneRootField(t *testing.T) {
	t.Parallel()
	documents := persisted.Documents{}
	many := map[string]string{
		"two fields":              `subscription { never lost }`,
		"two aliases":             `subscription { a: never b: never }`,
		"a field and its alias":   `subscription { never b: never }`,
		"through a fragment":      `subscription { a: never ...F } fragment F on Subscription { b: never }`,
		"inside one fragment":     `subscription { ...F } fragment F on Subscription { a: never b: never }`,
		"through a chain":         `subscription { a: never ...F } fragment F on Subscription { ...G } fragment G on Subscription { b: never }`,
		"through inline ones":     `subscription { ... { a: never } ... on Subscription { b: never } }`,
		"one left out":            `subscription { a: never b: never @skip(if: true) }`,
		"skipped":                 `subscription { never @skip(if: true) }`,
		"included":                `subscription { never @include(if: true) }`,
		"by a variable":           `subscription($v: Boolean! = true) { never @include(if: $v) }`,
		"a conditional fragment":  `subscription { ...F @include(if: true) } fragment F on Subscription { never }`,
		"a conditional inline":    `subscription { ... @include(if: false) { never } }`,
		"conditional in a spread": `subscription { ...F } fragment F on Subscription { never @skip(if: false) }`,
		"__typename":              `subscription { __typename }`,
		"__typename, aliased":     `subscription { a: __typename }`,
		"__typename beside one":   `subscription { never __typename }`,
		"__schema":                `subscription { __schema { description } }`,
		"__type":                  `subscription { ...F } fragment F on Subscription { __type(name: "Item") { name } }`,
	}
	for name, document := range many {
		documents[name] = document
	}
	one := map[string]string{
		"one":            `subscription { count(to: 1) }`,
		"one twice":      `subscription { count(to: 1) count(to: 1) }`,
		"one in two":     `subscription { ...F ... { count(to: 1) } } fragment F on Subscription { count(to: 1) }`,
		"a spread twice": `subscription { ...F ...F } fragment F on Subscription { count(to: 1) }`,
	}
	open := start(t, nil)
	listed := start(t, func(o *server.Options) { o.Documents = documents })
	const events = "text/event-stream"
	for name, document := range many {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, "GRAPHQL_VALIDATION_FAILED", open.query(t, document).code())
			require.Contains(t, open.query(t, document, "Accept", events).text, "GRAPHQL_VALIDATION_FAILED")
			c := open.connect(t)
			c.write(subscribe("a", document))
			require.Equal(t, "GRAPHQL_VALIDATION_FAILED", c.expectError("a").Extensions.Code)
			a := listed.send(t, "POST", "/graphql", `{"documentId":"`+name+`"}`, "Accept", events)
			require.Contains(t, a.text, "GRAPHQL_VALIDATION_FAILED")
		})
	}
	for name, document := range one {
		require.Contains(t, open.query(t, document).text, "Subscriptions need a stream", name)
	}
	require.Len(t, listed.logged(t, "a listed document does not run"), len(many), "an operator hears of each")
}
