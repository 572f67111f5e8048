package formula_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/formula"
	"parley/internal/ground/decimal"
)

// piece is a part of a template with the text that it should make.
type piece struct{ source, text string }

// literals are texts without merge fields.
var literals = rapid.StringMatching(`[a-zé日 .,!}"'\\&\n]{0,12}`)

// pieceOf draws a part of a template, whose text is known without the language.
func pieceOf(t *rapid.T, values map[string]formula.Value) piece {
	name := func(v formula.Value) string {
		n := fmt.Sprintf("F%d", len(values))
		values[n] = v
		return n
	}
	text, number := literals.Draw(t, "text"), decimal.New(int64(rapid.Int32().Draw(t, "number")), rapid.IntRange(0, 6).Draw(t, "scale"))
	quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
	day := time.Unix(int64(rapid.Int32().Draw(t, "day")), 0).UTC()
	switch rapid.IntRange(0, 8).Draw(t, "piece") {
	case 0:
		return piece{"{!" + name(formula.TextOf(text)) + "}", text}
	case 1:
		return piece{"{! " + name(formula.NumberOf(number)) + "\n}", number.String()}
	case 2:
		return piece{"{!" + name(formula.DateOf(day)) + "}", day.Format(time.DateOnly)}
	case 3:
		return piece{"{!" + quoted + "}", text}
	case 4:
		return piece{"{!" + quoted + " & " + name(formula.NumberOf(number)) + " & " + quoted + "}", text + number.String() + text}
	case 5:
		return piece{"{!IF(" + name(formula.BooleanOf(number.Sign() > 0)) + ", " + quoted + ", NULL)}", map[bool]string{true: text, false: ""}[number.Sign() > 0]}
	case 6:
		return piece{"{!NULL}{!/* } */Blank}", ""}
	case 7:
		return piece{"{!\"{!\"}", "{!"}
	}
	return piece{"{!UPPER(TEXT(" + name(formula.DateTimeOf(day)) + ")) & LEN(" + quoted + ")}", day.Format("2006-01-02 15:04:05Z") + fmt.Sprint(len([]rune(text)))}
}

// A naive reading of templates: texts between merge fields, one after the other.
func TestTemplatesAgreeWithANaiveReading(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := map[string]formula.Value{}
		var source, want strings.Builder
		for range rapid.IntRange(0, 12).Draw(t, "pieces") {
			literal := literals.Draw(t, "literal")
			made := pieceOf(t, values)
			source.WriteString(literal + made.source)
			want.WriteString(literal + made.text)
		}
		declared := []formula.Field{{Name: "Blank", Type: formula.Date}}
		for name, value := range values {
			declared = append(declared, formula.Field{Name: name, Type: value.Type()})
		}
		program, err := formula.Template(source.String(), formula.NewFields(declared...), formula.Options{})
		require.NoError(t, err, source.String())
		got, err := program.Run(&formula.Environment{Values: program.Arrange(func(path string) formula.Value { return values[path] })})
		require.NoError(t, err)
		require.Equal(t, want.String(), got.Text(), source.String())
	})
}

// pieces of formulas, right and wrong.
var tokens = append([]string{
	"1", "-1", ".5", "99999999999999999999", "1.", "\"a\"", "'日本'", "\"", "Subject", "Amount", "Count", "Kept", "Day", "At", "Colours", "Case", "$ListTemplates.Lines",
	"(", "(", "(", ")", ")", ")", ",", ",", ",", "+", "-", "*", "/", "^", "&", "&&", "||", "!", "=", "<>", "<", ">=", "[", "]", "}", "{!", "/*", "*/", " ", "\n", "#", "\x00", "\u200b",
	"TODAY()", "NOW()", "\"km\"", "GEOLOCATION(1, 2)",
}, formula.Functions()...)

// Whatever a formula holds, it is computed or refused, with a place in it.
func TestNoFormulaPanics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tried(t, strings.Join(rapid.SliceOfN(rapid.SampledFrom(tokens), 0, 30).Draw(t, "tokens"), " "))
		name := rapid.SampledFrom(formula.Functions()).Draw(t, "function")
		args := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "-2.5", "\"abc\"", "NULL", "Count", "Kept", "Day", "At", "TODAY()", "TIMENOW()", "TRUE", "Subject", "10^30", "1/3", "Colours", "GEOLOCATION(1,2)"}), 0, 4).Draw(t, "arguments")
		tried(t, name+"("+strings.Join(args, ",")+")")
	})
}

func FuzzFormula(f *testing.F) {
	for _, token := range tokens {
		f.Add(token)
		f.Add("IF(" + token + ", 1, {!" + token + ")")
	}
	f.Fuzz(func(t *testing.T, source string) { tried(t, source) })
}

// tried runs a source as an expression and as a template.
func tried(t require.TestingT, source string) {
	for _, compile := range []func(string, formula.Schema, formula.Options) (*formula.Program, error){formula.Expression, formula.Template} {
		program, err := compile(source, schema, formula.Options{})
		if err == nil {
			_, err = program.Run(&formula.Environment{Values: program.Arrange(func(path string) formula.Value { return some[path] })})
		}
		if err != nil {
			failed, ok := err.(*formula.Error) //nolint:errorlint // these errors are of this type
			require.True(t, ok, source)
			require.NotEmpty(t, failed.Message, source)
			require.Positive(t, failed.Line, source)
			require.Positive(t, failed.Column, source)
			require.LessOrEqual(t, failed.Column, len(source)+1, source)
		}
	}
}

// some are values of the schema's fields; those left out are blank.
var some = map[string]formula.Value{
	"Subject":              formula.TextOf("Generator 日本"),
	"Amount":               formula.CurrencyOf(decimal.New(10050, 2)),
	"Day":                  formula.DateOf(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)),
	"At":                   formula.DateTimeOf(time.Date(1969, 12, 31, 23, 59, 59, 999, time.UTC)),
	"Colours":              formula.MultiPicklistOf("red", "green"),
	"$ListTemplates.Lines": formula.ListOf(formula.TextOf("a"), formula.TextOf("b")),
}
