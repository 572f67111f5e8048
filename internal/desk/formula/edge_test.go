package formula_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/internal/desk/formula"
	"parley/internal/desk/formula/trial"
)

// Each function at the edges that docs/formulas.md states.
func TestFunctionsAtTheirEdges(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`CEILING(-.4) & " " & CEILING(0) & " " & CEILING(3.000)`:                                                                                          "-1 0 3",
		`FLOOR(-.7) & " " & FLOOR(.7) & " " & FLOOR(-2)`:                                                                                                  "0 0 -2",
		`MCEILING(-.4) & " " & MCEILING(1.2) & " " & MFLOOR(-.4) & " " & MFLOOR(.9)`:                                                                      "0 2 -1 0",
		`ROUND(.5, 0) & " " & ROUND(-.5, 0) & " " & ROUND(1.005, 2) & " " & ROUND(149, -2)`:                                                               "1 -1 1.01 100",
		`ROUND(2, 3) & " " & ROUND(5, -1) & " " & ROUND(4, -1)`:                                                                                           "2.000 10 0",
		`ABS(0) & " " & ABS(-0.0) & " " & ABS(Count)`:                                                                                                     "0 0.0 0",
		`MOD(7, -3) & " " & MOD(-7, 3) & " " & MOD(5.5, 2) & " " & MOD(3, 3)`:                                                                             "1 -1 1.5 0",
		`MAX(-1) & " " & MAX(2, 2.0) & " " & MIN(-1, -1.0) & " " & MIN(Count, 1)`:                                                                         "-1 2 -1 0",
		`SQRT(0) & " " & SQRT(Count) & " " & EXP(0) & " " & LN(1) & " " & LOG(1) & " " & LOG(.001)`:                                                       "0 0 1 0 0 -3",
		`LEFT("abc", 0) & "|" & LEFT("abc", -1) & "|" & LEFT("abc", 9) & "|" & LEFT("", 1)`:                                                               "||abc|",
		`RIGHT("abc", 0) & "|" & RIGHT("abc", -1) & "|" & RIGHT("abc", 9) & "|" & RIGHT("日本語", 2)`:                                                        "||abc|本語",
		`MID("abc", 0, 2) & "|" & MID("abc", 4, 1) & "|" & MID("abc", 2, 0) & "|" & MID("abc", 2, 9)`:                                                     "ab|||bc",
		`LEN("") & " " & LEN("é") & " " & LEN(Subject)`:                                                                                                   "0 1 0",
		`FIND("", "abc") & " " & FIND("c", "abc", 3) & " " & FIND("c", "abc", 4)`:                                                                         "0 3 0",
		`FIND("a", "abc", 0) & " " & FIND("A", "abc") & " " & FIND("語", "日本語")`:                                                                           "0 0 3",
		`SUBSTITUTE("aaa", "aa", "b") & "|" & SUBSTITUTE("abc", "", "x") & "|" & SUBSTITUTE("abc", "b", "")`:                                              "ba|abc|ac",
		`TRIM("") & "|" & TRIM("   ") & "|" & TRIM(" a  b ")`:                                                                                             "||a  b",
		`UPPER("straße ﬁn") & "|" & LOWER("ΟΔΟΣ İ") & "|" & LEN(UPPER("ß"))`:                                                                              "STRASSE FIN|οδος i̇|2",
		`UPPER("straße", "de") & "|" & LOWER("ÀÉ") & "|" & LOWER("I", "tr")`:                                                                              "STRASSE|àé|ı",
		`LPAD("ab", 5, "xyz") & "|" & LPAD("ab", 5, "") & "|" & LPAD("ab", 0) & "|" & LPAD("ab", 2, "x")`:                                                 "xyzab|ab||ab",
		`RPAD("ab", 5, "xyz") & "|" & RPAD("ab", 4) & "|" & RPAD("abc", 1, "x") & "|" & RPAD("ab", 3, "")`:                                                "abxyz|ab  |a|ab",
		`TEXT(BEGINS("abc", "")) & TEXT(BEGINS("abc", "AB")) & TEXT(BEGINS("", "a"))`:                                                                     "truefalsefalse",
		`TEXT(CONTAINS("abc", "")) & TEXT(CONTAINS("abc", "BC"))`:                                                                                         "truefalse",
		`VALUE("") & "|" & VALUE("-0.50")`:                                                                                                                "|-0.50",
		`TEXT(ISNUMBER("")) & TEXT(ISNUMBER(" 1")) & TEXT(ISNUMBER("-.5")) & TEXT(ISNUMBER("1,5"))`:                                                       "falsefalsetruefalse",
		`CASESAFEID("001A0000006Vm9u") & " " & CASESAFEID("001A0000006Vm9uIAC")`:                                                                          "001A0000006Vm9uIAC 001A0000006Vm9uIAC",
		`NULLVALUE(Count, 1) & "|" & NULLVALUE(Subject, "x") & "|" & NULLVAL(Day, DATE(2026, 1, 2))`:                                                      "1||2026-01-02",
		`BLANKVALUE(Count, 1) & "|" & BLANKVALUE(Subject, "x") & "|" & BLANKVALUE(0, 1)`:                                                                  "1|x|0",
		`TEXT(ISBLANK(0)) & TEXT(ISBLANK("")) & TEXT(ISNULL("")) & TEXT(ISBLANK(Day))`:                                                                    "falsetruefalsetrue",
		`TEXT(INCLUDES(Colours, "red")) & TEXT(INCLUDES(Colours, "re")) & TEXT(INCLUDES(Colours, ""))`:                                                    "truefalsefalse",
		`CASE(2, 1, "a", 2, "b", 2, "c", "d") & CASE(Count, 0, "zero", "other")`:                                                                          "bzero",
		`WEEKDAY(DATE(2026, 11, 29)) & " " & WEEKDAY(DATE(2026, 11, 28)) & " " & WEEKDAY(DATE(1, 1, 1))`:                                                  "1 7 2",
		`DAY(DATE(2024, 2, 29)) & " " & MONTH(DATE(2026, 12, 31)) & " " & YEAR(DATE(9999, 12, 31))`:                                                       "29 12 9999",
		`ADDMONTHS(DATE(2024, 2, 29), -1) & " " & ADDMONTHS(DATE(2024, 2, 29), 12)`:                                                                       "2024-01-31 2025-02-28",
		`ADDMONTHS(DATE(2026, 1, 31), 1) & " " & ADDMONTHS(DATE(2026, 1, 15), -1.9) & " " & ADDMONTHS(DATE(2026, 12, 1), 1)`:                              "2026-02-28 2025-12-15 2027-01-01",
		`HOUR(TIMEVALUE("00:00:00.000")) & " " & HOUR(TIMEVALUE("23:59:59.999"))`:                                                                         "0 23",
		`MINUTE(TIMEVALUE("23:59:59.999")) & " " & SECOND(TIMEVALUE("23:59:59.999")) & " " & MILLISECOND(TIMEVALUE("23:59:59.999"))`:                      "59 59 999",
		`MINUTE(TIMEVALUE("10:00")) & " " & SECOND(TIMEVALUE("10:00")) & " " & MILLISECOND(TIMEVALUE("10:00:00"))`:                                        "0 0 0",
		`TEXT(TIMEVALUE("23:59:59.999") + 1) & " " & TEXT(TIMEVALUE("00:00:00.000") - 1)`:                                                                 "00:00:00.000 23:59:59.999",
		`ROUND(DISTANCE(GEOLOCATION(90, 180), GEOLOCATION(-90, -180), "km"), 0) & " " & ROUND(DISTANCE(GEOLOCATION(0, 0), GEOLOCATION(0, 180), "mi"), 0)`: "20015 12437",
		`TEXT(DISTANCE(GEOLOCATION(1, 1), GEOLOCATION(1, 1), "mi") = 0)`:                                                                                  "true",
		`BR() & ""`: "\n",
	} {
		got, err := evaluate(source, map[string]formula.Value{"Colours": formula.MultiPicklistOf("red", "green")})
		require.NoError(t, err, source)
		assert.Equal(t, want, trial.Write(got), source)
	}
}
