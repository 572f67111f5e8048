package formula_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"parley/internal/desk/formula"
	"parley/internal/ground/decimal"
)

// schema is what the formulas of these tests may use.
var schema = formula.NewFields(
	formula.Field{Name: "Subject", Type: formula.Text},
	formula.Field{Name: "Amount", Type: formula.Currency},
	formula.Field{Name: "Count", Type: formula.Number},
	formula.Field{Name: "Kept", Type: formula.Number, KeepsBlank: true},
	formula.Field{Name: "Day", Type: formula.Date},
	formula.Field{Name: "At", Type: formula.DateTime},
	formula.Field{Name: "Colours", Type: formula.MultiPicklist},
	formula.Field{Name: "Case", Type: formula.Record},
	formula.Field{Name: "$ListTemplates.Lines", Type: formula.List, Template: "{!$ListItem.Value};", Items: formula.NewFields(formula.Field{Type: formula.Text})},
)

func failure(t *testing.T, err error) *formula.Error {
	t.Helper()
	var failed *formula.Error
	require.ErrorAs(t, err, &failed)
	return failed
}

func evaluate(source string, values map[string]formula.Value) (formula.Value, error) {
	program, err := formula.Expression(source, schema, formula.Options{})
	if err != nil {
		return formula.Value{}, err
	}
	return program.Run(&formula.Environment{
		Now:    time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC),
		Values: program.Arrange(func(path string) formula.Value { return values[path] }),
	})
}

func TestErrorsSayWhatIsWrongAndWhere(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		source       string
		code         formula.Code
		line, column int
		message      string
	}{
		{"", formula.Syntax, 1, 1, "ends where a value is expected"},
		{"1 +", formula.Syntax, 1, 4, "ends where a value is expected"},
		{"1 2", formula.Syntax, 1, 3, "operator is expected before 2"},
		{"(1", formula.Syntax, 1, 3, ") is expected"},
		{"é\n  & (1]", formula.Syntax, 2, 7, ") is expected before ]"},
		{"\"日本\" & #", formula.Syntax, 1, 8, "'#' has no meaning"},
		{"\"a", formula.Syntax, 1, 1, "has no end"},
		{"1 /* a", formula.Syntax, 1, 3, "comment has no end"},
		{`"a\d"`, formula.Syntax, 1, 3, "backslash"},
		{"1.2.3", formula.Syntax, 1, 1, "not a number"},
		{"* 2", formula.Syntax, 1, 1, "expected before *"},
		{"Subject..x", formula.Syntax, 1, 1, "not a path"},
		{strings.Repeat("a.", 10) + "a", formula.Syntax, 1, 1, "not a path"},
		{"Subject & Subjetc", formula.UnknownField, 1, 11, "Did you mean Subject?"},
		{"Whatever", formula.UnknownField, 1, 1, "There is no field Whatever."},
		{"UPPRE(Subject)", formula.UnknownFunction, 1, 1, "Did you mean UPPER?"},
		{"IF(TRUE,\n Subject[1], 2)", formula.Refused, 2, 9, "Dynamic references"},
		{"Image(Subject)", formula.Refused, 1, 1, "IMAGE is not allowed"},
		{"LEFT(Subject)", formula.WrongArguments, 1, 1, "LEFT takes 2 arguments, not 1."},
		{"LPAD(Subject)", formula.WrongArguments, 1, 1, "LPAD takes 2 to 3 arguments, not 1."},
		{"AND()", formula.WrongArguments, 1, 1, "AND takes 1 argument or more, not 0."},
		{"NOW(1)", formula.WrongArguments, 1, 1, "NOW takes no arguments, not 1."},
		{"CASE(1, 2, 3, 4, 5)", formula.WrongArguments, 1, 1, "missing or too many"},
		{"Subject * 2", formula.WrongType, 1, 1, "Write VALUE(…)."},
		{"LEN(Count)", formula.WrongType, 1, 5, "Write TEXT(…)."},
		{"YEAR(At)", formula.WrongType, 1, 6, "Write DATEVALUE(…)."},
		{"HOUR(At)", formula.WrongType, 1, 6, "Write TIMEVALUE(…)."},
		{"Day - At", formula.WrongType, 1, 5, "DATEVALUE"},
		{"Day = At", formula.WrongType, 1, 7, "Write DATEVALUE(…)."},
		{"Day + Day", formula.WrongType, 1, 5, "does not go between"},
		{"Colours = \"red\"", formula.WrongType, 1, 9, "Use INCLUDES."},
		{"TRUE < FALSE", formula.WrongType, 1, 6, "cannot compare"},
		{"IF(Count, 1, 2)", formula.WrongType, 1, 4, "IF wants boolean here, not number."},
		{"IF(TRUE, 1, \"a\")", formula.WrongType, 1, 13, "cannot result in both"},
		{"CASE(Count, 1, \"a\", 2, 3, \"b\")", formula.WrongType, 1, 24, "cannot result in both"},
		{"CASE(Count, \"a\", 1, 2)", formula.WrongType, 1, 13, "CASE wants number here, not text"},
		{"Case & \"\"", formula.WrongType, 1, 1, "a record has none"},
		{"!Count", formula.WrongType, 1, 2, "! wants boolean"},
		{"-Subject", formula.WrongType, 1, 2, "- wants number"},
		{strings.Repeat("(", 65) + "1" + strings.Repeat(")", 65), formula.TooLarge, 1, 65, "nested"},
		{strings.Repeat("-", 65) + "1", formula.TooLarge, 1, 65, "nested"},
		{strings.Repeat(" ", 5001), formula.TooLarge, 1, 1, "5001 characters"},
		{"\xff", formula.Syntax, 1, 1, "UTF-8"},
		{"1 / Count", formula.DivisionByZero, 1, 3, "divides by zero"},
		{"MOD(1, Count)", formula.DivisionByZero, 1, 1, "divides by zero"},
		{"1 + SQRT(-1)", formula.OutOfRange, 1, 5, "SQRT has no result"},
		{"LN(0)", formula.OutOfRange, 1, 1, "LN has no result"},
		{"LOG(-1)", formula.OutOfRange, 1, 1, "LOG has no result"},
		{"EXP(88)", formula.OutOfRange, 1, 1, "38 digits"},
		{"(-8) ^ 0.5", formula.OutOfRange, 1, 6, "^ has no result"},
		{"0 ^ -1", formula.OutOfRange, 1, 3, "^ has no result"},
		{"10 ^ 38", formula.OutOfRange, 1, 4, "38 digits"},
		{"10 ^ 99999999999999999999", formula.OutOfRange, 1, 4, "38 digits"},
		{"DATE(2023, 2, 29)", formula.OutOfRange, 1, 1, "no date"},
		{"DATE(9999, 12, 31) + 1", formula.OutOfRange, 1, 20, "years 1 to 9999"},
		{"DATE(9999, 12, 31) + 10 ^ 30", formula.OutOfRange, 1, 20, "years 1 to 9999"},
		{"ADDMONTHS(DATE(1, 1, 1), -1)", formula.OutOfRange, 1, 1, "years 1 to 9999"},
		{"DISTANCE(GEOLOCATION(0, 181), GEOLOCATION(0, 0), \"km\")", formula.OutOfRange, 1, 1, "-180 to 180"},
		{"DISTANCE(GEOLOCATION(-90.1, 0), GEOLOCATION(0, 0), \"km\")", formula.OutOfRange, 1, 1, "-90 to 90"},
		{"DISTANCE(GEOLOCATION(0, 0), GEOLOCATION(0, 0), \"m\")", formula.BadValue, 1, 1, "\"km\" or \"mi\""},
		{"VALUE(\"1,5\")", formula.BadValue, 1, 1, "VALUE wants a number"},
		{"DATEVALUE(\"5.1.2026\")", formula.BadValue, 1, 1, "DATEVALUE wants"},
		{"DATETIMEVALUE(\"2026-01-05 25:00\")", formula.BadValue, 1, 1, "DATETIMEVALUE wants"},
		{"TIMEVALUE(\"noon\")", formula.BadValue, 1, 1, "TIMEVALUE wants"},
		{"CASESAFEID(\"short\")", formula.BadValue, 1, 1, "15 letters and digits"},
		{"UPPER(\"a\", \"not a locale\")", formula.BadValue, 1, 1, "not a locale"},
		{"CURRENCYRATE(\"EUR\")", formula.UnknownCurrency, 1, 1, "no rate"},
		{"LPAD(\"\", 99999999999999999999)", formula.TooLarge, 1, 1, "65536 bytes"},
		{"SUBSTITUTE(LPAD(\"\", 60000, \"a\"), \"a\", \"bb\")", formula.TooLarge, 1, 1, "65536 bytes"},
	} {
		_, err := evaluate(test.source, nil)
		if !assert.Error(t, err, test.source) {
			continue
		}
		got := failure(t, err)
		assert.Equal(t, test.code, got.Code, test.source)
		assert.Equal(t, [2]int{test.line, test.column}, [2]int{got.Line, got.Column}, test.source)
		assert.Contains(t, got.Message, test.message, test.source)
	}
}

func TestErrorsInTemplatesHaveTheirPlaceInTheTemplate(t *testing.T) {
	t.Parallel()
	for source, place := range map[string][2]int{
		"Hällo\n{!Subject} {!Subjet}": {2, 14},
		"a {!Subject":                 {1, 3},
		"a {!":                        {1, 3},
		"a {!}":                       {1, 5},
		"a {!Case}":                   {1, 5},
		"a {!Subject Subject}":        {1, 13},
	} {
		_, err := formula.Template(source, schema, formula.Options{})
		require.Error(t, err, source)
		got := failure(t, err)
		assert.Equal(t, place, [2]int{got.Line, got.Column}, "%s: %v", source, err)
	}
}

// A formula within the bounds of its source is done within a moment, however it is built.
func TestNoFormulaTakesLong(t *testing.T) {
	t.Parallel()
	long := formula.TextOf(strings.Repeat("ab", 30_000))
	nested := func(before, inner, after string, depth int) string {
		return strings.Repeat(before, depth) + inner + strings.Repeat(after, depth)
	}
	for name, source := range map[string]string{
		"CASE in CASE":     nested("CASE(", "Count", ",1,2,3,4,5)", 60),
		"BLANKVALUE":       nested("BLANKVALUE(", "Count", ",1)", 60),
		"functions":        strings.TrimSuffix(strings.Repeat("EXP(LN(1.23456789))+", 240), "+"),
		"powers":           strings.TrimSuffix(strings.Repeat("1.00000001^12345678.9+", 220), "+"),
		"texts":            "LEN(" + strings.TrimSuffix(strings.Repeat("Subject&", 600), "&") + ")",
		"searches":         strings.TrimSuffix(strings.Repeat("FIND(\"bb\",Subject)+", 250), "+"),
		"substitutes":      nested("SUBSTITUTE(", "Subject", ",\"a\",\"aa\")", 60),
		"a chain of signs": nested("-", "1", "", 60),
		"a long chain":     strings.TrimSuffix(strings.Repeat("1+", 2500), "+"),
		"a long AND":       strings.TrimSuffix(strings.Repeat("1=1&&", 990), "&&"),
	} {
		began := time.Now()
		_, err := evaluate(source, map[string]formula.Value{"Subject": long, "Count": formula.NumberOf(decimal.Of(7))})
		took := time.Since(began)
		var failed *formula.Error
		require.True(t, err == nil || errors.As(err, &failed) && failed.Code == formula.TooLarge, "%s: %v", name, err)
		require.Less(t, took, 2*time.Second, name) // tens of milliseconds, on a machine that is busy
	}
}

func TestBlanks(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"Count + 1": "1", "1 - Count": "1", "Count = 0": "true", "Count < 1": "true", "Count = NULL": "true",
		"ISBLANK(Count)": "true", "ISNULL(Count)": "true", "TEXT(Count)": "", "Count & \"\"": "",
		"ROUND(Count, 1)": "0.0", "MAX(Count, -1)": "0", "ABS(Count)": "0",
		"Kept + 1": "", "Kept = 0": "false", "Kept < 1": "false", "Kept <> 1": "true", "Kept >= 0": "false", "Kept = Kept": "true",
		"ISBLANK(Kept)": "true", "MAX(Kept, 1)": "", "MIN(1, 2, Kept)": "", "ROUND(Kept, 1)": "", "-Kept": "", "+Kept": "", "SQRT(Kept)": "",
		"-Count": "0", "+Count": "0", "-NULL": "0", "(Day + Kept) - Day + 1": "", "TODAY() + (Day + Kept - Day)": "",
		"BLANKVALUE(Kept + 1, 5)": "5", "NULLVALUE(Count, 5)": "5", "IF(Kept > 0, 1, 2)": "2", "LEFT(\"abc\", Kept)": "",
		"NULL + 1": "1", "ISBLANK(NULL)": "true", "NULL = NULL": "true",
		"Day + 1": "", "Day = NULL": "true", "Day < TODAY()": "false", "YEAR(Day)": "", "TODAY() - Day": "", "Day <> TODAY()": "true", "ADDMONTHS(Day, 1)": "",
		"ISBLANK(Subject)": "true", "ISNULL(Subject)": "false", "Subject = \"\"": "true", "Subject = NULL": "true", "LEN(Subject)": "0",
		"NULLVALUE(Subject, \"x\")": "", "BLANKVALUE(Subject, \"x\")": "x", "VALUE(Subject)": "", "DATEVALUE(Subject)": "", "ISNUMBER(Subject)": "false",
		"ISBLANK(Colours)": "true", "INCLUDES(Colours, \"\")": "false", "ISBLANK(Case)": "true", "IF(NULL, 1, 2)": "2",
	} {
		got, err := evaluate(source, nil)
		if assert.NoError(t, err, source) {
			assert.Equal(t, want, got.String(), source)
		}
	}
}

func TestProgramsReadOnlyTheirFields(t *testing.T) {
	t.Parallel()
	program, err := formula.Template("{!subject} {!SUBJECT} {!Amount} {!$ListTemplates.Lines}", schema, formula.Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"Subject", "Amount", "$ListTemplates.Lines"}, program.Fields())
	assert.Equal(t, formula.Text, program.Type())

	_, err = program.Run(&formula.Environment{Values: []formula.Value{formula.NumberOf(decimal.Of(1))}})
	assert.Contains(t, failure(t, err).Message, "Subject is defined as text, but its value is a number.")
	got, err := program.Run(&formula.Environment{})
	require.NoError(t, err, "values that are not there are blank")
	assert.Equal(t, "   ", got.Text())

	items := make([]formula.Value, formula.MaxItems+1)
	_, err = program.Run(&formula.Environment{Values: []formula.Value{{}, {}, formula.ListOf(items...)}})
	assert.Equal(t, formula.TooLarge, failure(t, err).Code)
}

func TestProgramsAreSafeForManyGoroutines(t *testing.T) {
	t.Parallel()
	program, err := formula.Template("{!Subject & Count}, {!$ListTemplates.Lines}", schema, formula.Options{})
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for range 200 {
				got, err := program.Run(&formula.Environment{Values: []formula.Value{
					formula.TextOf("a"), formula.NumberOf(decimal.Of(int64(i))), formula.ListOf(formula.TextOf("x"), formula.TextOf("y")),
				}})
				if assert.NoError(t, err) {
					assert.Equal(t, "a"+decimal.Of(int64(i)).String()+", x;y;", got.Text())
				}
			}
		})
	}
	all.Wait()
}

// What is written for each item of a list is bounded too.
func TestNoListTakesLong(t *testing.T) {
	t.Parallel()
	items := make([]formula.Value, formula.MaxItems)
	for name, template := range map[string]string{
		"blanks":    strings.Repeat("{!NULL}", 2800),
		"fractions": "{!" + strings.TrimSuffix(strings.Repeat("1/3+", 4900), "+") + ">0}",
		"functions": strings.Repeat("{!EXP(.1)}", 1900),
		"literals":  strings.Repeat("a{!NULL}", 2400),
	} {
		fields := formula.NewFields(formula.Field{Name: "$ListTemplates.L", Type: formula.List, Template: template})
		program, err := formula.Template("{!$ListTemplates.L}", fields, formula.Options{})
		require.NoError(t, err, name)
		began, work := time.Now(), 0
		_, err = program.Run(&formula.Environment{
			Values: []formula.Value{formula.ListOf(items...)},
			Charge: func(done int) { work = done },
		})
		took := time.Since(began)
		require.Equal(t, formula.TooLarge, failure(t, err).Code, name)
		require.Less(t, took, 2*time.Second, name) // tens of milliseconds, on a machine that is busy
		require.Greater(t, work, formula.MaxText, name)
	}
}

func TestChangesOfCaseReadTheSameAloneAndInATemplate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.StringMatching(`[ -~]{0,20}`), rapid.String()).Draw(t, "name")
		schema := formula.NewFields(formula.Field{Name: "Name", Type: formula.Text})
		env := &formula.Environment{Values: []formula.Value{formula.TextOf(name)}}
		for function, want := range map[string]string{"UPPER": cases.Upper(language.Und).String(name), "LOWER": cases.Lower(language.Und).String(name)} {
			alone, err := formula.Expression(function+"(Name)", schema, formula.Options{})
			require.NoError(t, err)
			within, err := formula.Template("a{!"+function+"(Name)}z", schema, formula.Options{})
			require.NoError(t, err)
			got, err := alone.Run(env)
			require.NoError(t, err)
			require.Equal(t, want, got.Text())
			got, err = within.Run(env)
			require.NoError(t, err)
			require.Equal(t, "a"+want+"z", got.Text())
		}
	})
}
