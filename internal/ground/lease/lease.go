// Package lease lets one worker keep others away from its work without an open
// transaction: a row names the holder and when the hold ends.
package lease

import (
	"crypto/rand"
	"encoding/binary"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/clock"
)

// Token returns a name for a holder that no other has. It is positive: zero is
// nobody's.
func Token() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return int64(binary.BigEndian.Uint64(b[:])>>1) | 1
}

// Over reports whether a hold until then is over: its time has passed, or it lies
// further ahead than holds reach, which is their length and what the clocks of
// processes may differ by. That one was given before the clock was set back, and would
// last for as long as the step was.
func Over(until, now clock.Time, reach time.Duration) bool {
	return until <= now || until > now.Add(reach)
}

// IsOver is the SQL form of Over, for the column until.
func IsOver(until string, now clock.Time, reach time.Duration) *entsql.Predicate {
	return entsql.Or(entsql.LTE(until, int64(now)), entsql.GT(until, int64(now.Add(reach))))
}
