package decimal_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/ground/decimal"
)

// number is a decimal and the same number as a fraction.
type number struct {
	decimal decimal.Decimal
	exact   *big.Rat
}

// numbers are of up to 24 digits, so that some fit an int64 and others do not.
var numbers = rapid.Custom(func(t *rapid.T) number {
	digits := rapid.StringMatching(`-?[0-9]{1,24}`).Draw(t, "digits")
	if scale := rapid.IntRange(0, 20).Draw(t, "scale"); scale > 0 {
		sign := ""
		if digits[0] == '-' {
			sign, digits = "-", digits[1:]
		}
		digits = strings.Repeat("0", max(0, scale+1-len(digits))) + digits
		digits = sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	d, err := decimal.Parse(digits)
	require.NoError(t, err, digits)
	exact, ok := new(big.Rat).SetString(digits)
	require.True(t, ok)
	return number{d, exact}
})

// settled is r rounded half away from zero to so many places.
func settled(r *big.Rat, places int) *big.Rat {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	scaled := new(big.Rat).Mul(r, new(big.Rat).SetInt(unit))
	half := big.NewRat(int64(r.Sign()), 2)
	scaled.Add(scaled, half)
	return new(big.Rat).SetFrac(new(big.Int).Quo(scaled.Num(), scaled.Denom()), unit)
}

func same(t *rapid.T, what string, want *big.Rat, got decimal.Decimal, err error) {
	if beyond := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)); new(big.Rat).Abs(want).Cmp(beyond) >= 0 {
		require.ErrorIs(t, err, decimal.ErrRange, what)
		return
	}
	require.NoError(t, err, what)
	is, ok := new(big.Rat).SetString(got.String())
	require.True(t, ok, got.String())
	require.Zero(t, settled(want, decimal.Places).Cmp(is), "%s: %s, not %s", what, got, want.FloatString(decimal.Places))
}

func TestArithmeticAgreesWithFractions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers.Draw(t, "a"), numbers.Draw(t, "b")
		for _, op := range []struct {
			name   string
			of     func(a, b decimal.Decimal) (decimal.Decimal, error)
			oracle func(z *big.Rat, a, b *big.Rat) *big.Rat
		}{
			{"+", decimal.Decimal.Add, (*big.Rat).Add},
			{"-", decimal.Decimal.Sub, (*big.Rat).Sub},
			{"*", decimal.Decimal.Mul, (*big.Rat).Mul},
			{"/", decimal.Decimal.Quo, (*big.Rat).Quo},
		} {
			if op.name == "/" && b.exact.Sign() == 0 {
				_, err := a.decimal.Quo(b.decimal)
				require.ErrorIs(t, err, decimal.ErrZero)
				continue
			}
			got, err := op.of(a.decimal, b.decimal)
			same(t, fmt.Sprint(a.decimal, op.name, b.decimal), op.oracle(new(big.Rat), a.exact, b.exact), got, err)
		}
		require.Equal(t, settled(a.exact, decimal.Places).Cmp(settled(b.exact, decimal.Places)), a.decimal.Cmp(b.decimal))
		require.Equal(t, a.exact.Sign(), a.decimal.Sign())
		same(t, "neg", new(big.Rat).Neg(a.exact), a.decimal.Neg(), nil)
		same(t, "abs", new(big.Rat).Abs(a.exact), a.decimal.Abs(), nil)
	})
}

func TestRoundingAgreesWithFractions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, places := numbers.Draw(t, "a"), rapid.IntRange(0, 18).Draw(t, "places")
		exact := settled(a.exact, decimal.Places)
		got, err := a.decimal.Round(places)
		same(t, "round", settled(exact, places), got, err)
		_, after, _ := strings.Cut(got.String(), ".")
		require.Len(t, after, places)

		down := new(big.Rat).SetInt(new(big.Int).Quo(exact.Num(), exact.Denom()))
		floor := new(big.Rat).SetInt(new(big.Int).Div(exact.Num(), exact.Denom()))
		ceil := new(big.Rat).Set(floor)
		if !exact.IsInt() {
			ceil.Add(ceil, big.NewRat(1, 1))
		}
		up := ceil
		if exact.Sign() < 0 {
			up = floor
		}
		same(t, "trunc", down, a.decimal.Trunc(), nil)
		same(t, "floor", floor, a.decimal.Floor(), nil)
		same(t, "ceil", ceil, a.decimal.Ceil(), nil)
		same(t, "up", up, a.decimal.Up(), nil)
	})
}

func TestRemaindersAgreeWithFractions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers.Draw(t, "a"), numbers.Draw(t, "b")
		x, y := settled(a.exact, decimal.Places), settled(b.exact, decimal.Places)
		got, err := a.decimal.Rem(b.decimal)
		if y.Sign() == 0 {
			require.ErrorIs(t, err, decimal.ErrZero)
			return
		}
		times := new(big.Rat).Quo(x, y)
		whole := new(big.Rat).SetInt(new(big.Int).Quo(times.Num(), times.Denom()))
		same(t, "rem", x.Sub(x, whole.Mul(whole, y)), got, err)
	})
}

func TestScaleIsKept(t *testing.T) {
	t.Parallel()
	d := func(s string) decimal.Decimal {
		parsed, err := decimal.Parse(s)
		require.NoError(t, err)
		return parsed
	}
	result := func(d decimal.Decimal, err error) string {
		require.NoError(t, err)
		return d.String()
	}
	assert.Equal(t, "3.00", result(d("1.50").Mul(d("2"))))
	assert.Equal(t, "3.75", result(d("1.5").Add(d("2.25"))))
	assert.Equal(t, "0.00", result(d("1.50").Sub(d("1.5"))))
	assert.Equal(t, "3.00", result(d("6.00").Quo(d("2"))))
	assert.Equal(t, "0.75", result(d("1.50").Quo(d("2"))))
	assert.Equal(t, "30000000000000000000.00", result(d("60000000000000000000.00").Quo(d("2"))))
	assert.Equal(t, "2.5", result(d("10").Quo(d("4.0"))))
	assert.Equal(t, "0.00", result(d("-.002").Round(2)))
	assert.Equal(t, "1300", result(d("1250").Round(-2)))
	assert.Equal(t, "0", result(d("-1250").Round(-99)))
	assert.Equal(t, "100000000000000000000", result(d("99999999999999999999").Round(-1)))
	third, err := d("1").Quo(d("3"))
	require.NoError(t, err)
	assert.Equal(t, "0.333333333333333333", third.String())
	assert.Equal(t, "1", result(third.Mul(d("3"))))
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		of        func(decimal.Decimal) (decimal.Decimal, error)
		given     int64
		want      string
		wantError error
	}{
		{decimal.Decimal.Sqrt, 144, "12", nil},
		{decimal.Decimal.Sqrt, 2, "1.414213562373095049", nil},
		{decimal.Decimal.Sqrt, -1, "", decimal.ErrDomain},
		{decimal.Decimal.Exp, 0, "1", nil},
		{decimal.Decimal.Exp, -200, "0", nil},
		{decimal.Decimal.Exp, 88, "", decimal.ErrRange},
		{decimal.Decimal.Ln, 1, "0", nil},
		{decimal.Decimal.Ln, 10, "2.302585092994045684", nil},
		{decimal.Decimal.Ln, 0, "", decimal.ErrDomain},
		{decimal.Decimal.Log10, 1000, "3", nil},
		{decimal.Decimal.Log10, -1, "", decimal.ErrDomain},
	} {
		got, err := test.of(decimal.Of(test.given))
		require.ErrorIs(t, err, test.wantError)
		if err == nil {
			assert.Equal(t, test.want, got.String())
		}
	}
	for _, test := range [][3]string{
		{"2", "10", "1024"},
		{"1.5", "2", "2.25"},
		{"2", "-2", "0.25"},
		{"2", "0.5", "1.414213562373095049"},
		{"-2", "3", "-8"},
		{"0", "0", "1"},
		{"0", "5.5", "0"},
		{"1", "1000000", "1"},
		{"1.0001", "100", "1.010049662092876569"},
		{"0.5", "1000", "0"},
	} {
		base, _ := decimal.Parse(test[0])
		exponent, _ := decimal.Parse(test[1])
		got, err := base.Pow(exponent)
		require.NoError(t, err, test)
		assert.Zero(t, got.Cmp(must(t, test[2])), "%v: %s", test, got)
	}
}

func must(t *testing.T, s string) decimal.Decimal {
	t.Helper()
	d, err := decimal.Parse(s)
	require.NoError(t, err)
	return d
}

func TestWhatIsNotANumberIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", ".", "-", "--1", "1e5", " 1", "1 ", "1,5", "1..2", "0x1", "١", "NaN", "Infinity", strings.Repeat("1", 101)} {
		_, err := decimal.Parse(s)
		assert.ErrorIs(t, err, decimal.ErrSyntax, s)
	}
	_, err := decimal.Parse(strings.Repeat("1", 39))
	require.ErrorIs(t, err, decimal.ErrRange)
	for _, s := range []string{"1e39", "1e99999"} {
		_, err := decimal.ParseScientific(s)
		assert.ErrorIs(t, err, decimal.ErrRange, s)
	}
	for _, s := range []string{"1e", "e5", "1e999999999999", "0xe1", "infe"} {
		_, err := decimal.ParseScientific(s)
		assert.ErrorIs(t, err, decimal.ErrSyntax, s)
	}
	small, err := decimal.ParseScientific("1e-99999")
	require.NoError(t, err)
	assert.Equal(t, "0", small.String())
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"-0.50", "1.", ".5", "123456789012345678901234567890.5", "1e-7"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := decimal.ParseScientific(s)
		if err != nil {
			return
		}
		again, err := decimal.Parse(d.String())
		require.NoError(t, err)
		require.Equal(t, d.String(), again.String())
	})
}
