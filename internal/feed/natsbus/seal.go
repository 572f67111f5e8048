package natsbus

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// A sealed hint is the position in 8 bytes, big-endian, and 16 bytes of its MAC.
const (
	macSize    = 16
	sealedSize = 8 + macSize
)

// sealer makes and opens the messages of one database.
type sealer struct {
	subject string
	key     []byte
}

func newSealer(epoch int64, key []byte) sealer {
	return sealer{subject: fmt.Sprintf("parley.%016x.log", uint64(epoch)), key: key}
}

func (s sealer) seal(position int64) []byte {
	message := binary.BigEndian.AppendUint64(make([]byte, 0, sealedSize), uint64(position))
	return append(message, s.mac(message)...)
}

// open returns the position of a message that seal made for the same database.
func (s sealer) open(message []byte) (position int64, ok bool) {
	if len(message) != sealedSize || !hmac.Equal(message[8:], s.mac(message[:8])) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(message)), true
}

// mac covers the subject: a hint for one database means nothing to another.
func (s sealer) mac(position []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(s.subject))
	h.Write(position)
	return h.Sum(nil)[:macSize]
}
