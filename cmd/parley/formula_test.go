package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every line has its answer, in order; one that is bad or too long stops no other.
func TestFormulasAreAnsweredLineByLine(t *testing.T) {
	t.Parallel()
	lines := []string{`{"expression":"1.10 * 2"}`, `nonsense`, strings.Repeat("x", mostLine+10), ``, `{"expression":"1 +"}`, `{"template":"{!TRUE}"}`}
	var out bytes.Buffer
	require.NoError(t, answerFormulas(t.Context(), strings.NewReader(strings.Join(lines, "\n")), &out))
	answers := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	require.Len(t, answers, len(lines))
	require.Equal(t, `{"type":"number","value":"2.20"}`, answers[0])
	require.Contains(t, answers[1], `"BAD_INPUT"`)
	require.Contains(t, answers[2], "longer than 1048576 bytes")
	require.Contains(t, answers[3], `"BAD_INPUT"`)
	require.Contains(t, answers[4], `"SYNTAX"`)
	require.Equal(t, `{"type":"text","value":"true"}`, answers[5])
}
