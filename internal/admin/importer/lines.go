package importer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// line is one line of a file, with its end.
type line struct {
	text []byte
	long bool // it was longer than a row may be, and is passed over
}

func (l line) isBlank() bool { return !l.long && len(bytes.TrimSpace(l.text)) == 0 }

// lines are those of a file, as valid UTF-8. Each is counted once, also when it is
// read again.
type lines struct {
	from   *bufio.Reader
	lossy  bool   // where its encoding breaks, a mark stands
	number int    // of the line read last, from 1
	blank  int    // between rows
	again  []line // to be read before any other, the next one last
}

// readLines reads the lines of a file, plain or compressed.
func readLines(r io.Reader, encoding string) (*lines, error) {
	plain, err := unpack(r)
	if err != nil {
		return nil, err
	}
	text, lossy, err := decode(plain, encoding)
	return &lines{from: bufio.NewReaderSize(text, 1<<16), lossy: lossy}, err
}

// unpack sees by the first bytes whether a file is compressed.
func unpack(r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	magic, err := b.Peek(4)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case len(magic) == 0:
		return nil, errors.New("the file is empty")
	case bytes.HasPrefix(magic, []byte("PK\x03\x04")):
		return nil, errors.New("this is a spreadsheet or a zip archive; save it as CSV, or unpack it")
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, err
		}
		return bufio.NewReaderSize(z, 1<<16), nil
	}
	return b, nil
}

// next is the next line, or io.EOF behind the last.
func (l *lines) next() (line, error) {
	var next line
	if last := len(l.again) - 1; last >= 0 {
		next, l.again = l.again[last], l.again[:last]
	} else {
		var err error
		if next, err = l.read(); err != nil {
			return next, err
		}
	}
	l.number++
	return next, nil
}

// begin is the next line that is not blank, in which a row begins.
func (l *lines) begin() (line, error) {
	next, err := l.next()
	for ; err == nil && next.isBlank(); next, err = l.next() {
		l.blank++
	}
	return next, err
}

// unread has lines that were read be read again.
func (l *lines) unread(read []line) {
	for _, r := range slices.Backward(read) {
		l.again = append(l.again, r)
	}
	l.number -= len(read)
}

func (l *lines) read() (next line, err error) {
	for {
		part, err := l.from.ReadSlice('\n')
		if next.long = next.long || len(next.text)+len(part) > mostRow; next.long {
			next.text = nil
		} else {
			next.text = append(next.text, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return next, fmt.Errorf("after line %d: %w", l.number, err)
		case err != nil && len(next.text) == 0 && !next.long:
			return next, io.EOF
		}
		return next, l.check(next.text)
	}
}

// check says where a line is not what the encoding promises.
func (l *lines) check(text []byte) error {
	valid := len(text)
	switch {
	case l.lossy:
		if at := bytes.IndexRune(text, utf8.RuneError); at >= 0 {
			valid = at
		}
	case !utf8.Valid(text):
		valid = 0
		for r, size := utf8.DecodeRune(text); r != utf8.RuneError || size > 1; r, size = utf8.DecodeRune(text[valid:]) {
			valid += size
		}
	}
	if valid == len(text) {
		return nil
	}
	where := fmt.Sprintf("line %d, character %d", l.number+1, utf8.RuneCount(text[:valid])+1)
	if l.lossy {
		return fmt.Errorf("%s cannot be read in the file's encoding; check --encoding, or save the file as UTF-8", where)
	}
	return fmt.Errorf("%s is not UTF-8 (byte %#x); save the file as UTF-8, or give its encoding, such as --encoding windows-1252",
		where, text[valid])
}
