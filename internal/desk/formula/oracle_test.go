package formula_test

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/formula"
	"parley/internal/ground/decimal"
)

// The oracle computes expressions slowly, in fractions, from trees of its own: it has no
// parser, no decimals and no types. What it holds of an expression is its source and its
// value: a *big.Rat, bool or string, nil for a blank that stays blank, or an error code.

type (
	// oracle is an expression with what it results in.
	oracle struct {
		source string
		value  func() any
	}
	// code is an error that ends the computation.
	code = formula.Code
)

// places18 is r as comparison and rounding see it.
func places18(r *big.Rat) *big.Rat { return rounded(r, 18) }

func rounded(r *big.Rat, places int) *big.Rat {
	unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(places, -places))), nil))
	if places < 0 {
		unit.Inv(unit)
	}
	scaled := new(big.Rat).Add(new(big.Rat).Mul(r, unit), big.NewRat(int64(r.Sign()), 2))
	whole := new(big.Rat).SetInt(new(big.Int).Quo(scaled.Num(), scaled.Denom()))
	return whole.Quo(whole, unit)
}

var most = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil))

func inRange(r *big.Rat) any {
	if new(big.Rat).Abs(r).Cmp(most) >= 0 {
		return formula.OutOfRange
	}
	return r
}

// both computes a and b; fn sees numbers only, for a blank or an error passes through.
func both(a, b oracle, fn func(x, y *big.Rat) any) func() any {
	return func() any {
		x, y := a.value(), b.value()
		if failed, ok := x.(code); ok {
			return failed
		}
		if failed, ok := y.(code); ok {
			return failed
		}
		if x == nil || y == nil {
			return nil
		}
		return fn(x.(*big.Rat), y.(*big.Rat)) //nolint:forcetypeassert // a test
	}
}

func remainder(x, y *big.Rat) any {
	x, y = places18(x), places18(y)
	if y.Sign() == 0 {
		return formula.DivisionByZero
	}
	times := new(big.Rat).Quo(x, y)
	whole := new(big.Rat).SetInt(new(big.Int).Quo(times.Num(), times.Denom()))
	return new(big.Rat).Sub(x, whole.Mul(whole, y))
}

// arithmetic are operations on two numbers, by how they are written.
var arithmetic = map[string]func(x, y *big.Rat) any{
	"(%s + %s)": func(x, y *big.Rat) any { return inRange(new(big.Rat).Add(x, y)) },
	"(%s - %s)": func(x, y *big.Rat) any { return inRange(new(big.Rat).Sub(x, y)) },
	"(%s * %s)": func(x, y *big.Rat) any { return inRange(new(big.Rat).Mul(x, y)) },
	"(%s / %s)": func(x, y *big.Rat) any {
		if y.Sign() == 0 {
			return formula.DivisionByZero
		}
		return inRange(new(big.Rat).Quo(x, y))
	},
	"mod(%s, %s)": remainder,
	"MAX(%s, %s)": func(x, y *big.Rat) any {
		if places18(x).Cmp(places18(y)) >= 0 {
			return x
		}
		return y
	},
	"Min(%s, %s)": func(x, y *big.Rat) any {
		if places18(x).Cmp(places18(y)) <= 0 {
			return x
		}
		return y
	},
}

func floor(r *big.Rat) *big.Rat { return new(big.Rat).SetInt(new(big.Int).Div(r.Num(), r.Denom())) }

func ceiling(r *big.Rat) *big.Rat {
	return new(big.Rat).Neg(floor(new(big.Rat).Neg(r)))
}

// single are functions of one number.
var single = map[string]func(x *big.Rat) *big.Rat{
	"-%s":          func(x *big.Rat) *big.Rat { return new(big.Rat).Neg(x) },
	"ABS(%s)":      func(x *big.Rat) *big.Rat { return new(big.Rat).Abs(x) },
	"MFLOOR(%s)":   func(x *big.Rat) *big.Rat { return floor(places18(x)) },
	"MCEILING(%s)": func(x *big.Rat) *big.Rat { return ceiling(places18(x)) },
	"FLOOR(%s)": func(x *big.Rat) *big.Rat {
		if x.Sign() < 0 {
			return ceiling(places18(x))
		}
		return floor(places18(x))
	},
	"CEILING(%s)": func(x *big.Rat) *big.Rat {
		if x.Sign() < 0 {
			return floor(places18(x))
		}
		return ceiling(places18(x))
	},
	"ROUND(%s, 2)":  func(x *big.Rat) *big.Rat { return rounded(places18(x), 2) },
	"ROUND(%s, -1)": func(x *big.Rat) *big.Rat { return rounded(places18(x), -1) },
}

// leaf is a number: a literal, or a field with a value or blank.
func leaf(t *rapid.T, fields map[string]formula.Value) oracle {
	whole, part := rapid.IntRange(-99999, 99999).Draw(t, "whole"), rapid.IntRange(0, 4).Draw(t, "scale")
	d := decimal.New(int64(whole), part)
	exact, _ := new(big.Rat).SetString(d.String())
	switch rapid.IntRange(0, 6).Draw(t, "leaf") {
	case 0: // blank, and counts as zero
		return oracle{"Blank", func() any { return new(big.Rat) }}
	case 1: // blank, and stays so
		return oracle{"Kept", func() any { return nil }}
	case 2, 3:
		name := fmt.Sprintf("F%d", len(fields))
		fields[name] = formula.NumberOf(d)
		return oracle{name, func() any { return exact }}
	}
	return oracle{"(" + d.String() + ")", func() any { return exact }}
}

// drawn is a random expression that results in a number.
func drawn(t *rapid.T, depth int, fields map[string]formula.Value) oracle {
	if depth == 0 {
		return leaf(t, fields)
	}
	next := func() oracle { return drawn(t, depth-1, fields) }
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		return leaf(t, fields)
	case 1:
		form := rapid.SampledFrom(slices.Sorted(maps.Keys(single))).Draw(t, "single")
		a := next()
		return oracle{fmt.Sprintf(form, a.source), func() any {
			if x, ok := a.value().(*big.Rat); ok {
				return single[form](x)
			}
			return a.value()
		}}
	case 2:
		test, a, b := decided(t, depth-1, fields), next(), next()
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
	form := rapid.SampledFrom(slices.Sorted(maps.Keys(arithmetic))).Draw(t, "pair")
	a, b := next(), next()
	return oracle{fmt.Sprintf(form, a.source, b.source), both(a, b, arithmetic[form])}
}

// decided is a random expression that is true or false.
func decided(t *rapid.T, depth int, fields map[string]formula.Value) oracle {
	if depth > 0 && rapid.Bool().Draw(t, "connected") {
		a, b := decided(t, depth-1, fields), decided(t, depth-1, fields)
		every := rapid.Bool().Draw(t, "and")
		form := map[bool]string{true: "AND(%s, %s)", false: "(%s || %s)"}[every]
		return oracle{fmt.Sprintf(form, a.source, b.source), func() any {
			if x, ok := a.value().(bool); !ok || x != every {
				return a.value()
			}
			return b.value()
		}}
	}
	operator := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "=", "<>"}).Draw(t, "operator")
	a, b := drawn(t, depth, fields), drawn(t, depth, fields)
	compare := both(a, b, func(x, y *big.Rat) any {
		c := places18(x).Cmp(places18(y))
		return map[string]bool{"<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0, "=": c == 0, "<>": c != 0}[operator]
	})
	return oracle{fmt.Sprintf("(%s %s %s)", a.source, operator, b.source), func() any {
		if result := compare(); result != nil {
			return result
		}
		equal := a.value() == nil && b.value() == nil
		return operator == "=" && equal || operator == "<>" && !equal
	}}
}

func TestExpressionsAgreeWithTheOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fields := map[string]formula.Value{}
		tree := drawn(t, rapid.IntRange(0, 4).Draw(t, "depth"), fields)
		if rapid.Bool().Draw(t, "decides") {
			tree = decided(t, 3, fields)
		}
		declared := []formula.Field{{Name: "Blank", Type: formula.Number}, {Name: "Kept", Type: formula.Number, KeepsBlank: true}}
		for name := range fields {
			declared = append(declared, formula.Field{Name: name, Type: formula.Number})
		}
		program, err := formula.Expression(tree.source, formula.NewFields(declared...), formula.Options{})
		if len(tree.source) > formula.MaxExpression || len(fields) > formula.MaxFields-2 {
			require.Error(t, err)
			return
		}
		require.NoError(t, err, tree.source)
		got, err := program.Run(&formula.Environment{Values: program.Arrange(func(path string) formula.Value { return fields[path] })})
		switch want := tree.value().(type) {
		case code:
			require.Error(t, err, tree.source)
			require.Equal(t, want, err.(*formula.Error).Code, tree.source) //nolint:errorlint,forcetypeassert // Run's errors are of this type
		case bool:
			require.NoError(t, err, tree.source)
			require.Equal(t, want, got.Bool(), tree.source)
		case *big.Rat:
			require.NoError(t, err, tree.source)
			is, _ := new(big.Rat).SetString(got.Decimal().String())
			near := new(big.Rat).Sub(is, want)
			require.LessOrEqual(t, near.Abs(near).Cmp(big.NewRat(1, 1e17)), 0, "%s: %s, not %s", tree.source, got, want.FloatString(20))
		default:
			require.NoError(t, err, tree.source)
			require.True(t, got.IsBlank(), tree.source)
		}
	})
}
