package channel

// Status is where an outbound message stands. It is the status of the message's
// latest attempt.
type Status string

// The statuses. Within an attempt a status only moves up, in this order, with
// two exceptions stated at Status.After.
const (
	Queued    Status = "QUEUED"
	Sending   Status = "SENDING"
	Unsettled Status = "UNKNOWN" // the provider may or may not have taken it
	Sent      Status = "SENT"
	Failed    Status = "FAILED"
	Delivered Status = "DELIVERED"
	Read      Status = "READ"
)

var rank = map[Status]int{Queued: 1, Sending: 2, Unsettled: 3, Sent: 4, Failed: 5, Delivered: 6, Read: 7}

// After returns the status that follows when report arrives at s. A status
// never goes back, whatever order reports come in: a report that ranks lower
// changes nothing. Ranked this way, a receipt settles UNKNOWN, and a late
// DELIVERED beats FAILED; FAILED never beats DELIVERED or READ.
func (s Status) After(report Status) Status {
	if rank[report] > rank[s] {
		return report
	}
	return s
}
