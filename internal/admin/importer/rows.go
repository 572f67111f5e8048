package importer

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
)

// mostLines bounds how many lines a row of CSV has behind its first. Texts of people
// have a tenth; without it a file full of stray quotation marks would be read over
// and over.
const mostLines = 1_000

// mostAmbiguous is how far behind a line that is a row by itself the quotation mark
// before it may close, in bytes.
const mostAmbiguous = 64 << 10

const (
	tooLong    = "the row is longer than 16 MB"
	strayQuote = `a quotation mark stands inside a field: put the field in quotation marks, and double those within ("5"" pipe")`
	unclosed   = "a quotation mark in this line is never closed"
	// Either a text quotes rows, perhaps to have them taken, or two stray marks have rows
	// between them.
	ambiguous = "the row's quotation marks enclose lines that look like separate rows; correct the row, or remove it"
)

// csvRows reads rows of CSV, of which a quoted field may run over several lines. A
// row that cannot be read costs its own first line alone: behind it reading goes on
// at the next line.
type csvRows struct {
	lines   *lines
	comma   byte
	columns map[string]int
	width   int
	whole   func(*row) bool // whether what one line holds is a row

	source  bytes.Reader
	strict  *csv.Reader
	lenient *csv.Reader
}

// open reads the header.
func (c *csvRows) open(required []string) error {
	first, err := c.lines.begin()
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty")
	}
	if err != nil {
		return err
	}
	c.comma = separator(first.text)
	header, err := c.fields(first.text)
	if err != nil || first.long {
		return errors.New("the header line is not CSV")
	}
	c.width = len(header)
	c.columns, err = columnsOf(header, required)
	return err
}

// separator is the sign that stands most often in the header line.
func separator(header []byte) byte {
	best := byte(',')
	for _, sign := range []byte{';', '\t'} {
		if bytes.Count(header, []byte{sign}) > bytes.Count(header, []byte{best}) {
			best = sign
		}
	}
	return best
}

func (c *csvRows) next() (row, error) {
	first, err := c.lines.begin()
	if err != nil {
		return row{}, err
	}
	got := row{line: c.lines.number, columns: c.columns}
	if first.long {
		got.problem = tooLong
		return got, nil
	}
	more, closes, holdsRows, err := c.rest(first.text)
	if err != nil {
		return got, err
	}
	got.problem = unclosed
	if closes {
		got.problem = c.fill(&got, append(first.text, text(more)...))
	}
	if holdsRows && got.problem == "" {
		if got.problem = unclosed; c.whole(&got) {
			got.problem = ambiguous
			return got, nil
		}
	}
	if got.problem != "" {
		c.lines.unread(more)
	}
	return got, nil
}

// fill reads the fields of a record, or says why not.
func (c *csvRows) fill(into *row, record []byte) (problem string) {
	var err error
	into.values, err = c.fields(record)
	switch {
	case errors.Is(err, csv.ErrBareQuote), errors.Is(err, csv.ErrQuote):
		return strayQuote
	case err != nil:
		return "the row is not CSV: " + err.Error()
	}
	if len(into.values) != c.width {
		return fmt.Sprintf("the row has %d fields, but the header has %d", len(into.values), c.width)
	}
	return ""
}

func text(of []line) (all []byte) {
	for _, l := range of {
		all = append(all, l.text...)
	}
	return all
}

// rest are the further lines of the record that begins with first, whether its
// quotation marks close before the file or a row's room ends, and whether one of them
// is a row by itself: then they have to close soon.
func (c *csvRows) rest(first []byte) (more []line, closes, holdsRows bool, err error) {
	var q quoting
	q.over(first, c.comma)
	for size, most := len(first), mostRow; q.open && len(more) < mostLines; {
		next, err := c.lines.next()
		if errors.Is(err, io.EOF) {
			return more, false, holdsRows, nil
		}
		if err != nil {
			return nil, false, false, err
		}
		more = append(more, next)
		if size += len(next.text); next.long || size > most {
			return more, false, holdsRows, nil
		}
		if !holdsRows && c.isRow(next.text) {
			holdsRows, most = true, min(mostRow, size+mostAmbiguous)
		}
		q.over(next.text, c.comma)
	}
	return more, !q.open, holdsRows, nil
}

// isRow reports whether a line, read without regard to quotation marks, is a row by
// itself.
func (c *csvRows) isRow(text []byte) bool {
	if bytes.Count(text, []byte{c.comma}) < c.width-1 {
		return false
	}
	if c.lenient == nil {
		c.lenient = c.reader()
		c.lenient.LazyQuotes = true
	}
	values, err := c.parse(&c.lenient, text)
	return err == nil && len(values) == c.width && c.whole(&row{columns: c.columns, values: values})
}

// fields are those of one whole record.
func (c *csvRows) fields(record []byte) ([]string, error) {
	if c.strict == nil {
		c.strict = c.reader()
	}
	return c.parse(&c.strict, record)
}

func (c *csvRows) reader() *csv.Reader {
	r := csv.NewReader(&c.source)
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = rune(c.comma), -1, true
	return r
}

// parse reads one record. After an error the rest of it lies in the reader, which is
// thrown away with it.
func (c *csvRows) parse(by **csv.Reader, record []byte) ([]string, error) {
	c.source.Reset(record)
	values, err := (*by).Read()
	if err == nil && c.source.Len() == 0 {
		return values, nil
	}
	*by = nil
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		err = bad.Err
	}
	return values, err
}

// quoting follows the quotation marks of a record.
type quoting struct {
	within bool // a field, behind its first sign
	open   bool // a quoted field
}

// over goes over one line.
func (q *quoting) over(text []byte, comma byte) {
	if !q.open && bytes.IndexByte(text, '"') < 0 {
		return
	}
	for i := 0; i < len(text); i++ {
		sign := text[i]
		switch {
		case q.open && sign == '"' && i+1 < len(text) && text[i+1] == '"':
			i++
		case sign == '"' && q.open:
			q.open = false
		case sign == '"' && !q.within:
			q.open, q.within = true, true
		case !q.open:
			q.within = sign != comma
		}
	}
}

// jsonRows reads one object to a line.
type jsonRows struct{ lines *lines }

func (j *jsonRows) next() (row, error) {
	next, err := j.lines.begin()
	switch {
	case err != nil:
		return row{}, err
	case next.long:
		return row{line: j.lines.number, problem: tooLong}, nil
	}
	return jsonRow(j.lines.number, next.text), nil
}

func jsonRow(line int, text []byte) row {
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err := d.Decode(&members)
	if _, rest := d.Token(); err != nil || !errors.Is(rest, io.EOF) {
		return row{line: line, problem: "the line is not a JSON object"}
	}
	got := row{line: line, columns: make(map[string]int, len(members))}
	for name, value := range members {
		column := columnName(name)
		if _, twice := got.columns[column]; twice {
			got.problem = fmt.Sprintf("the line has the member %q twice", column)
		}
		got.columns[column] = len(got.values)
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
	if got.problem == "" && halves(text) {
		got.problem = "the line has an unpaired \\u surrogate escape"
	}
	return got
}

// escape is one escape of JSON, and for a character that takes two of them both.
var escape = regexp.MustCompile(`\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)`)

// halves reports whether JSON escapes half a character, for which its decoder puts a
// mark.
func halves(text []byte) bool {
	if !bytes.Contains(text, []byte(`\u`)) {
		return false
	}
	for _, e := range escape.FindAll(text, -1) {
		if len(e) == len(`\uXXXX`) && (e[2] == 'd' || e[2] == 'D') && e[3] >= '8' {
			return true
		}
	}
	return false
}
