package feed

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/ground/cursor"
	"parley/internal/ground/fault"
)

// Cursors seals the places of one database: positions of its log, and through the
// Sealer the places in lists. A cursor of the log holds its epoch and position; it
// is valid on every process that shares the secret and bound to no viewer or filter.
type Cursors struct {
	*cursor.Sealer
	secret  []byte
	epoch   int64
	resyncs *prometheus.CounterVec
}

// NewCursors returns the cursors of the log with the epoch.
func NewCursors(secret []byte, epoch int64) *Cursors {
	resyncs := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_feed_resyncs_total",
		Help: "Streams ended with RESYNC_REQUIRED, by reason: FORGED, EPOCH (database restored since), AHEAD, OLD (no longer in the log) or SLOW (read too slowly).",
	}, []string{"reason"})
	for _, why := range []Reason{Forged, OtherEpoch, Ahead, TooOld, TooSlow} {
		resyncs.WithLabelValues(string(why)) // there from the start, at 0
	}
	return &Cursors{cursor.New(secret), secret, epoch, resyncs}
}

// Encode returns the cursor of a position.
func (c *Cursors) Encode(position int64) string { return c.Seal(cursor.Feed, c.epoch, position) }

// Decode returns the position in a cursor. A cursor that we did not make, or
// that is of another log, is answered with RESYNC_REQUIRED.
func (c *Cursors) Decode(text string) (position int64, err error) {
	var epoch int64
	if !c.Open(cursor.Feed, text, &epoch, &position) && !c.signed(text, &epoch, &position) {
		return 0, c.Resync(Forged, "This cursor is not valid here. Run the query again and subscribe from its feedCursor.", "")
	}
	if epoch != c.epoch {
		return 0, c.Resync(OtherEpoch, "The database was restored after this cursor was issued. Run the query again and subscribe from its feedCursor.", "")
	}
	return position, nil
}

// signed opens a cursor as the last release made them: epoch and position in the
// clear, and a MAC. Remove it with the release after this one.
func (c *Cursors) signed(text string, epoch, position *int64) bool {
	const length = 12
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || len(b) != 16+length {
		return false
	}
	m := hmac.New(sha256.New, c.secret)
	m.Write([]byte("feed cursor"))
	m.Write(b[:16])
	*epoch, *position = int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))
	return hmac.Equal(m.Sum(nil)[:length], b[16:])
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
