package legacy

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

func written(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

// read gives each row as line, Id and Text, and what is wrong with it.
func read(t testing.TB, content []byte) (out []string) {
	t.Helper()
	f, err := openFile(written(t, content), "Id", "Text")
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
		require.Equal(t, want, read(t, content), shape)
	}
}

func TestABadRowCostsItsNeighboursNothing(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"1|a|", "||the row is no CSV: bare \" in non-quoted-field", "3|c|", "4||the row has 1 fields and the header 2"},
		read(t, []byte("Id,Text\n1,a\n2,b\"b\n3,c\n4\n")))
	require.Equal(t, []string{"1|a|", "||the line is no JSON object", `3||the member "Text" is neither text, number nor boolean`},
		read(t, []byte("{\"Id\":1,\"Text\":\"a\"}\n[]\n{\"Id\":3,\"Text\":[\"c\"]}\n")))
	require.Empty(t, read(t, []byte("Id,Text")))
}

func TestARowHasABound(t *testing.T) {
	t.Parallel()
	for shape, begin := range map[string]string{"CSV": "Id,Text\n1,\"", "JSON lines": "{\"Id\":1,\"Text\":\""} {
		content := begin + strings.Repeat("forgot to close the quotation mark, and so on\n", mostRow/40)
		if shape == "JSON lines" {
			content = strings.ReplaceAll(content, "\n", " ")
		}
		f, err := openFile(written(t, []byte(content)))
		require.NoError(t, err)
		err = f.each(func(*row) error { return nil })
		f.close()
		require.ErrorIs(t, err, errLongRow, shape)
	}
}

func TestAHeaderThatDoesNotFitIsToldOf(t *testing.T) {
	t.Parallel()
	for want, content := range map[string]string{
		"the column Text is missing; the header has: Id, Txt": "Id,Txt\n",
		"names the column":     "Id,Text,id\n",
		"at most 1000 columns": "",
	} {
		if content == "" {
			content, want = strings.Repeat("a,", mostColumns)+"b\n", "at most 1000 are read"
		}
		_, err := openFile(written(t, []byte(content)), "Id", "Text")
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
		opened, err := openFile(written(t, content))
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
