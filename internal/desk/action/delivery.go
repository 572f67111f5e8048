package action

import (
	"time"

	"parley/internal/ground/clock"
)

// DefaultPauses are the times between tries to deliver, about a day and a half together.
var DefaultPauses = []time.Duration{
	5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour,
}

// Attempt is one try to deliver a webhook, or a change to a CRM.
type Attempt struct {
	At      clock.Time `json:"at"`
	Status  int        `json:"status,omitempty"`  // of HTTP; 0 if nobody answered
	Problem string     `json:"problem,omitempty"` // why it failed
	Answer  string     `json:"answer,omitempty"`  // the beginning of what was answered
}

// Delivery is where the delivery of a webhook, or of a change to a CRM, stands.
type Delivery string

// The states.
const (
	Pending   Delivery = "PENDING"
	Delivered Delivery = "DELIVERED"
	Failed    Delivery = "FAILED"
)

// Bounds of a delivery.
const (
	MostBody   = 64_000 // bytes that are sent
	MostAnswer = 1_000  // characters that are kept of an answer
	MostKept   = 20     // attempts that are kept
)

// Outcome is what became of a run.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "DONE"
	Refused Outcome = "REFUSED"
)
