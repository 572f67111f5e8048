package trial_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/internal/desk/formula/trial"
)

func answer(line string) string {
	return strings.TrimSuffix(string(trial.Answer([]byte(line), time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))), "\n")
}

// testdata/formulas.txt has formulas as organisations write them: a line of JSON, and
// below it the answer.
func TestFormulasOfOrganisations(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "formulas.txt"))
	require.NoError(t, err)
	pairs := strings.Split(strings.TrimSpace(string(text)), "\n\n")
	require.Greater(t, len(pairs), 40)
	for _, pair := range pairs {
		line, want, ok := strings.Cut(pair, "\n")
		require.True(t, ok, pair)
		assert.Equal(t, want, answer(line), line)
	}
}

func TestEveryTypeIsReadAndWritten(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		`{"type":"text","value":"é\u0000"}`:                                     `{"type":"text","value":"é\u0000"}`,
		`{"type":"text","value":null}`:                                          `{"type":"text","value":""}`,
		`{"type":"number","value":1.50}`:                                        `{"type":"number","value":"1.50"}`,
		`{"type":"number","value":0.1000000000000000055511151231257827}`:        `{"type":"number","value":"0.100000000000000006"}`,
		`{"type":"number","value":12345678901234567890123}`:                     `{"type":"number","value":"12345678901234567890123"}`,
		`{"type":"number","value":1.5e3}`:                                       `{"type":"number","value":"1500"}`,
		`{"type":"number","value":"-0"}`:                                        `{"type":"number","value":"0"}`,
		`{"type":"currency","value":"12.00"}`:                                   `{"type":"currency","value":"12.00"}`,
		`{"type":"PERCENT","value":"0.5"}`:                                      `{"type":"percent","value":"0.5"}`,
		`{"type":"number"}`:                                                     `{"type":"blank","value":null}`,
		`{"type":"boolean","value":true}`:                                       `{"type":"boolean","value":true}`,
		`{"type":"boolean","value":null}`:                                       `{"type":"boolean","value":false}`,
		`{"type":"date","value":"2024-02-29"}`:                                  `{"type":"date","value":"2024-02-29"}`,
		`{"type":"datetime","value":"2024-02-29T23:30:00.25-02:00"}`:            `{"type":"datetime","value":"2024-03-01T01:30:00.25Z"}`,
		`{"type":"time","value":"17:30"}`:                                       `{"type":"time","value":"17:30:00"}`,
		`{"type":"picklist","value":"Open"}`:                                    `{"type":"picklist","value":"Open"}`,
		`{"type":"multipicklist","value":["a","b"]}`:                            `{"type":"multipicklist","value":["a","b"]}`,
		`{"type":"multipicklist","value":[]}`:                                   `{"type":"multipicklist","value":[]}`,
		`{"type":"geolocation","value":{"latitude":52.50,"longitude":"-13.4"}}`: `{"type":"geolocation","value":{"latitude":"52.50","longitude":"-13.4"}}`,
		`{"type":"id","value":"500A0000001sXyZ"}`:                               `{"type":"id","value":"500A0000001sXyZ"}`,
		`{"type":"blank","value":null}`:                                         `{"type":"blank","value":null}`,
	} {
		assert.Equal(t, want, answer(`{"expression":"x","fields":{"X":`+given+`}}`), given)
	}
}

func TestBadLinesSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		``:                                    "not a JSON object",
		`[]`:                                  "not a JSON object",
		`{"expression":"1"} {}`:               "something follows",
		`{"expresion":"1"}`:                   "expresion",
		`{}`:                                  "either expression or template",
		`{"expression":"1","template":"1"}`:   "either expression or template",
		`{"expression":"1","blanks":"maybe"}`: "blanks",
		`{"expression":"1","now":"soon"}`:     "now is a datetime",
		`{"expression":"1","zone":"Mars"}`:    "There is no zone",
		`{"expression":"1","zone":"Local"}`:   "There is no zone",
		`{"expression":"1","rates":{"EUR":"much"}}`:                                                   "rate of",
		`{"expression":"1","fields":{"a":{"type":"colour"}}}`:                                         "no type",
		`{"expression":"1","fields":{"a":{"type":"number","value":"1,5"}}}`:                           "not a number: write it as 12.50",
		`{"expression":"1","fields":{"a":{"type":"number","value":1e99}}}`:                            "38 digits",
		`{"expression":"1","fields":{"a":{"type":"number","value":1e999999999999}}}`:                  "not a number",
		`{"expression":"1","fields":{"a":{"type":"date","value":"2023-02-29"}}}`:                      "not a date",
		`{"expression":"1","fields":{"a":{"type":"text","value":["a"]}}}`:                             "not a text",
		`{"expression":"1","fields":{"a":{"type":"geolocation","value":"here"}}}`:                     "not a geolocation",
		`{"expression":"1","fields":{"a":{"type":"text"},"A":{"type":"text"}}}`:                       "there twice",
		`{"expression":"1","fields":{"":{"type":"text"}}}`:                                            "no name",
		`{"expression":"1","fields":{"a":{"type":"list","value":"x"}}}`:                               "not an array",
		`{"expression":"1","fields":{"a":{"type":"record","value":["x"]}}}`:                           "not an object",
		`{"expression":"1","fields":{"l":{"type":"list","value":[{"type":"text"},{"type":"date"}]}}}`: "in one item",
	} {
		got := answer(line)
		assert.Contains(t, got, `{"error":{"code":"BAD_INPUT"`, line)
		assert.Contains(t, got, want, line)
		assert.NotContains(t, got, "\n", line)
	}
}

// Whatever a line holds, the answer is one line.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"expression":"1 + n","fields":{"n":{"type":"number","value":1.5}}}`,
		`{"template":"{!$ListTemplates.l}","fields":{"$ListTemplates.l":{"type":"list","template":"{!$ListItem.Value.a}","value":[{"type":"record","value":{"a":{"type":"text","value":"x"}}}]}}}`,
		`{"expression":"ADDMONTHS(d, 1e9)","fields":{"d":{"type":"date","value":"9999-12-31"}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		got := trial.Answer(line, time.Unix(0, 0))
		require.Equal(t, len(got)-1, strings.IndexByte(string(got), '\n'))
	})
}
