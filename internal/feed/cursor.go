package feed

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/fault"
)

// Cursors signs positions of one log: a cursor is a MAC over (epoch, position),
// valid on every process that shares the key and bound to no viewer or filter.
type Cursors struct {
	key     []byte
	epoch   int64
	resyncs *prometheus.CounterVec
}

// NewCursors returns the cursors of the log with the epoch.
func NewCursors(key []byte, epoch int64) *Cursors {
	resyncs := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_feed_resyncs_total",
		Help: "Streams told RESYNC_REQUIRED, by reason: FORGED, EPOCH (restored since), AHEAD, OLD (no longer in the log) or SLOW (read too slowly).",
	}, []string{"reason"})
	for _, why := range []Reason{Forged, OtherEpoch, Ahead, TooOld, TooSlow} {
		resyncs.WithLabelValues(string(why)) // there from the start, at 0
	}
	return &Cursors{key, epoch, resyncs}
}

const macLength = 12

// Encode returns the cursor of a position.
func (c *Cursors) Encode(position int64) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.epoch))
	b = binary.BigEndian.AppendUint64(b, uint64(position))
	return base64.RawURLEncoding.EncodeToString(append(b, c.mac(b)...))
}

func (c *Cursors) mac(b []byte) []byte {
	m := hmac.New(sha256.New, c.key)
	m.Write([]byte("feed cursor"))
	m.Write(b)
	return m.Sum(nil)[:macLength]
}

// Decode returns the position in a cursor. A cursor that we did not make, or
// that is of another log, is answered with RESYNC_REQUIRED.
func (c *Cursors) Decode(cursor string) (int64, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || strings.ContainsAny(cursor, "\r\n") || len(b) != 16+macLength || !hmac.Equal(c.mac(b[:16]), b[16:]) {
		return 0, c.Resync(Forged, "This cursor is not one of ours. Run the query again and subscribe from its feedCursor.", "")
	}
	if int64(binary.BigEndian.Uint64(b)) != c.epoch {
		return 0, c.Resync(OtherEpoch, "The event log was restored since this cursor was made. Run the query again and subscribe from its feedCursor.", "")
	}
	return int64(binary.BigEndian.Uint64(b[8:])), nil
}

// Reason is why a stream cannot go on.
type Reason string

// The reasons.
const (
	Forged     Reason = "FORGED" // not a cursor of ours
	OtherEpoch Reason = "EPOCH"  // of the log before a restore
	Ahead      Reason = "AHEAD"  // of what was never written here
	TooOld     Reason = "OLD"    // of what the log no longer holds
	TooSlow    Reason = "SLOW"   // its reader fell behind
)

// Resync is the RESYNC_REQUIRED that a stream is answered or ends with, and
// counts it. lastGood is the cursor of the last event given, if any.
func (c *Cursors) Resync(why Reason, message, lastGood string) error {
	c.resyncs.WithLabelValues(string(why)).Inc()
	e := fault.New(fault.ResyncRequired, "%s", message)
	e.Cursor = lastGood
	return e
}
