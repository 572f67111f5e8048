package word_test

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/word"
)

func TestWhatIsFoundByWhat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		by, not []string
	}{
		{"Mr O'Neil wrote", []string{"oneil", "o'neil", "o neil", "O’NEIL", "neil", "ONE", "mr oneil"}, []string{"eil", "neila"}},
		{"O’Neil", []string{"oneil", "o'neil", "o neil", "O’Neil"}, nil},
		{"Łukasz Żółć", []string{"lukasz", "Łukasz", "zolc", "łuk", "ZÓŁĆ"}, []string{"ukasz"}},
		{"Đặng Thị Ngọc, Nguyễn", []string{"dang", "đặng", "thi ngoc", "nguyen", "Nguyễn"}, nil},
		{"Søren Straße Æsir", []string{"soren", "strasse", "STRASSE", "aesir"}, nil},
		{"Ёлка и мой дом", []string{"елка", "Ёлка", "мой"}, []string{"мои"}},
		{"ΟΔΟΣ Αθήνα", []string{"οδος", "οδός", "αθηνα"}, nil},
		{"السَّلامُ عليكم أحمد", []string{"السلام", "عليكم", "احمد", "٠"}[:3], nil},
		{"東京都に住んでいます", []string{"東京", "京都", "東京都", "都", "ます", "す", "住んで"}, []string{"東都", "京東", "すま"}},
		{"ﾃﾚﾋﾞを見た", []string{"テレビ", "ﾃﾚﾋﾞ", "レビ"}, []string{"テレヒを"}},
		{"안녕하세요 친구", []string{"안녕", "하세요", "친구", "안녕 친구"}, []string{"녕안"}},
		{"สวัสดีครับ", []string{"สวัสดี", "ครับ"}, []string{"ครับสวัสดี"}},
		{"Great 👍🏽 thanks 🇩🇪", []string{"👍🏽", "👍", "🇩🇪", "great 👍"}, []string{"👎"}},
		{"ＦＵＬＬ width ﬁne", []string{"full", "fine"}, nil},
		{"see example.com/path_to", []string{"example", "com", "path", "example.com"}, nil},
		{"room ٢٠٢", []string{"202"}, nil},
		{"Tel 202-555-0100", []string{"202 555 0100", "202-555-01", "555"}, []string{"2025550100"}},
	} {
		for _, q := range c.by {
			ranges, ok := word.Ask(q).Match(c.text)
			require.True(t, ok, "%q in %q", q, c.text)
			require.NotEmpty(t, ranges)
			require.True(t, has(c.text, q), "the index finds %q in %q: %q", q, c.text, word.Index(c.text))
		}
		for _, q := range c.not {
			_, ok := word.Ask(q).Match(c.text)
			require.False(t, ok, "%q in %q", q, c.text)
		}
	}
}

// has reports whether the index of a text has what a query asks it for.
func has(text, query string) bool {
	index := word.Index(text)
	for _, want := range word.Ask(query).Tokens() {
		found := false
		for _, token := range index {
			found = found || token == want.Text || want.Prefix && strings.HasPrefix(token, want.Text)
		}
		if !found {
			return false
		}
	}
	return true
}

func TestHighlightsCountAsJavaScriptDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, query string
		want        []string
	}{
		{"😀 Hello, hello O'Neil", "hello onei", []string{"Hello", "hello", "O'Neil"}},
		{"👍🏽 東京都に行く", "京都", []string{"京都"}},
		{"東東東", "東東", []string{"東東東"}},
		{"Straße 😀😀", "😀", []string{"😀", "😀"}},
	} {
		ranges, ok := word.Ask(c.query).Match(c.text)
		require.True(t, ok, c.text)
		units := utf16.Encode([]rune(c.text))
		var got []string
		for _, r := range ranges {
			got = append(got, string(utf16.Decode(units[r.Start:r.End])))
		}
		require.Equal(t, c.want, got)
	}
}

func TestLongTextsAndWordsAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 100)
	_, ok := word.Ask(long).Match("a " + long)
	require.True(t, ok, "both are cut alike")
	text := strings.Repeat("я ", word.MostText/2) + "beyond"
	_, ok = word.Ask("beyond").Match(text)
	require.False(t, ok)
	require.Equal(t, []string{"я"}, word.Index(text))
}

// Whatever comes in, tokens are folded once and for all, hold nothing that a
// query language could mistake, and a query that matches finds by the index.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"O'Neil Łukasz", "東京都 ﾃﾚﾋﾞ", "👨‍👩‍👧 🇩🇪", "a\xffb\x00", "ß İ ŉ ﷺ ½ ㈱", "ก็ 안녕 'a'b' ʼn"} {
		f.Add(s, s[:1])
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, text, query string) {
		text, query = strings.ToValidUTF8(text, ""), strings.ToValidUTF8(query, "")
		for _, token := range word.Index(text) {
			require.NotEmpty(t, token)
			require.True(t, utf8.ValidString(token))
			require.False(t, strings.ContainsFunc(token, func(r rune) bool {
				return r < utf8.RuneSelf && (r < '0' || r > '9') && (r < 'a' || r > 'z')
			}), "%q", token)
		}
		units := len(utf16.Encode([]rune(text)))
		ranges, ok := word.Ask(query).Match(text)
		end := 0
		for _, r := range ranges {
			require.True(t, end <= r.Start && r.Start < r.End && r.End <= units, "%v of %d", ranges, units)
			end = r.End
		}
		if ok {
			require.True(t, has(text, query), "%q matches %q, and the index does not have it: %q", query, text, word.Index(text))
		}
		if q := word.Ask(text); q.Len() > 0 && len(text) < word.MostText {
			_, ok := q.Match(text)
			require.True(t, ok, "%q finds itself", text)
		}
	})
}

func TestNumbersAreFoundHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address string
		by, not []string
	}{
		{
			"+12025550185",
			[]string{
				"\u202a+12025550185\u202c", "tel:+1202", "tel:+1-202-555-0185", "(202) 555.0185", "1/202/555/0185", "[202] 555", "0185", "202\u2011555\u20110185",
				"٢٠٢٥٥٥٠١٨٥", "＋１２０２", "+1202", "011 1 202 555", "120",
			},
			[]string{"20255501850", "0186", "2025550185 x4", "12", "Axel"},
		},
		{"+447700900222", []string{"07700 900222", "7700900", "+44 7700", "00447700900222", "0222"}, []string{"07700900ABC", "0777"}},
		{"+18003569377", []string{"1-800-FLOWERS", "+1 800 FLOWERS", "800 356"}, []string{"FLOWERS", "800FLOWER"}},
		{"60777", []string{"60777", "607", "0777"}, []string{"4460777", "+4460777", "60778"}},
		{"07700900ABC", []string{"07700900", "077"}, []string{"07700900222", "7700900"}},
		{"+1202555ABCD", nil, []string{"+12025552223", "1202555222"}},
	} {
		match := func(text string) bool {
			q, ok := word.AskNumber(text, []string{"US", "GB"})
			if ok {
				_, ok = q.Match(c.address)
			}
			return ok
		}
		for _, text := range c.by {
			require.True(t, match(text), "%q finds %s", text, c.address)
		}
		for _, text := range c.not {
			require.False(t, match(text), "%q does not find %s", text, c.address)
		}
	}
}

// A sender's name in any script is turned by its characters: half a character is
// refused by PostgreSQL.
func TestANameIsTurnedByItsCharacters(t *testing.T) {
	t.Parallel()
	require.Equal(t, "αζεπαρτ", word.NumberOf("τραπεζα").Backward())
	require.Equal(t, "8710", word.NumberQuery{Ending: "0178"}.Backward())
}
