package importer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// mostRow bounds one row of a file, in bytes: the longest text that is kept, and
// then some.
const mostRow = 16 << 20

// mostColumns bounds how many columns a file has.
const mostColumns = 1_000

// file is an export as rows of named columns: CSV with a header line or JSON
// lines, plain or compressed with gzip, in UTF-8 or another encoding.
type file struct {
	path string
	size int64

	closer io.Closer
	taken  *counted
	lines  *lines
	header int // lines before the first row that are not blank
	next   func() (row, error)
}

// row is one row; columns that the file does not have are empty.
type row struct {
	line    int // in the file, from 1; of its beginning
	columns map[string]int
	values  []string
	problem string // why it cannot be read; empty when it can
}

func (r *row) get(column string) string { return strings.TrimSpace(r.text(column)) }

// text is get with the blanks around it.
func (r *row) text(column string) string {
	if i, ok := r.columns[column]; ok && i < len(r.values) {
		return r.values[i]
	}
	return ""
}

// openFile opens an export in the encoding, which must have the columns named.
// Whether a line stands for a row of its own is asked of whole.
func openFile(path, encoding string, whole func(*row) bool, required ...string) (f *file, err error) {
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
		return nil, errors.New("it is a folder; give a file in it")
	}
	f = &file{path: path, size: info.Size(), closer: in, taken: &counted{from: in}}
	if f.lines, err = readLines(f.taken, encoding); err != nil {
		return nil, err
	}
	if json, err := startsWith(f.lines.from, '{'); err != nil {
		return nil, err
	} else if json {
		f.next = (&jsonRows{lines: f.lines}).next
		return f, nil
	}
	rows := &csvRows{lines: f.lines, whole: whole}
	if err := rows.open(required); err != nil {
		return nil, err
	}
	f.header, f.next = 1, rows.next
	return f, nil
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

// columnName makes names equal that differ in case, blanks and signs.
func columnName(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func columnsOf(header, required []string) (map[string]int, error) {
	if len(header) > mostColumns {
		return nil, fmt.Errorf("the file has %d columns; at most %d are allowed", len(header), mostColumns)
	}
	columns := make(map[string]int, len(header))
	for i, name := range header {
		key := columnName(name)
		if _, twice := columns[key]; twice && key != "" {
			return nil, fmt.Errorf("the header has the column %q twice", name)
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
