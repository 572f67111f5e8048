package natsbus

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"parley/internal/desk/feed"
)

// A sealed hint is the position in 8 bytes, big-endian, and 16 bytes of its MAC. A
// sealed signal is the length of its kind in a byte, the kind, the payload and 16
// bytes of a MAC under another key, so that neither passes for the other.
const (
	macSize    = 16
	sealedSize = 8 + macSize
	mostSealed = 1 + feed.MaxSignalKind + feed.MaxSignal + macSize
)

// sealer makes and opens the messages of one database.
type sealer struct {
	subject   string
	key       []byte
	signalKey []byte
}

func newSealer(epoch int64, key []byte) sealer {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("signals"))
	return sealer{subject: fmt.Sprintf("parley.%016x.log", uint64(epoch)), key: key, signalKey: h.Sum(nil)}
}

func (s sealer) seal(position int64) []byte {
	message := binary.BigEndian.AppendUint64(make([]byte, 0, sealedSize), uint64(position))
	return append(message, s.mac(s.key, message)...)
}

// open returns the position of a message that seal made for the same database.
func (s sealer) open(message []byte) (position int64, ok bool) {
	if len(message) != sealedSize || !hmac.Equal(message[8:], s.mac(s.key, message[:8])) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(message)), true
}

// sealSignal takes a signal that is within its bounds.
func (s sealer) sealSignal(kind string, payload []byte) []byte {
	message := append(make([]byte, 0, 1+len(kind)+len(payload)+macSize), byte(len(kind)))
	message = append(append(message, kind...), payload...)
	return append(message, s.mac(s.signalKey, message)...)
}

// openSignal returns what sealSignal was given for the same database.
func (s sealer) openSignal(message []byte) (kind string, payload []byte, ok bool) {
	end := len(message) - macSize
	if end < 1 || len(message) > mostSealed || !hmac.Equal(message[end:], s.mac(s.signalKey, message[:end])) {
		return "", nil, false
	}
	body := message[1:end]
	if n := int(message[0]); n <= len(body) {
		return string(body[:n]), body[n:], true
	}
	return "", nil, false
}

// mac covers the subject: a message for one database means nothing to another.
func (s sealer) mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s.subject))
	h.Write(message)
	return h.Sum(nil)[:macSize]
}
