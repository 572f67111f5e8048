package component

import (
	"time"

	"parley/internal/ground/clock"
	"parley/internal/ground/cursor"
)

// TokenKeeps is how long a customer's token names their conversation.
const TokenKeeps = 30 * 24 * time.Hour

const personal cursor.Kind = "customer token"

// CustomerToken is a sealed text that names a conversation, and the component that brought
// it, to whoever asks this organisation's Parley. It gives no rights.
func CustomerToken(s *cursor.Sealer, conversation, component int64, until clock.Time) string {
	return s.Seal(personal, conversation, component, int64(until))
}

// ReadCustomerToken is what CustomerToken sealed; false for any other text.
func ReadCustomerToken(s *cursor.Sealer, token string) (conversation, component int64, until clock.Time, ok bool) {
	var at int64
	ok = s.Open(personal, token, &conversation, &component, &at)
	return conversation, component, clock.Time(at), ok
}
