package importer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const utf8Name = "utf-8"

// encodingNamed finds an encoding as the web or IANA name it; nil is UTF-8.
func encodingNamed(name string) (encoding.Encoding, error) {
	if name == "" {
		return nil, nil
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		e, err = ianaindex.IANA.Encoding(name)
	}
	if err != nil || e == nil {
		return nil, fmt.Errorf("the encoding %q is unknown; use one such as utf-8, utf-16le, windows-1252, iso-8859-15, macintosh, ibm850 or shift_jis", name)
	}
	if canonical, _ := htmlindex.Name(e); canonical == utf8Name {
		return nil, nil
	}
	return e, nil
}

// decode gives the text of r as UTF-8. A byte order mark says what the encoding is,
// else name does, else it is UTF-8. What is lossy has a mark where it cannot be read;
// UTF-8 comes as it is.
func decode(r *bufio.Reader, name string) (text io.Reader, lossy bool, err error) {
	named, err := encodingNamed(name)
	if err != nil {
		return nil, false, err
	}
	head, err := r.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\ufeff")):
		_, err := r.Discard(len("\ufeff"))
		return r, false, err
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		named = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case named == nil:
		return r, false, checkText(head)
	}
	return transform.NewReader(r, named.NewDecoder()), true, nil
}

// checkText refuses what begins like UTF-16, in which every second byte of plain
// letters is zero, or like no text at all.
func checkText(head []byte) error {
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	var guess string
	switch {
	case zeros[0] > len(head)/8 && zeros[1] == 0:
		guess = "utf-16be"
	case zeros[1] > len(head)/8 && zeros[0] == 0:
		guess = "utf-16le"
	case zeros[0]+zeros[1] > 0:
		return errors.New("this is not text: it contains zero bytes")
	default:
		return nil
	}
	return fmt.Errorf("the file looks like UTF-16 without a byte order mark; save it as UTF-8, or pass --encoding %s", guess)
}
