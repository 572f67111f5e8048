package bulk

import (
	"encoding/binary"
	"errors"
	"slices"

	"parley/internal/ground/fault"
)

// item is a conversation of a frozen set.
type item struct {
	key int64
	// inbound is the ordinal of its last inbound message when the set was frozen:
	// what came after that stays new. In an operation that undoes another it is the time
	// at which that one changed the conversation.
	inbound int64
}

// pack writes items as pairs of varints, half a kilobyte for a hundred.
func pack(items []item) []byte {
	var b []byte
	for _, it := range items {
		b = binary.AppendUvarint(b, uint64(it.key))
		b = binary.AppendUvarint(b, uint64(it.inbound))
	}
	return b
}

func unpack(b []byte) (items []item, err error) {
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errors.New("operation: a batch's items cannot be read")
		}
		inbound, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return nil, errors.New("operation: a batch's items cannot be read")
		}
		items = append(items, item{int64(key), int64(inbound)})
		b = b[n+m:]
	}
	return items, nil
}

// Outcome is what became of a conversation of an operation.
type Outcome string

// The outcomes.
const (
	Waiting   Outcome = "WAITING"
	Changed   Outcome = "CHANGED"
	Unchanged Outcome = "UNCHANGED"
	Refused   Outcome = "REFUSED"
)

// verdict is an outcome with the reason for a refusal.
type verdict struct {
	outcome Outcome
	code    fault.Code
}

// verdicts are stored as their places here: the list only grows.
var verdicts = []verdict{
	{Waiting, ""},
	{Changed, ""},
	{Unchanged, ""},
	{Refused, fault.NotFound},
	{Refused, fault.Forbidden},
	{Refused, fault.ConfirmationNeeded},
	{Refused, fault.Conflict},
}

// notKnown is the verdict for one that a newer version has added to these.
var notKnown = verdict{Refused, fault.Conflict}

// verdictAt is the verdict stored as a place.
func verdictAt(place byte) verdict {
	if int(place) < len(verdicts) {
		return verdicts[place]
	}
	return notKnown
}

// verdictOf is the verdict of an error that a caller can act on.
func verdictOf(err error) (verdict, bool) {
	v := verdict{Refused, fault.CodeOf(err)}
	return v, slices.Contains(verdicts, v)
}

func (v verdict) place() byte { return byte(slices.Index(verdicts, v)) }

// refusal tells a creator why, and what to do next.
func (v verdict) refusal() *fault.Error {
	switch v.code {
	case fault.NotFound:
		return fault.Missing("conversation")
	case fault.Forbidden:
		return fault.New(v.code, "Assigning needs the permission ASSIGN_CONVERSATION, linking CONFIGURE_MESSAGING; changing a colleague's read state needs VIEW_TEAM_INBOX. Ask an administrator.")
	case fault.ConfirmationNeeded:
		return fault.New(v.code, "A colleague owns this conversation, and their read state would change. Begin again with confirmForOwner: true if you intend that.")
	case fault.Conflict:
		return fault.New(v.code, "The new owner is no longer active: choose another. Or a newer version of Parley refused it for a reason unknown to this one.")
	}
	return nil
}

// tally counts verdicts.
type tally struct {
	done, changed int64
	refused       map[fault.Code]int64
}

func (t *tally) add(v verdict) {
	t.done++
	switch v.outcome {
	case Changed:
		t.changed++
	case Refused:
		if t.refused == nil {
			t.refused = map[fault.Code]int64{}
		}
		t.refused[v.code]++
	}
}
