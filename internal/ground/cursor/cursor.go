// Package cursor seals the positions that callers carry from one request to the next:
// where a page ends, how far a stream has come.
//
// A cursor is opaque. It is encrypted and authenticated (XChaCha20-Poly1305, with a
// fresh nonce each time), so it reveals nothing to its bearer, such as how much others
// write, and callers can neither make nor change one. It is bound to its kind: a cursor
// of one list is invalid in another.
//
//	s := cursor.New(secret)
//	text := s.Seal(cursor.Messages, number)
//	ok := s.Open(cursor.Messages, text, &number)
package cursor

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// Kind is what a cursor is of. It is authenticated with the cursor.
type Kind string

// The kinds.
const (
	Feed          Kind = "feed"
	Conversations Kind = "conversations"
	Messages      Kind = "messages"
	Search        Kind = "search"
	Operations    Kind = "operations"
	Results       Kind = "results"
)

// most is how many numbers a place may have.
const most = 3

// MostLength is how many characters a cursor has at most.
var MostLength = encoding.EncodedLen(room)

const room = chacha20poly1305.NonceSizeX + 8*most + chacha20poly1305.Overhead

var encoding = base64.RawURLEncoding.Strict()

// Sealer makes and opens cursors. It is safe for concurrent use.
type Sealer struct {
	aead   cipher.AEAD
	nonces io.Reader
}

// New returns a Sealer under a secret, which all processes on a database share.
func New(secret []byte) *Sealer { return WithNonces(secret, rand.Reader) }

// WithNonces is New with another source of nonces, so that tests can compare what
// is sealed. No nonce may come twice.
func WithNonces(secret []byte, nonces io.Reader) *Sealer {
	key, err := hkdf.Key(sha256.New, secret, nil, "parley cursors", chacha20poly1305.KeySize)
	if err != nil {
		panic(fmt.Sprintf("cursor: %v", err)) // only a key longer than 8 kB fails
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic(fmt.Sprintf("cursor: %v", err)) // the key has the right size
	}
	return &Sealer{aead, nonces}
}

// Seal returns the cursor of a place, which is up to three numbers.
func (s *Sealer) Seal(kind Kind, place ...int64) string {
	var plain [8 * most]byte
	for i, n := range place {
		binary.BigEndian.PutUint64(plain[8*i:], uint64(n))
	}
	return s.SealBytes(kind, plain[:8*len(place)])
}

// SealBytes is Seal for what is no place.
func (s *Sealer) SealBytes(kind Kind, plain []byte) string {
	nonce := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(plain)+chacha20poly1305.Overhead)
	if _, err := io.ReadFull(s.nonces, nonce); err != nil {
		panic(fmt.Sprintf("cursor: no nonce: %v", err)) // crypto/rand never fails
	}
	return encoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, []byte(kind)))
}

// Open reads the place in a cursor of the kind. It reports false for anything that
// Seal has not returned for that kind, under this secret, with as many numbers.
func (s *Sealer) Open(kind Kind, text string, place ...*int64) bool {
	if len(text) > MostLength {
		return false
	}
	plain, ok := s.OpenBytes(kind, text)
	if !ok || len(plain) != 8*len(place) {
		return false
	}
	for i, n := range place {
		*n = int64(binary.BigEndian.Uint64(plain[8*i:]))
	}
	return true
}

// OpenBytes is what SealBytes sealed. It reports false for anything that SealBytes has not
// returned for that kind, under this secret. Whoever calls it has bounded the text.
func (s *Sealer) OpenBytes(kind Kind, text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	b, err := encoding.DecodeString(text)
	if err != nil || len(b) < chacha20poly1305.NonceSizeX {
		return nil, false
	}
	plain, err := s.aead.Open(nil, b[:chacha20poly1305.NonceSizeX], b[chacha20poly1305.NonceSizeX:], []byte(kind))
	return plain, err == nil
}
