package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
)

// TestAnUnknownEnumValueIsRefusedAlike in the document, in a variable and inside of
// one, over each transport.
func TestAnUnknownEnumValueIsRefusedAlike(t *testing.T) {
	t.Parallel()
	const (
		says    = `Value "DARKRED" does not exist in "Colour" enum.`
		meant   = says + ` Did you mean the enum value "DARK_RED"?`
		literal = `{"query":"{ paint(in: DARKRED) }"}`
		plain   = `{"query":"query($c: Colour) { paint(in: $c) }","variables":{"c":"DARKRED"}}`
		inside  = `{"query":"query($p: Paint!) { paint(with: $p) }","variables":{"p":{"colour":"DARKRED"}}}`
	)
	ask := func(b *bench, body string) problem { return b.send(t, "POST", "/graphql", body).body.Errors[0] }
	development := start(t, nil)
	require.Equal(t, meant, ask(development, literal).Message)
	require.Equal(t, "Variable $c: "+meant, ask(development, plain).Message)
	require.Equal(t, "Variable $p.colour: "+meant, ask(development, inside).Message)
	require.Equal(t, "GRAPHQL_VALIDATION_FAILED", ask(development, inside).Extensions.Code)
	c := development.connect(t)
	c.write(`{"type":"subscribe","id":"a","payload":` + plain + `}`)
	require.Equal(t, "Variable $c: "+meant, c.expectError("a").Message)

	production := start(t, func(o *server.Options) { o.Mode = server.Production })
	require.Equal(t, says, ask(production, literal).Message)
	require.Equal(t, "Variable $c: "+says, ask(production, plain).Message)

	far := ask(development, `{"query":"query($c: Colour) { paint(in: $c) }","variables":{"c":"blue"}}`)
	require.Equal(t, `Variable $c: Value "blue" does not exist in "Colour" enum.`, far.Message)
}
