package channel

// Status is where an attempt to send stands, and where its message does: as the
// attempt that has arrived, or else as the latest.
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

// Shown is the status as the graph shows it: UNKNOWN for one that a newer version
// gave, and this one does not know; none for none.
func (s Status) Shown() Status {
	if rank[s] > 0 || s == "" {
		return s
	}
	return Unsettled
}

// Arrived reports whether the customer has what was sent.
func (s Status) Arrived() bool { return s == Delivered || s == Read }

// After returns the status that follows when report arrives at s. A status
// never goes back, whatever order reports come in: a report that ranks lower
// changes nothing. Ranked this way, a receipt settles UNKNOWN, and a late
// DELIVERED beats FAILED; FAILED never beats DELIVERED or READ. A status that is not
// known is taken for an end, as FAILED is; a report that is not known changes
// nothing.
func (s Status) After(report Status) Status {
	is := rank[s]
	if s.Shown() != s {
		is = rank[Failed]
	}
	if rank[report] > is {
		return report
	}
	return s
}
