package trial_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/internal/desk/formula"
	"parley/internal/desk/formula/trial"
	"parley/internal/ground/decimal"
)

// page is what organisations read about formulas.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "formulas.md"))
	require.NoError(t, err)
	return string(text)
}

func value(s string) *string { return &s }

// sample is the trial of the page's examples.
func sample(source string) trial.Trial {
	return trial.Trial{
		Source: source,
		Now:    time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC),
		Rates:  map[string]decimal.Decimal{"EUR": decimal.New(92, 2)},
		Fields: []trial.Field{
			{Name: "Amount", Type: formula.Currency, Value: value("100.50")},
			{Name: "Discount", Type: formula.Percent, Value: value("0.15")},
			{Name: "Quantity", Type: formula.Number},
			{Name: "Name", Type: formula.Text, Value: value("Maya")},
			{Name: "Status", Type: formula.Picklist, Value: value("Open")},
			{Name: "Colours", Type: formula.MultiPicklist, Value: value("red;green")},
			{Name: "Due", Type: formula.Date, Value: value("2026-12-24")},
			{Name: "Opened", Type: formula.DateTime, Value: value("2026-11-25T06:00:00Z")},
			{Name: "Place", Type: formula.Geolocation, Value: value("52.52,13.405")},
			{Name: "Nickname", Type: formula.Text},
		},
	}
}

// row is a function's row: its name, what it results in, an example and the example's result.
var row = regexp.MustCompile("(?m)^\\| `([A-Z]+)[^`]*` \\| .* \\| `(.*)` \\| (?:`(.*)`)? ?\\|$")

func TestEveryFunctionHasAnExampleThatHolds(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for _, match := range row.FindAllStringSubmatch(page(t), -1) {
		name, example, want := match[1], match[2], match[3]
		require.Contains(t, strings.ToUpper(example), name, "the example of %s uses it", name)
		shown[name] = true
		result, err := sample(example).Run()
		if assert.NoError(t, err, "%s", example) {
			assert.Equal(t, want, trial.Write(result.Value), "%s", example)
		}
	}
	for _, name := range formula.Functions() {
		assert.True(t, shown[name], "docs/formulas.md has no example of %s", name)
	}
	assert.Len(t, shown, len(formula.Functions()), "the page shows a function that does not exist")
}

// The lines that the page pipes into the command get the answers that it shows.
func TestLinesOnThePageAreAnsweredAsShown(t *testing.T) {
	t.Parallel()
	blocks := regexp.MustCompile("(?s)<<'END'\n(.*?)\nEND\n```\n\n```json\n(.*?)\n```").FindStringSubmatch(page(t))
	require.Len(t, blocks, 3)
	lines, answers := strings.Split(blocks[1], "\n"), strings.Split(blocks[2], "\n")
	require.Len(t, answers, len(lines))
	for i, line := range lines {
		require.True(t, json.Valid([]byte(line)), line)
		assert.Equal(t, answers[i]+"\n", string(trial.Answer([]byte(line), time.Now())), line)
	}
}
