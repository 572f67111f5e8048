package selection_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"parley/app"
	"parley/graph"
	"parley/internal/admin/seed"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/content"
	answers "parley/internal/edge/answer"
	"parley/internal/edge/selection"
	"parley/internal/ground/viewer"
)

// world is an organisation with conversations, and both ways to ask for them.
type world struct {
	*parleytest.Parley
	tables             selection.Tables
	schema             *selection.Schema
	compiled, executor *executor.Executor

	ids, cursors, names []string
}

func newWorld(t testing.TB, options ...func(*app.Config)) *world {
	w := &world{Parley: parleytest.New(t, options...)}
	require.NoError(t, seed.Fill(context.Background(), w.Directory, w.Store, seed.Options{Conversations: 40, Messages: 300, Seed: 7}))
	w.Say("+12025550151", parleytest.Sales, "quote \" slash \\ tab \t line \n bell \a €😀")
	w.Say("+12025550151", parleytest.Sales, strings.Repeat("я", content.MostListed+1))
	w.Post(w.Inbound(channel.Inbound{
		EventID: "m", ProviderID: "m", From: "+12025550152", To: parleytest.Sales, Text: "two files",
		Media: []channel.Media{{URL: "https://media.test/1", ContentType: "image/png"}, {URL: "https://media.test/2", ContentType: "text/plain"}},
	}))
	config := graph.Config{Resolvers: &w.Schema}
	plain := graph.NewExecutableSchema(config)
	w.tables = graph.SelectionTables(config)
	w.schema = selection.New(plain, w.tables, w.recordRights, w.Directory.Now)
	w.compiled, w.executor = newExecutor(w.schema), newExecutor(plain)
	w.collect()
	return w
}

// recordRights are a viewer's, as the server has them.
func (w *world) recordRights(v *viewer.Viewer) any { return w.Directory.RecordRights(v) }

func newExecutor(schema graphql.ExecutableSchema) *executor.Executor {
	e := executor.New(schema)
	e.SetErrorPresenter(answers.Present)
	e.SetQueryCache(lru.New[*ast.QueryDocument](1000))
	return e
}

// collect notes ids, cursors and names that are there, for arguments.
func (w *world) collect() {
	a := w.ask(w.T, w.executor, "ada", `{ agents { id } channels { id } conversations(view: {kind: ALL}, first: 20) { edges { cursor node {
		id messagingUser { id } record { id externalId objectType } messages(first: 2) { edges { cursor node { id } } } } } } }`, nil)
	require.Empty(w.T, a.errors)
	var tree any
	require.NoError(w.T, json.Unmarshal([]byte(a.data), &tree))
	w.gather("", tree)
	w.ids = append(w.ids, "cnv_0000000000000", "nonsense", "")
	w.cursors = append(w.cursors, "nonsense", "")
	w.names = append(w.names, "Contact", "Nope", "")
}

func (w *world) gather(key string, tree any) {
	switch v := tree.(type) {
	case map[string]any:
		for k, v := range v {
			w.gather(k, v)
		}
	case []any:
		for _, v := range v {
			w.gather(key, v)
		}
	case string:
		into := map[string]*[]string{"id": &w.ids, "cursor": &w.cursors, "externalId": &w.names, "objectType": &w.names}[key]
		*into = append(*into, v)
		slices.Sort(*into)
		*into = slices.Compact(*into)
	}
}

// answer is what came of a document. Errors are sorted: fields of one level are
// resolved at once.
type answer struct {
	data     string
	errors   []string
	compiles bool
}

// As over HTTP, the next answer may be made where this one was.
func (w *world) ask(t testing.TB, e *executor.Executor, agent, document string, variables map[string]any) answer {
	v, err := w.Directory.Viewer(agent)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(graphql.StartOperationTrace(viewer.NewContext(context.Background(), v)), 20*time.Second)
	defer cancel()
	ctx, release := selection.Hold(ctx)
	defer release()
	op, errs := e.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: asSent(t, variables)})
	require.Empty(t, errs, document)
	responses, ctx := e.DispatchOperation(ctx, op)
	response := responses(ctx)
	require.NotNil(t, response, document)
	if parts := selection.Parts(ctx); parts != nil {
		response.Data = slices.Concat(parts...)
	}
	a := answer{data: string(response.Data), compiles: w.schema.Compiles(op)}
	for _, err := range response.Errors {
		text, err := json.Marshal(err)
		require.NoError(t, err)
		a.errors = append(a.errors, string(text))
	}
	slices.Sort(a.errors)
	require.Nil(t, responses(ctx), "one answer to a query")
	return a
}

// asSent gives variables the types they have when they come over the wire.
func asSent(t testing.TB, variables map[string]any) (out map[string]any) {
	text, err := json.Marshal(variables)
	require.NoError(t, err)
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&out))
	return out
}
