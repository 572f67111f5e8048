package formula_test

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/formula"
	"parley/internal/ground/decimal"
)

// The oracle computes expressions slowly, in fractions, from trees of its own: it has no
// parser, no decimals and no types. What it holds of an expression is its source and its
// value: a fraction, a moment or a bool, counted for a blank that counts as zero where a
// number is wanted, nil for one that stays blank, or an error code.

type (
	// oracle is an expression with what it results in.
	oracle struct {
		source string
		value  func() any
	}
	// code is an error that ends the computation.
	code = formula.Code
	// counted is a blank that counts as zero.
	counted struct{}
	// moment is a date in days since 1970, or a datetime in microseconds.
	moment int64
)

// both computes a and b; fn sees values only, for a blank or an error passes through.
func both[A, B any](a, b oracle, read func(any) (A, bool), readB func(any) (B, bool), fn func(x A, y B) any) func() any {
	return func() any {
		x, y := a.value(), b.value()
		for _, v := range []any{x, y} {
			if failed, ok := v.(code); ok {
				return failed
			}
		}
		is, ok := read(x)
		other, ok2 := readB(y)
		switch {
		case ok && ok2:
			return fn(is, other)
		case x == nil || y == nil:
			return nil
		}
		return counted{}
	}
}

// number is what a value counts as in arithmetic.
func number(v any) (fraction, bool) {
	if v == any(counted{}) {
		return whole(new(big.Rat)), true
	}
	x, ok := v.(fraction)
	return x, ok
}

func instant(v any) (moment, bool) {
	x, ok := v.(moment)
	return x, ok
}

func numbers(a, b oracle, fn func(x, y fraction) any) func() any {
	return both(a, b, number, number, fn)
}

// forest draws expressions over fields.
type forest struct {
	*rapid.T

	fields map[string]formula.Value
}

func (t forest) field(v formula.Value) string {
	name := fmt.Sprintf("F%d", len(t.fields))
	t.fields[name] = v
	return name
}

// leaf is a number: a literal, or a field with a value or blank.
func (t forest) leaf() oracle {
	n, part := rapid.IntRange(-99999, 99999).Draw(t.T, "whole"), rapid.IntRange(0, 4).Draw(t.T, "scale")
	switch rapid.IntRange(0, 6).Draw(t.T, "leaf") {
	case 0: // blank, and counts as zero
		return oracle{"Blank", func() any { return counted{} }}
	case 1: // blank, and stays so
		return oracle{"Kept", func() any { return nil }}
	case 2, 3:
		d, is := decimalOf(n, part)
		return oracle{t.field(formula.NumberOf(d)), func() any { return is }}
	}
	return literal(n, part)
}

func decimalOf(n, places int) (decimal.Decimal, fraction) {
	return decimal.New(int64(n), places), fraction{new(big.Rat).Quo(big.NewRat(int64(n), 1), power(places)), places}
}

func literal(n, places int) oracle {
	d, is := decimalOf(n, places)
	return oracle{"(" + d.String() + ")", func() any { return is }}
}

// number is a random expression that results in a number.
func (t forest) number(depth int) oracle {
	if depth == 0 {
		return t.leaf()
	}
	next := func() oracle { return t.number(depth - 1) }
	switch rapid.IntRange(0, 9).Draw(t.T, "kind") {
	case 0:
		return t.leaf()
	case 1:
		return t.changed(next())
	case 2:
		return t.chosen(depth, next)
	case 3:
		return t.cased(depth, next)
	case 4:
		return t.power(depth)
	case 5:
		return t.between(depth)
	}
	form := rapid.SampledFrom(slices.Sorted(maps.Keys(arithmetic))).Draw(t.T, "pair")
	a, b := next(), next()
	return oracle{fmt.Sprintf(form, a.source, b.source), numbers(a, b, arithmetic[form])}
}

// changed is a function of one number.
func (t forest) changed(a oracle) oracle {
	form := rapid.SampledFrom(slices.Sorted(maps.Keys(single))).Draw(t.T, "single")
	return oracle{fmt.Sprintf(form, a.source), func() any {
		if x, ok := number(a.value()); ok {
			return single[form](x)
		}
		return a.value()
	}}
}

// power is a number to the power of another. Of few whole ones any number is the base; of
// the others one of 0.5 to 1, so that digits enough are after the point.
func (t forest) power(depth int) oracle {
	if e := rapid.IntRange(-3, 3).Draw(t.T, "exponent"); e >= 0 {
		base, by := t.number(depth-1), literal(e*10, 1)
		return oracle{fmt.Sprintf("(%s ^ %s)", base.source, by.source), numbers(base, by, raised)}
	}
	base := literal(rapid.IntRange(50, 100).Draw(t.T, "base")*rapid.IntRange(-1, 1).Draw(t.T, "sign"), 2)
	by := rapid.SampledFrom([]oracle{literal(-2, 0), literal(-10, 1), literal(65, 0), literal(5, 1), literal(-5, 1)}).Draw(t.T, "by")
	return oracle{fmt.Sprintf("(%s ^ %s)", base.source, by.source), numbers(base, by, func(x, y fraction) any {
		switch {
		case !y.IsInt():
			return root(x, y.Sign() < 0)
		case x.Sign() == 0 && y.Sign() > 0:
			return whole(x.Rat)
		}
		return raised(x, y)
	})}
}

// chosen is IF.
func (t forest) chosen(depth int, next func() oracle) oracle {
	test, a, b := t.decided(depth-1), next(), next()
	return oracle{fmt.Sprintf("IF(%s, %s, %s)", test.source, a.source, b.source), func() any {
		switch is := test.value().(type) {
		case code:
			return is
		case bool:
			if is {
				return a.value()
			}
		}
		return b.value()
	}}
}

// cased is CASE of one or two values.
func (t forest) cased(depth int, next func() oracle) oracle {
	draw, of := t.compared(depth - 1)
	value := draw()
	arguments, pairs := []string{value.source}, [][2]oracle{}
	for range rapid.IntRange(1, 2).Draw(t.T, "pairs") {
		p := [2]oracle{draw(), next()}
		if rapid.Bool().Draw(t.T, "equal") {
			p[0] = value
		}
		arguments, pairs = append(arguments, p[0].source, p[1].source), append(pairs, p)
	}
	other := next()
	return oracle{"CASE(" + strings.Join(append(arguments, other.source), ", ") + ")", func() any {
		for _, p := range pairs {
			switch is := of(value, p[0], "=")().(type) {
			case code:
				return is
			case bool:
				if is {
					return p[1].value()
				}
			}
		}
		return other.value()
	}}
}

// compared draws what values to compare are like, and how they are compared.
func (t forest) compared(depth int) (draw func() oracle, of func(a, b oracle, operator string) func() any) {
	depth = max(depth, 0)
	if k := rapid.SampledFrom([]kind{{}, {}, date, datetime}).Draw(t.T, "of"); k.step != 0 {
		return func() oracle { return t.moment(k, depth) }, func(a, b oracle, operator string) func() any {
			return holds(both(a, b, instant, instant, func(x, y moment) any { return big.NewInt(int64(x)).Cmp(big.NewInt(int64(y))) }), a, b, operator, instant)
		}
	}
	return func() oracle { return t.number(depth) }, func(a, b oracle, operator string) func() any {
		return holds(numbers(a, b, func(x, y fraction) any { return x.settled().Cmp(y.settled().Rat) }), a, b, operator, number)
	}
}

// holds says whether a comparison holds: of a blank only that it is equal to another.
func holds[T any](compare func() any, a, b oracle, operator string, read func(any) (T, bool)) func() any {
	return func() any {
		switch c := compare().(type) {
		case code:
			return c
		case int:
			return map[string]bool{"<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0, "=": c == 0, "<>": c != 0}[operator]
		}
		_, isA := read(a.value())
		_, isB := read(b.value())
		equal := !isA && !isB
		return operator == "=" && equal || operator == "<>" && !equal
	}
}

// decided is a random expression that is true or false.
func (t forest) decided(depth int) oracle {
	if depth > 0 && rapid.Bool().Draw(t.T, "connected") {
		a, b := t.decided(depth-1), t.decided(depth-1)
		every := rapid.Bool().Draw(t.T, "and")
		form := map[bool]string{true: "AND(%s, %s)", false: "(%s || %s)"}[every]
		return oracle{fmt.Sprintf(form, a.source, b.source), func() any {
			if x, ok := a.value().(bool); !ok || x != every {
				return a.value()
			}
			return b.value()
		}}
	}
	operator := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "=", "<>"}).Draw(t.T, "operator")
	draw, of := t.compared(depth)
	a, b := draw(), draw()
	return oracle{fmt.Sprintf("(%s %s %s)", a.source, operator, b.source), of(a, b, operator)}
}

func TestExpressionsAgreeWithTheOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 20).Draw(t, "trees") {
			tryTree(t)
		}
	})
}

func tryTree(t *rapid.T) {
	trees := forest{t, map[string]formula.Value{}}
	depth := rapid.IntRange(0, 4).Draw(t, "depth")
	of := rapid.SampledFrom([]kind{{}, {}, date, datetime}).Draw(t, "a moment")
	var tree oracle
	switch {
	case of.step != 0:
		tree = trees.moment(of, min(depth, 3))
	case rapid.Bool().Draw(t, "decides"):
		tree = trees.decided(3)
	default:
		tree = trees.number(depth)
	}
	declared := []formula.Field{
		{Name: "Blank", Type: formula.Number},
		{Name: "Kept", Type: formula.Number, KeepsBlank: true},
		{Name: date.blank, Type: date.is},
		{Name: datetime.blank, Type: datetime.is},
	}
	for name, v := range trees.fields {
		declared = append(declared, formula.Field{Name: name, Type: v.Type()})
	}
	program, err := formula.Expression(tree.source, formula.NewFields(declared...), formula.Options{})
	if len(tree.source) > formula.MaxExpression || len(trees.fields) > formula.MaxFields-4 {
		require.Error(t, err)
		return
	}
	require.NoError(t, err, tree.source)
	got, err := program.Run(&formula.Environment{Values: program.Arrange(func(path string) formula.Value { return trees.fields[path] })})
	if want, failed := tree.value().(code); failed {
		require.Error(t, err, tree.source)
		require.Equal(t, want, err.(*formula.Error).Code, tree.source) //nolint:errorlint,forcetypeassert // Run's errors are of this type
		return
	}
	require.NoError(t, err, tree.source)
	requireAgrees(t, tree, of, got)
}

// requireAgrees compares a result in its value, and in how it is written where its number
// of places is said.
func requireAgrees(t *rapid.T, tree oracle, of kind, got formula.Value) {
	switch want := tree.value().(type) {
	case bool:
		require.Equal(t, want, got.Bool(), tree.source)
	case moment:
		require.Equal(t, of.time(want).Format(time.RFC3339Nano), got.Moment().Format(time.RFC3339Nano), tree.source)
	case fraction:
		if want.places != unsaid {
			require.Equal(t, want.String(), got.String(), tree.source)
			return
		}
		is, _ := new(big.Rat).SetString(got.String())
		near := new(big.Rat).Sub(is, want.Rat)
		require.LessOrEqual(t, near.Abs(near).Cmp(big.NewRat(1, 1e17)), 0, "%s: %s, not %s", tree.source, got, want.FloatString(20))
	default:
		require.True(t, got.IsBlank(), "%s: %s", tree.source, got)
	}
}
