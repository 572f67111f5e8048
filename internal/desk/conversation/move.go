package conversation

import (
	"slices"

	"parley/internal/desk/content"
	"parley/internal/ground/clock"
)

// The methods of this file are the whole of how a conversation changes (DOMAIN:
// Conversation). They are pure: Service.Change saves what they did.

// Message is what a conversation needs to know of a message added to it.
type Message struct {
	Key     int64
	At      clock.Time
	Preview string
}

// NextSeq gives the next message its number.
func (r *Row) NextSeq() int64 {
	r.LastSeq++
	return r.LastSeq
}

// Precede gives a message older than the first its number.
func (r *Row) Precede() int64 {
	r.FirstSeq--
	return r.FirstSeq
}

// Receive takes an inbound message in: unread, one more new, on top of the list.
// It never moves an owner who is there; where nobody is, the sole owner of the
// sender ID becomes it.
func (r *Row) Receive(m Message, soleOwner int64) {
	r.InboundCount++
	r.IsUnread = true
	r.LastIncoming = later(r.LastIncoming, m.At)
	r.show(m, content.Inbound)
	if r.OwnerID == 0 {
		r.OwnerID = soleOwner
	}
}

// Ask keeps the question that a typed answer is to; 0 for none.
func (r *Row) Ask(message int64) { r.AskedID = message }

// Send takes an outbound message in. A person's makes them owner where nobody
// was assigned and the sender ID is not another's alone, and marks as read up to the
// inbound ordinal when that is theirs to do; an automated one (author 0) changes
// neither.
func (r *Row) Send(m Message, author, soleOwner, read int64, clearForOwner bool) {
	r.show(m, content.Outbound)
	if author == 0 {
		return
	}
	if !r.Assigned {
		r.OwnerID = author
		if soleOwner != 0 {
			r.OwnerID = soleOwner
		}
	}
	if !slices.Contains(r.SentBy, author) {
		r.SentBy = append(slices.Clone(r.SentBy), author)
	}
	if r.OwnerID == author || clearForOwner {
		r.MarkRead(read)
	}
}

// ReceivePast takes in an inbound message that another desk received: unread, or
// already read where nothing before it is new. It shows in lists unless what is
// there is newer.
func (r *Row) ReceivePast(m Message, soleOwner int64, read bool) {
	r.InboundCount++
	if read && r.ReadCount == r.InboundCount-1 {
		r.ReadCount = r.InboundCount
	} else {
		r.IsUnread = true
	}
	r.LastIncoming = later(r.LastIncoming, m.At)
	if m.At < r.LastMessageAt {
		return
	}
	r.show(m, content.Inbound)
	if r.OwnerID == 0 {
		r.OwnerID = soleOwner
	}
}

// ReceivedBefore takes in an inbound message that is older than all that are there.
// It is neither unread nor new.
func (r *Row) ReceivedBefore(at clock.Time) { r.LastIncoming = later(r.LastIncoming, at) }

// SendPast takes in an outbound message that another desk sent, by a person or
// (author 0) by itself. It clears no unread. It shows in lists, and moves the owner
// as Send does, unless what is there is newer.
func (r *Row) SendPast(m Message, author, soleOwner int64) {
	latest := m.At >= r.LastMessageAt
	if latest {
		r.show(m, content.Outbound)
	}
	if author == 0 {
		return
	}
	if latest && !r.Assigned {
		r.OwnerID = author
		if soleOwner != 0 {
			r.OwnerID = soleOwner
		}
	}
	if !slices.Contains(r.SentBy, author) {
		r.SentBy = append(slices.Clone(r.SentBy), author)
	}
}

// Anchor ties the conversation to the record that was messaged last: of several
// records with one number, that one counts (DOMAIN: Access). A record's name goes
// before any other.
func (r *Row) Anchor(record *Record) {
	r.RecordID, r.Type = record.Key, record.ObjectType
	if record.Name != "" {
		r.Title = record.Name
	}
}

// Link ties the conversation to a record that somebody chose. One without a name leaves the
// customer's own.
func (r *Row) Link(record *Record, customer string) {
	r.Title = customer
	r.Anchor(record)
}

// MarkRead marks as read up to the inbound ordinal. What came later stays new
// and keeps the conversation unread. If nothing new is read and the conversation stays
// as it is, nothing changes in those that are merged into it either.
func (r *Row) MarkRead(upTo int64) {
	count := max(r.ReadCount, min(upTo, r.InboundCount))
	unread := count < r.InboundCount
	if r.OwnState != "" && (count != r.ReadCount || unread != r.IsUnread) {
		r.OwnState = seen
	}
	r.ReadCount, r.IsUnread = count, unread
}

// MarkUnread marks as unread; the new count stays.
func (r *Row) MarkUnread() { r.IsUnread = true }

// Assign gives the conversation to an agent, or to nobody (0), for whom it is
// unread. The new count stays. From then on sending does not move the owner.
// An owner who is there already keeps their read state.
func (r *Row) Assign(agent int64) {
	r.IsUnread = r.IsUnread || agent != r.OwnerID
	r.OwnerID, r.Assigned = agent, agent != 0
}

// ReadBelongsTo reports whether the unread state is the agent's to change
// without confirmation: their own, or nobody's.
func (r *Row) ReadBelongsTo(agent int64) bool { return r.OwnerID == 0 || r.OwnerID == agent }

func (r *Row) show(m Message, d content.Direction) {
	r.Preview, r.LastDirection, r.LastMessageID = m.Preview, d, m.Key
	r.LastMessageAt = later(r.LastMessageAt, m.At)
}

// later keeps a conversation from moving back when a clock is stepped.
func later(a, b clock.Time) clock.Time { return max(a, b) }
