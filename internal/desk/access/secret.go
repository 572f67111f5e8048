package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash/crc32"
	"strings"

	"parley/internal/ground/fault"
)

// Prefix begins every access token, so that they are told from JSON Web Tokens, and found
// by those who search code for secrets: pat_[a-z2-7]{58}.
const Prefix = "pat_"

// An access token is the prefix and, in base32, 256 random bits and their CRC-32. The
// checksum tells a search from chance without asking the server. Random bits of that
// number need no slow hash: nobody can try them.
const (
	randomBytes = 32
	sumBytes    = crc32.Size
)

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

var errMalformed = fault.New(fault.Unauthenticated, "The access token is not whole. Copy it again, from pat_ to its last character.")

// IsToken reports whether a bearer token is meant as an access token.
func IsToken(bearer string) bool { return strings.HasPrefix(bearer, Prefix) }

func draw() (secret string, hash [sha256.Size]byte) {
	b := make([]byte, randomBytes, randomBytes+sumBytes)
	_, _ = rand.Read(b) // never fails
	secret = Prefix + encoding.EncodeToString(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
	return secret, sha256.Sum256([]byte(secret))
}

// hashOf is what is stored of a token; false for what is none.
func hashOf(secret string) (hash [sha256.Size]byte, ok bool) {
	text, found := strings.CutPrefix(secret, Prefix)
	if !found || len(text) != encoding.EncodedLen(randomBytes+sumBytes) {
		return hash, false
	}
	b, err := encoding.DecodeString(text)
	if err != nil || binary.BigEndian.Uint32(b[randomBytes:]) != crc32.ChecksumIEEE(b[:randomBytes]) {
		return hash, false
	}
	return sha256.Sum256([]byte(secret)), true
}
