package journey_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/edge/server"
)

// In production nobody learns the schema from the server: not by introspection
// over any transport, not from the words of an error, not from a playground.
func TestProductionTellsNothingOfTheSchema(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t, func(c *app.Config) { c.Mode = server.Production }).Run()
	amy := p.As("amy")
	require.Equal(t, "amy", amy.Do(`{ __typename viewer { __typename agent { username } } }`, nil).Get("viewer", "agent", "username").String())

	for _, typo := range []string{
		`{ vewer { agent { name } } }`,
		`{ conversations(vew: {kind: MY_INBOX}) { nodes { id } } }`,
		`{ conversations(view: {kin: MY_INBOX}) { nodes { id } } }`,
		`{ conversations(view: {kind: MY_INBOXX}) { nodes { id } } }`,
		`query ($view: ConversationViewInputt!) { conversations(view: $view) { nodes { id } } }`,
		`{ node(id: "x") { ... on Conversatio { id } } }`,
		`{ viewer @skp(if: true) { agent { name } } }`,
		`mutation { sendMessage(input: {conversationIdd: "x"}) { message { id } } }`,
		`subscription { conversationsChangd { kind } }`,
	} {
		answer := amy.Raw(typo, nil)
		require.NotEmpty(t, answer.Errors, typo)
		for _, e := range answer.Errors {
			require.Equal(t, "GRAPHQL_VALIDATION_FAILED", e.Extensions.Code, typo)
			require.NotContains(t, e.Message, "Did you mean", typo)
		}
	}

	const introspection = `{ __schema { types { name } } }`
	require.Equal(t, []string{"FORBIDDEN"}, amy.Raw(introspection, nil).Codes())
	require.Equal(t, []string{"FORBIDDEN"}, amy.Raw(`{ ...F } fragment F on Query { t: __type(name: "Agent") { name } }`, nil).Codes())
	socket := amy.Dial()
	defer socket.Close()
	socket.Start("a", introspection, nil)
	frame, err := socket.Read(10 * time.Second)
	require.NoError(t, err)
	require.Contains(t, string(frame.Payload), "FORBIDDEN")
	require.Contains(t, stream(t, p, introspection), "FORBIDDEN")

	for _, path := range []string{"/", "/playground", "/sessions", "/graphiql"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+path, nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusNotFound, response.StatusCode, path)
	}
}

// stream asks for one operation as an event stream and returns all of it.
func stream(t *testing.T, p *parleytest.Parley, document string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL()+"/graphql", strings.NewReader(`{"query":"`+document+`"}`))
	require.NoError(t, err)
	token, err := p.Tokens.Mint("amy", time.Minute)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}
