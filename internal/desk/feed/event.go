// Package feed is the live side of Parley: the event log with its facts, the sealed
// cursors into it, and the hub that follows it for all streams of a process.
//
// The log is the truth, and its positions are in commit order. The bus between processes
// carries only hints ("there are events up to N"); if one is lost, the look at the log's
// head once a second makes up for it. A stream first replays the log after its cursor
// and then goes live, without gap or repeat. A stream that cannot be served ends with
// RESYNC_REQUIRED, never silently.
package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/count"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// Cause says what an event records.
type Cause string

// The causes. DirectoryChanged is internal: processes read agents and channels
// again, and streams learn that rights may have changed. BulkChanged and
// SubjectChanged are of no conversation but of their Subject: a bulk operation went
// on, or was told to stop or go on; anything else changed. LookupsChanged says that
// records reference others than before.
const (
	MessageAdded         Cause = "MESSAGE_ADDED"
	MessageStatusChanged Cause = "MESSAGE_STATUS_CHANGED"
	MessageChanged       Cause = "MESSAGE_CHANGED"
	HistoryAdded         Cause = "HISTORY_ADDED"
	ConversationRead     Cause = "CONVERSATION_READ"
	ConversationUnread   Cause = "CONVERSATION_UNREAD"
	ConversationAssigned Cause = "CONVERSATION_ASSIGNED"
	ConversationChanged  Cause = "CONVERSATION_CHANGED"
	ConversationMerged   Cause = "CONVERSATION_MERGED"
	ConversationUnmerged Cause = "CONVERSATION_UNMERGED"
	DirectoryChanged     Cause = "DIRECTORY_CHANGED"
	BulkChanged          Cause = "BULK_CHANGED"
	SubjectChanged       Cause = "SUBJECT_CHANGED"
	LookupsChanged       Cause = "LOOKUPS_CHANGED"
)

// Shown is the cause as the graph shows it: CONVERSATION_CHANGED for one that a newer
// version recorded of a conversation, and this one does not know.
func (c Cause) Shown() Cause {
	switch c {
	case MessageAdded, MessageStatusChanged, MessageChanged, HistoryAdded, ConversationRead, ConversationUnread, ConversationAssigned, ConversationChanged,
		ConversationMerged, ConversationUnmerged:
		return c
	}
	return ConversationChanged
}

// StreamKind says what an event means to one stream.
type StreamKind string

// The stream kinds.
const (
	Open   StreamKind = "OPEN"
	Enter  StreamKind = "ENTER"
	Update StreamKind = "UPDATE"
	Leave  StreamKind = "LEAVE"
	Reset  StreamKind = "RESET"
)

// Facts are what a filter can ask of a conversation at one moment: no text, no
// names. Zero stands for none.
type Facts struct {
	Owner         int64             `json:"o,omitempty"`
	Channel       int64             `json:"c"`
	Queue         int64             `json:"q,omitempty"`
	Record        int64             `json:"r,omitempty"`
	ObjectType    string            `json:"t,omitempty"`
	Unread        bool              `json:"u,omitempty"`
	Inbound       int64             `json:"i,omitempty"` // inbound messages so far
	Read          int64             `json:"p,omitempty"` // of these, read
	Direction     content.Direction `json:"d,omitempty"` // of the last message
	LastMessageID int64             `json:"m,omitempty"`
	LastMessageAt clock.Time        `json:"l,omitempty"`
	SentBy        []int64           `json:"s,omitempty"` // agents who sent an outbound
}

// New is how many inbound messages are not read.
func (f *Facts) New() int64 { return f.Inbound - f.Read }

// Subject is what decides who sees the conversation.
func (f *Facts) Subject() rule.Subject {
	return rule.Subject{Owner: f.Owner, Channel: f.Channel, Queue: f.Queue}
}

// Cell is where the conversation is counted.
func (f *Facts) Cell() count.Cell {
	return count.Cell{Owner: f.Owner, Channel: f.Channel, Queue: f.Queue, ObjectType: f.ObjectType}
}

// Tally is what the conversation counts for.
func (f *Facts) Tally() count.Tally {
	t := count.Tally{Conversations: 1, New: f.New()}
	if f.Unread {
		t.Unread = 1
	}
	if f.Inbound > 0 {
		t.WithInbound = 1
		t.UnreadInbound = t.Unread
	}
	return t
}

// Event is one entry of the log. Nobody changes one that was recorded: those who
// read the log, or what a hub remembers of it, share it. Columns of the log hold
// what has no name in JSON here, its facts hold the rest.
//
// Processes of several versions read one log: a name in JSON keeps its meaning for
// ever, and "b" and "a" are always of the conversation. Who does not know a cause
// goes by these; who does not know what an event is of passes over it.
type Event struct {
	Position       int64      `json:"-"`
	Cause          Cause      `json:"-"`
	ConversationID int64      `json:"-"`
	MessageID      int64      `json:"-"`
	ActorID        int64      `json:"-"` // agent who caused it; 0 for the system
	IdempotencyKey string     `json:"-"`
	At             clock.Time `json:"-"`
	// Before and After are the conversation's facts; Before is nil when it began, After
	// when it ended.
	Before *Facts `json:"b,omitempty"`
	After  *Facts `json:"a,omitempty"`
	// With is the other conversation of a merge or of its undoing: each of the two has an
	// event. A conversation that is merged into another has no facts from then on.
	With int64 `json:"w,omitempty"`
	// Status is what a MessageStatusChanged brought.
	Status channel.Status `json:"st,omitempty"`
	// Agents are those whose rights a DirectoryChanged moved; nil means anybody's.
	Agents []int64 `json:"g,omitzero"` // nobody is not anybody
	// Rows are those that a DirectoryChanged wrote; nil means any.
	Rows []Row `json:"d,omitempty"`
	// Ends are the records of a LookupsChanged: those whose lookups changed, or who came or
	// went, and those whom lookups connected to them before or connect to them now.
	Ends []int64 `json:"e,omitempty"`
	// AnyEnd says that these are too many to be named.
	AnyEnd bool `json:"x,omitempty"`
	// Subject is what the event is of when that is no conversation.
	Subject *Subject `json:"s,omitempty"`
}

// Row is a row of the directory: its type, as ent calls it, and its key.
type Row struct {
	Type string `json:"t"`
	Key  int64  `json:"i"`
}

// Subject is something that changed and is no conversation. Before and After are
// its facts, which the package of its kind writes and reads: nil where it had none,
// as before it began.
type Subject struct {
	Kind   publicid.Kind   `json:"k"`
	Key    int64           `json:"i"`
	Before json.RawMessage `json:"b,omitempty"`
	After  json.RawMessage `json:"a,omitempty"`
}

// Is reports whether the subject is the one of a kind with the key.
func (s *Subject) Is(kind publicid.Kind, key int64) bool {
	return s != nil && s.Kind == kind && s.Key == key
}

// logged is how an event stands in the log. Processes of the version before know the
// subject of a BulkChanged as Operation.
type logged struct {
	*Event
	Operation int64 `json:"k,omitempty"`
}

// Record adds e to the transaction's tail and moves the standing counts by the
// difference of its facts.
func Record(tx *store.Tx, e *Event) error {
	l := logged{Event: e}
	if e.Cause == BulkChanged {
		l.Operation = e.Subject.Key
	}
	facts, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("feed: facts: %w", err)
	}
	if e.Before != nil {
		count.Move(tx, e.Before.Cell(), e.Before.Tally().Negative())
	}
	if e.After != nil {
		count.Move(tx, e.After.Cell(), e.After.Tally())
	}
	entries.Defer(tx, entry{e, facts})
	return nil
}

// read takes in the facts of the log. An event whose facts make no sense here has
// none, and so concerns no stream: it must not hold up those that come after it.
func (e *Event) read(ctx context.Context, facts []byte) {
	bare, l := *e, logged{Event: e}
	if err := json.Unmarshal(facts, &l); err != nil {
		slog.ErrorContext(ctx, "an event cannot be read and is skipped; a newer version may have written it", "position", e.Position, "cause", e.Cause, "error", err)
		*e = bare
	} else if e.Subject == nil && l.Operation != 0 {
		e.Subject = &Subject{Kind: publicid.BulkOperation, Key: l.Operation}
	}
}

// MayMoveRights reports whether the event may have changed what the agent may
// see or do.
func (e *Event) MayMoveRights(agent int64) bool {
	return e.Cause == DirectoryChanged && (e.Agents == nil || slices.Contains(e.Agents, agent))
}

// MovesCounts reports whether the event changes any standing count.
func (e *Event) MovesCounts() bool {
	if e.Before == nil || e.After == nil {
		return e.Before != e.After
	}
	return e.Before.Cell() != e.After.Cell() || e.Before.Tally() != e.After.Tally()
}
