package selection

import (
	"strconv"

	"github.com/99designs/gqlgen/graphql"
)

// Writer is the buffer that an answer is written to, with the spelling of
// package graphql.
type Writer struct {
	b       []byte
	invalid bool // null stands where the schema has none
}

// Null writes null; where the schema has none, the answer is the executor's.
func (w *Writer) Null(nonNull bool) {
	w.b = append(w.b, "null"...)
	w.invalid = w.invalid || nonNull
}

// Bool writes a Boolean.
func (w *Writer) Bool(v bool) { w.b = strconv.AppendBool(w.b, v) }

// Int writes an Int, or an integer scalar.
func (w *Writer) Int(v int64) { w.b = strconv.AppendInt(w.b, v, 10) }

// String writes a String, ID or enum value. Bytes that are no UTF-8 stay as they
// are.
func (w *Writer) String(s string) {
	b := append(w.b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '\\' && c != '"' {
			continue
		}
		b = append(b, s[start:i]...)
		b = appendEscaped(b, c)
		start = i + 1
	}
	b = append(b, s[start:]...)
	w.b = append(b, '"')
}

func appendEscaped(b []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	switch c {
	case '\t':
		return append(b, `\t`...)
	case '\r':
		return append(b, `\r`...)
	case '\n':
		return append(b, `\n`...)
	case '\\', '"':
		return append(b, '\\', c)
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}

// Append writes a scalar that spells itself, quotes included.
func Append[T interface{ AppendGQL(b []byte) []byte }](w *Writer, v T) { w.b = v.AppendGQL(w.b) }

// Text writes a text that is appended, and has nothing to escape.
func Text[T any](w *Writer, of T, appendTo func(of T, b []byte) []byte) {
	w.b = append(appendTo(of, append(w.b, '"')), '"')
}

// Marshal writes any other scalar.
func (w *Writer) Marshal(m graphql.Marshaler, nonNull bool) {
	if m == graphql.Null {
		w.Null(nonNull)
		return
	}
	m.MarshalGQL(appender{w})
}

// appender is a Writer as an io.Writer.
type appender struct{ w *Writer }

// Write implements io.Writer.
func (a appender) Write(p []byte) (int, error) {
	a.w.b = append(a.w.b, p...)
	return len(p), nil
}

// List writes a list of leaves.
func List[T any](w *Writer, list []T, write func(w *Writer, v T)) {
	w.b = append(w.b, '[')
	for i, v := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		write(w, v)
	}
	w.b = append(w.b, ']')
}

// Pointer gives an object, or nil as such.
func Pointer[T any](p *T) any {
	if p == nil {
		return nil
	}
	return p
}

// Pointers appends a list of objects.
func Pointers[T any](into []any, list []*T) []any {
	for _, p := range list {
		into = append(into, Pointer(p))
	}
	return into
}

// Addresses appends a list of objects that are held as values.
func Addresses[T any](into []any, list []T) []any {
	for i := range list {
		into = append(into, &list[i])
	}
	return into
}

// Values appends a list of interface values.
func Values[T any](into []any, list []T) []any {
	for _, v := range list {
		into = append(into, v)
	}
	return into
}

// Parents are the parents of a batch, as its resolver takes them.
func Parents[T any](parents []any) []T {
	out := make([]T, len(parents))
	for i, p := range parents {
		out[i] = p.(T) // the tables put them there
	}
	return out
}

// Results are what a batch gave, unless it gave another number than it was
// asked for, which the executor tells of.
func Results[T any](parents []any, results []T, err error) ([]any, error) {
	if err == nil && len(results) != len(parents) {
		err = errResults
	}
	return Values(make([]any, 0, len(results)), results), err
}
