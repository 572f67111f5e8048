package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// written is what govulncheck writes of two flaws, of which one is called.
const written = `{"config": {"protocol_version": "v1.0.0"}}
{"osv": {"id": "GO-1", "summary": "reads too far"}}
{"osv": {"id": "GO-2", "summary": "never ends"}}
{"osv": {"id": "GO-3", "summary": "of another version"}}
{"finding": {"osv": "GO-1", "fixed_version": "v1.2.4", "trace": [{"module": "m.test/a", "version": "v1.2.3"}]}}
{"finding": {"osv": "GO-1", "fixed_version": "v1.2.4", "trace": [{"module": "m.test/a", "version": "v1.2.3", "package": "m.test/a", "function": "Read"}, {"module": "parley", "package": "parley/cmd/parley", "function": "main"}]}}
{"finding": {"osv": "GO-2", "trace": [{"module": "m.test/b", "version": "v0.1.0", "package": "m.test/b"}]}}`

func TestWhatIsCalledFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		accepted, fails, says string
	}{
		"a flaw that is called":       {"", "GO-1 in m.test/a v1.2.3: reads too far; m.test/a.Read is called. Take v1.2.4", "not called: GO-2"},
		"one that is accepted":        {"GO-1 only at start", "", "accepted: GO-1"},
		"one accepted and not called": {"GO-1 only at start\nGO-2 never", "GO-2 is accepted and not called", ""},
		"one accepted and not there":  {"# why\n\nGO-1 only at start\nGO-9 never", "GO-9 is accepted and not called", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := readFlaws(strings.NewReader(written))
			require.NoError(t, err)
			accepted, err := readAccepted(c.accepted)
			require.NoError(t, err)
			var said strings.Builder
			err = judge(&said, found, accepted)
			if c.fails == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.fails)
			}
			require.Contains(t, said.String(), c.says)
		})
	}
	_, err := readAccepted("GO-1")
	require.ErrorContains(t, err, "no reason")
	_, err = readFlaws(strings.NewReader("flaws: none"))
	require.Error(t, err)
}

// A database that does not answer is no finding, and no pass.
func TestADatabaseThatDoesNotAnswerIsToldApart(t *testing.T) {
	t.Parallel()
	answers := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	require.NoError(t, reach(t.Context(), answers(http.StatusOK)))
	require.Error(t, reach(t.Context(), answers(http.StatusForbidden)))
	require.Error(t, reach(t.Context(), "http://127.0.0.1:1"))
	require.NoError(t, reach(t.Context(), "file:///nowhere"), "the scan says so and fails")
}
