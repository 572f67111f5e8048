package legacy

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/text/encoding"
	textunicode "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// mostRow bounds one row of a file: the longest text that is kept, and then some.
const mostRow = 16 << 20

// mostColumns bounds how many columns a file has.
const mostColumns = 1_000

// file is an export as rows of named columns: CSV with a header line or JSON
// lines, plain or compressed with gzip, in UTF-8 or, with a byte order mark, UTF-16.
type file struct {
	path string
	size int64

	closer io.Closer
	taken  *counted
	next   func() (row, error)
}

// row is one row; columns that the file does not have are empty.
type row struct {
	line    int // in the file, from 1; of its beginning
	columns map[string]int
	values  []string
	problem string // why it cannot be read; empty when it can
}

func (r *row) get(column string) string {
	if i, ok := r.columns[column]; ok && i < len(r.values) {
		return strings.TrimSpace(r.values[i])
	}
	return ""
}

// text is get with the blanks around it.
func (r *row) text(column string) string {
	if i, ok := r.columns[column]; ok && i < len(r.values) {
		return r.values[i]
	}
	return ""
}

// openFile opens an export that must have the columns named.
func openFile(path string, required ...string) (f *file, err error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = in.Close()
			err = fmt.Errorf("%s: %w", path, err)
		}
	}()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("it is a folder; give a file of it")
	}
	f = &file{path: path, size: info.Size(), closer: in, taken: &counted{from: in}}
	plain, err := unpack(f.taken)
	if err != nil {
		return nil, err
	}
	bound := &bounded{from: transform.NewReader(plain, textunicode.BOMOverride(encoding.Nop.NewDecoder())), left: mostRow}
	r := bufio.NewReader(bound)
	if json, err := startsWith(r, '{'); err != nil {
		return nil, err
	} else if json {
		f.next = jsonLines(r, bound)
		return f, nil
	}
	f.next, err = csvRows(r, bound, required)
	return f, err
}

// unpack sees by the first bytes whether a file is compressed.
func unpack(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	magic, err := b.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return gzip.NewReader(b)
	}
	return b, nil
}

func startsWith(r *bufio.Reader, first byte) (bool, error) {
	for n := 1; n <= r.Size(); n++ {
		head, err := r.Peek(n)
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if c := head[n-1]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c == first, nil
		}
	}
	return false, nil
}

// consumed is how many bytes of the file have been taken.
func (f *file) consumed() int64 { return f.taken.n }

func (f *file) close() { _ = f.closer.Close() } // it was only read

// each calls fn with every row.
func (f *file) each(fn func(*row) error) error {
	for {
		r, err := f.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = fn(&r)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
	}
}

// counted counts what is read.
type counted struct {
	from io.Reader
	n    int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}

// bounded fails when more is read for one row than a row may have.
type bounded struct {
	from io.Reader
	left int
}

var errLongRow = fmt.Errorf("the row is longer than %d MB; is a quotation mark missing?", mostRow>>20)

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLongRow
	}
	n, err := b.from.Read(p)
	b.left -= n
	return n, err
}

// columnName makes names equal that differ in case, blanks and signs.
func columnName(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func csvRows(r *bufio.Reader, bound *bounded, required []string) (func() (row, error), error) {
	comma, err := separator(r)
	if err != nil {
		return nil, err
	}
	c := csv.NewReader(r)
	c.Comma, c.FieldsPerRecord, c.ReuseRecord = comma, -1, true
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("the header line cannot be read: %w", err)
	}
	columns, err := columnsOf(header, required)
	if err != nil {
		return nil, err
	}
	width := len(header)
	return func() (row, error) {
		bound.left = mostRow
		values, err := c.Read()
		var bad *csv.ParseError
		switch {
		case errors.As(err, &bad):
			return row{line: bad.StartLine, problem: "the row is no CSV: " + bad.Err.Error()}, nil
		case err != nil:
			line, _ := c.FieldPos(0)
			return row{}, atLine(err, line)
		}
		line, _ := c.FieldPos(0)
		got := row{line: line, columns: columns, values: values}
		if len(values) != width {
			got.problem = fmt.Sprintf("the row has %d fields and the header %d", len(values), width)
		}
		return got, nil
	}, nil
}

// atLine says where reading stopped, unless it ended.
func atLine(err error, last int) error {
	if errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("after line %d: %w", last, err)
}

func columnsOf(header, required []string) (map[string]int, error) {
	if len(header) > mostColumns {
		return nil, fmt.Errorf("the file has %d columns; at most %d are read", len(header), mostColumns)
	}
	columns := make(map[string]int, len(header))
	for i, name := range header {
		key := columnName(name)
		if _, twice := columns[key]; twice && key != "" {
			return nil, fmt.Errorf("the header names the column %q twice", name)
		}
		columns[key] = i
	}
	for _, name := range required {
		if _, ok := columns[columnName(name)]; !ok {
			return nil, fmt.Errorf("the column %s is missing; the header has: %s", name, strings.Join(header, ", "))
		}
	}
	return columns, nil
}

// separator is the sign that stands most often in the header line.
func separator(r *bufio.Reader) (rune, error) {
	head, err := r.Peek(r.Size())
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return 0, err
	}
	if line, _, found := bytes.Cut(head, []byte("\n")); found {
		head = line
	}
	best := ','
	for _, sign := range []rune{';', '\t'} {
		if bytes.Count(head, []byte(string(sign))) > bytes.Count(head, []byte(string(best))) {
			best = sign
		}
	}
	return best, nil
}

// jsonLines reads one object to a line.
func jsonLines(r *bufio.Reader, bound *bounded) func() (row, error) {
	line := 0
	return func() (row, error) {
		for {
			bound.left = mostRow
			text, err := r.ReadBytes('\n')
			if len(text) == 0 && err != nil || err != nil && !errors.Is(err, io.EOF) {
				return row{}, atLine(err, line)
			}
			line++
			if text = bytes.TrimSpace(text); len(text) > 0 {
				return jsonRow(line, text), nil
			}
		}
	}
}

func jsonRow(line int, text []byte) row {
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		return row{line: line, problem: "the line is no JSON object"}
	}
	got := row{line: line, columns: make(map[string]int, len(members))}
	for name, value := range members {
		got.columns[columnName(name)] = len(got.values)
		switch value := value.(type) {
		case nil:
			got.values = append(got.values, "")
		case string:
			got.values = append(got.values, value)
		case bool, json.Number:
			got.values = append(got.values, fmt.Sprint(value))
		default:
			got.problem = fmt.Sprintf("the member %q is neither text, number nor boolean", name)
			got.values = append(got.values, "")
		}
	}
	return got
}
