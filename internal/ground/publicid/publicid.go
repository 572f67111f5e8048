// Package publicid turns the int64 keys of the database into the ids that
// callers see: a type prefix and 13 characters, such as "cnv_4k0m2v7q9p3xa".
//
// The characters are the base32 of a keyed permutation of the 64-bit key: ids
// are opaque and cannot be guessed or counted, yet cost no column and no
// look-up. The permutation is a four-round Feistel network over AES-128, with
// the type as tweak; four rounds of a pseudo-random function make a strong
// pseudo-random permutation (Luby and Rackoff, 1988).
package publicid

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Kind is a type of object; its value is the id's prefix.
type Kind string

// The kinds.
const (
	Conversation  Kind = "cnv"
	Message       Kind = "msg"
	Agent         Kind = "agt"
	Channel       Kind = "chn"
	Record        Kind = "rec"
	MessagingUser Kind = "usr"
	Attempt       Kind = "att"
	BulkOperation Kind = "blk"
	Queue         Kind = "que"
	QuickText     Kind = "qtx"
	PermissionSet Kind = "pst"
	AuditEntry    Kind = "aud"
	Account       Kind = "pac"
	AccessToken   Kind = "tok"
	ObjectType    Kind = "obj"
	CrmAction     Kind = "act"
	CrmActionRun  Kind = "run"
	LinkingRule   Kind = "lnk"
	CrmConnection Kind = "crm"
	Component     Kind = "cmp"
	Image         Kind = "img"
)

var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// maxKey bounds what Parse takes for a key: a forged id hardly ever passes.
const maxKey = 1 << 48

// Codec encodes and decodes ids. It is safe for concurrent use.
type Codec struct{ block cipher.Block }

// New returns a Codec for a key of at least 16 bytes, which must stay the same
// for the life of the database.
func New(key []byte) (*Codec, error) {
	if len(key) < 16 {
		return nil, fmt.Errorf("publicid: the key has %d bytes; at least 16 are needed", len(key))
	}
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		return nil, err
	}
	return &Codec{block}, nil
}

// Encode returns the id of the object with the key.
func (c *Codec) Encode(kind Kind, key int64) string {
	return string(c.Append(make([]byte, 0, length+aes.BlockSize), kind, key))
}

// length is that of an id: prefixes have three letters.
const length = 3 + 1 + 13

// Append appends the id of the object with the key. It may write to the room behind
// the id.
func (c *Codec) Append(b []byte, kind Kind, key int64) []byte {
	b = slices.Grow(b, length+aes.BlockSize)
	scratch := (*[aes.BlockSize]byte)(b[len(b)+length : len(b)+length+aes.BlockSize]) // the room behind the id, which escapes already
	var x [8]byte
	binary.BigEndian.PutUint64(x[:], c.permute(scratch, kind, uint64(key), false))
	return encoding.AppendEncode(append(append(b, kind...), '_'), x[:])
}

// Decode returns the key in an id of the kind; 0, which no object has, and false for
// anything that Encode does not return for that kind.
func (c *Codec) Decode(kind Kind, id string) (int64, bool) {
	if k, key, ok := c.Parse(id); ok && k == kind {
		return key, true
	}
	return 0, false
}

// Parse returns the kind and the key in an id of any kind.
func (c *Codec) Parse(id string) (Kind, int64, bool) {
	prefix, rest, found := strings.Cut(id, "_")
	if !found || len(rest) != 13 || !known(Kind(prefix)) {
		return "", 0, false
	}
	var b [8]byte
	if n, err := encoding.Decode(b[:], []byte(rest)); err != nil || n != 8 {
		return "", 0, false
	}
	kind := Kind(prefix)
	key := int64(c.permute(new([aes.BlockSize]byte), kind, binary.BigEndian.Uint64(b[:]), true))
	// The last character has a spare bit: only the canonical spelling counts.
	if key <= 0 || key >= maxKey || c.Encode(kind, key) != id {
		return "", 0, false
	}
	return kind, key, true
}

func known(k Kind) bool {
	switch k {
	case Conversation, Message, Agent, Channel, Record, MessagingUser, Attempt, BulkOperation, Queue, QuickText, PermissionSet, AuditEntry, Account, AccessToken,
		ObjectType, CrmAction, CrmActionRun, LinkingRule, CrmConnection, Component, Image:
		return true
	}
	return false
}

// permute works in b, for what is given to the cipher escapes.
func (c *Codec) permute(b *[aes.BlockSize]byte, kind Kind, x uint64, inverse bool) uint64 {
	left, right := uint32(x>>32), uint32(x)
	for i := range byte(4) {
		if inverse {
			left, right = right^c.round(b, kind, 3-i, left), left
		} else {
			left, right = right, left^c.round(b, kind, i, right)
		}
	}
	return uint64(left)<<32 | uint64(right)
}

// round is the network's round function: AES of (kind, round, half).
func (c *Codec) round(b *[aes.BlockSize]byte, kind Kind, i byte, half uint32) uint32 {
	clear(b[:])
	copy(b[:8], kind)
	b[8] = i
	binary.BigEndian.PutUint32(b[12:], half)
	c.block.Encrypt(b[:], b[:])
	return binary.BigEndian.Uint32(b[:4])
}
