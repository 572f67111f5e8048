package importer

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func written(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

// numbered takes for a row what has a number as its id.
func numbered(r *row) bool {
	_, err := strconv.Atoi(r.get("id"))
	return err == nil
}

// read gives each row as line, Id and Text, and what is wrong with it.
func read(t testing.TB, content []byte) []string { return readWith(t, content, numbered) }

func readWith(t testing.TB, content []byte, whole func(*row) bool) (out []string) {
	t.Helper()
	f, err := openFile(written(t, content), "", whole, "Id", "Text")
	require.NoError(t, err)
	defer f.close()
	require.NoError(t, f.each(func(r *row) error {
		out = append(out, strings.Join([]string{r.get("id"), r.text("text"), r.problem}, "|"))
		return nil
	}))
	require.Equal(t, f.size, f.consumed(), "all of it was read")
	return out
}

func zipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(content)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func wide(s string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

func TestOneExportReadsTheSameInEveryShape(t *testing.T) {
	t.Parallel()
	want := []string{"1| two\nlines, \"quoted\" |", "2|Łukasz 🚲|", "3||"}
	plain := "Id,Text,Other\n1,\" two\nlines, \"\"quoted\"\" \",x\n2,Łukasz 🚲,\n3,,\n"
	for shape, content := range map[string][]byte{
		"CSV":               []byte(plain),
		"columns elsewhere": []byte("other,TEXT, id \nx,\" two\nlines, \"\"quoted\"\" \",1\n,Łukasz 🚲,2\n,,3\n"),
		"BOM":               []byte("\ufeff" + plain),
		"UTF-16":            wide(plain),
		"CR LF":             []byte(strings.ReplaceAll(strings.ReplaceAll(plain, "\n", "\r\n"), "two\r\nlines", "two\nlines")),
		"semicolons":        []byte("Id;Text\n1;\" two\nlines, \"\"quoted\"\" \"\n2;Łukasz 🚲\n3;\n"),
		"tabs":              []byte("Id\tText\n1\t\" two\nlines, \"\"quoted\"\" \"\n2\tŁukasz 🚲\n3\t\n"),
		"no last newline":   []byte(strings.TrimSuffix(plain, "\n")),
		"gzip":              zipped(t, []byte(plain)),
		"JSON lines":        []byte("{\"Id\": \"1\", \"Text\": \" two\\nlines, \\\"quoted\\\" \"}\n\n{\"text\": \"Łukasz 🚲\", \"id\": 2}\n{\"ID\": 3, \"Text\": null}"),
		"JSON lines, gzip":  zipped(t, []byte("\ufeff{\"Id\": \"1\", \"Text\": \" two\\nlines, \\\"quoted\\\" \"}\n{\"text\": \"Łukasz 🚲\", \"id\": 2}\n{\"id\": 3}")),
	} {
		require.Equal(t, want, readWith(t, content, func(*row) bool { return false }), shape)
	}
}

func TestABadRowCostsItsNeighboursNothing(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"1|a|", "2||" + strayQuote, "3|c|", "4||the row has 1 fields, but the header has 2"},
		read(t, []byte("Id,Text\n1,a\n2,b\"b\n3,c\n4\n")))
	require.Equal(t, []string{"1|a|", "||the line is not a JSON object", `3||the member "Text" is neither text, number nor boolean`},
		read(t, []byte("{\"Id\":1,\"Text\":\"a\"}\n[]\n{\"Id\":3,\"Text\":[\"c\"]}\n")))
	require.Equal(t, []string{"||the line is not a JSON object", "||the line is not a JSON object"}, read(t, []byte("{\"Id\":1}}} and more\n{\"Id\":1} {}\n")))
	for _, problem := range read(t, []byte("{\"Id\":\"a\",\"ID\":\"b\"}")) {
		require.Contains(t, problem, `the line has the member "id" twice`)
	}
	require.Empty(t, read(t, []byte("Id,Text")))
}

func TestARowHasABound(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("no end ", mostRow/7+1)
	require.Equal(t, []string{"1|a|", "||" + tooLong, "3|c|"}, read(t, []byte("Id,Text\n1,a\n2,"+long+"\n3,c\n")))
	require.Equal(t, []string{"1|a|", "||" + tooLong, "3|c|"}, read(t, []byte("{\"Id\":1,\"Text\":\"a\"}\n{\"Id\":2,\"Text\":\""+long+"\"}\n{\"Id\":3,\"Text\":\"c\"}\n")))
	unended := read(t, []byte("Id,Text\n1,\"no end\n"+strings.Repeat("more\n", mostLines+1)+"2,b\n"))
	require.Equal(t, "||"+unclosed, unended[0])
	require.Equal(t, "2|b|", unended[len(unended)-1])
	rows := read(t, []byte("Id,Text\n1,\""+strings.Repeat("a line of many\n", mostRow/15+1)))
	require.Equal(t, mostRow/15+1, len(rows), "each line counts") //nolint:testifylint // a million rows are not to be shown
	require.Equal(t, "||"+unclosed, rows[0])
}

// A quotation mark that does not close costs its own row, whatever stands behind it.
func TestAStrayQuotationMarkCostsItsRowAlone(t *testing.T) {
	t.Parallel()
	const lost = "||" + unclosed
	for content, want := range map[string][]string{
		"1,\"20 inch pipe\n2,b\n3,c\n":                      {lost, "2|b|", "3|c|"},
		"1,\"20 inch pipe\n":                                {lost},
		"1,\"20 inch pipe":                                  {lost},
		"1,\"20 inch pipe\n2,pipe 20\"\n3,c\n":              {"1|20 inch pipe\n2,pipe 20|" + ambiguous, "3|c|"},
		"1,\"20\n2,\"30\n3,c\n":                             {"1||" + strayQuote, lost, "3|c|"},
		"1,\"20\n2,\"hello, you\"\n":                        {"1||" + strayQuote, "2|hello, you|"},
		"1,\"20\n\n2,b\n":                                   {lost, "2|b|"},
		"1,\"first\nsecond, \"\"third\"\"\"\n2,b\n":         {"1|first\nsecond, \"third\"|", "2|b|"},
		"1,\"first\n\n third\"\n2,b\n":                      {"1|first\n\n third|", "2|b|"},
		"1,\"first\nsecond\",x\n2,b\n":                      {"1|first\nsecond|the row has 3 fields, but the header has 2", "||" + strayQuote, "2|b|"},
		"1,\"a\"b\n2,b\n":                                   {"1||" + strayQuote, "2|b|"},
		"\"1\",\"" + strings.Repeat("x\n", 3) + "\"\n2,b\n": {"1|x\nx\nx\n|", "2|b|"},
	} {
		require.Equal(t, want, read(t, []byte("Id,Text\n"+content)), content)
	}
}

// Reading by lines agrees with reading at one go, wherever that can read.
func TestRowsAreThoseOfTheFormat(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.StringMatching(`([a-z" ,\n\r;]|\r\n){0,8}`)
		rows := rapid.SliceOfN(rapid.SliceOfN(field, 2, 2), 0, 6).Draw(t, "rows")
		var content bytes.Buffer
		w := csv.NewWriter(&content)
		w.UseCRLF = rapid.Bool().Draw(t, "CR LF")
		require.NoError(t, w.WriteAll(append([][]string{{"Id", "Text"}}, rows...)))
		want, err := csv.NewReader(bytes.NewReader(content.Bytes())).ReadAll()
		require.NoError(t, err)
		l, err := readLines(bytes.NewReader(content.Bytes()), "")
		require.NoError(t, err)
		c := &csvRows{lines: l, whole: func(*row) bool { return false }}
		require.NoError(t, c.open([]string{"Id", "Text"}))
		got := [][]string{{"Id", "Text"}}
		for {
			r, err := c.next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			require.Empty(t, r.problem)
			got = append(got, slices.Clone(r.values))
		}
		require.Equal(t, want, got)
		require.Equal(t, bytes.Count(content.Bytes(), []byte("\n")), l.number, "every line counts once")
	})
}

func TestAnEncodingIsKnownOrToldOf(t *testing.T) {
	t.Parallel()
	open := func(content []byte, encoding string) (texts []string, err error) {
		f, err := openFile(written(t, content), encoding, numbered, "Id", "Text")
		if err != nil {
			return nil, err
		}
		defer f.close()
		err = f.each(func(r *row) error {
			texts = append(texts, r.text("text"))
			return nil
		})
		return texts, err
	}
	for _, c := range []struct{ content, encoding, text string }{
		{"Id,Text\n1,Gr\xf6\xdfe\n", "windows-1252", "Größe"},
		{"Id,Text\n1,Gr\xf6\xdfe\n", "latin1", "Größe"},
		{"Id,Text\n1,\xa4\n", "ISO-8859-15", "€"},
		{"Id,Text\n1,\x81\n", "ibm850", "ü"},
		{"Id,Text\n1,\x93\xfa\x96\x7b\n", "Shift_JIS", "日本"},
		{"I\x00d\x00,\x00T\x00e\x00x\x00t\x00\n\x001\x00,\x00\xf6\x00\n\x00", "utf-16le", "ö"},
		{"\x00I\x00d\x00,\x00T\x00e\x00x\x00t\x00\n\x001\x00,\x00\xf6\x00\n", "utf-16be", "ö"},
		{"\xef\xbb\xbfId,Text\n1,ö\n", "windows-1252", "ö"}, // its mark says better
		{"Id,Text\n1,ö\n", "UTF-8", "ö"},
		{"Id,Text\n1,spoilt \ufffd before\n", "", "spoilt \ufffd before"}, // as it was exported
	} {
		texts, err := open([]byte(c.content), c.encoding)
		require.NoError(t, err, c)
		require.Equal(t, []string{c.text}, texts, c)
	}
	for _, c := range []struct{ content, encoding, problem string }{
		{"Id,Text\n1,Gr\xf6\xdfe\n", "", "line 2, character 5 is not UTF-8 (byte 0xf6)"},
		{"Id,Text\n1,ö\n2,öö\xe2\x82\n", "", "line 3, character 5 is not UTF-8 (byte 0xe2)"},
		{"{\"Id\": \"1\"}\n{\"Id\": \"\xfc\"}\n", "", "line 2, character 9 is not UTF-8"},
		{"Id,T\xebxt\n", "", "line 1, character 5 is not UTF-8"},
		{"Id,Text\n1,\x93\n", "shift_jis", "line 2, character 3 cannot be read in the file's encoding; check --encoding"},
		{"\xff\xfeI\x00d\x00,\x00T\x00e\x00x\x00t\x00\n\x00\x00\xd8x\x00", "", "cannot be read in the file's encoding"},
		{"I\x00d\x00,\x00T\x00e\x00x\x00t\x00\n\x00", "", "pass --encoding utf-16le"},
		{"\x00I\x00d\x00,\x00T\x00e\x00x\x00t\x00\n", "", "pass --encoding utf-16be"},
		{"Id,Text\n", "klingon", `the encoding "klingon" is unknown`},
		{"Id,Text\n1,\x00\x00a", "", "this is not text"},
		{"PK\x03\x04 and so on", "", "save it as CSV"},
		{"", "", "the file is empty"},
		{"\ufeff\n\n", "", "the file is empty"},
	} {
		_, err := open([]byte(c.content), c.encoding)
		require.ErrorContains(t, err, c.problem, c.content)
	}
	require.Equal(t, []string{"1|\ufffd|the line has an unpaired \\u surrogate escape", "2|😀|", "3|\ufffd|"}, read(t, []byte(
		`{"Id":1,"Text":"\ud83d"}`+"\n"+`{"Id":2,"Text":"\ud83d\ude00"}`+"\n"+`{"Id":3,"Text":"\ufffd"}`)))
	for text, is := range map[string]bool{
		`\ud83d\ude00`: false, `\uD83D\uDE00\uD83D\uDE00`: false, `\u00fc`: false, `\\ud83d`: false, `\"\\\\ude00`: false, `ud83d`: false,
		`\ude00`: true, `\ud83dx`: true, `\ud83d\ud83d\ude00`: true, `\ude00\ud83d`: true, `\\\ud83d`: true, `\uDBFF\n`: true,
	} {
		require.Equal(t, is, halves([]byte(text)), text)
	}
}

func TestAHeaderThatDoesNotFitIsToldOf(t *testing.T) {
	t.Parallel()
	for want, content := range map[string]string{
		"the column Text is missing; the header has: Id, Txt": "Id,Txt\n",
		"has the column":       "Id,Text,id\n",
		"at most 1000 columns": "",
	} {
		if content == "" {
			content, want = strings.Repeat("a,", mostColumns)+"b\n", "at most 1000 are allowed"
		}
		_, err := openFile(written(t, []byte(content)), "", numbered, "Id", "Text")
		require.ErrorContains(t, err, want)
	}
}

// Whatever a file holds, it is read to its end or refused, and every row has a line.
func FuzzReadingAFile(f *testing.F) {
	for _, name := range []string{"records.csv", "outgoing.csv", "incoming.csv"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(content)
		f.Add(zipped(f, content))
	}
	f.Add([]byte(`{"Id": 1, "Text": "a"}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		opened, err := openFile(written(t, content), "", numbered)
		if err != nil {
			return
		}
		defer opened.close()
		last := 0
		for {
			r, err := opened.next()
			if errors.Is(err, io.EOF) || err != nil {
				return
			}
			require.Greater(t, r.line, last)
			last = r.line
			_, _ = r.get("id"), r.text("text")
		}
	})
}
