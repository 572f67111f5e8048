// Package feed is the live side of Parley: the event log with its facts, the
// signed cursors into it, and the hub that follows it for all streams of a
// process.
//
// The log is the truth and its positions are commit order. The bus between
// processes carries only hints ("there are events up to N"); a lost hint is
// healed by a look at the log's head once a second. A stream first replays the
// log after its cursor and then goes live, with no hole and no repeat; one that
// cannot be served ends with RESYNC_REQUIRED, never in silence.
package feed

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"parley/internal/channel"
	"parley/internal/clock"
	"parley/internal/content"
	"parley/internal/rule"
	"parley/internal/store"
)

// Cause says what an event records.
type Cause string

// The causes. DirectoryChanged is internal: it tells processes to read agents
// and channels again, and streams that rights may have changed. BulkChanged is of
// no conversation: a bulk operation went on, or was told to stop or go on.
const (
	MessageAdded         Cause = "MESSAGE_ADDED"
	MessageStatusChanged Cause = "MESSAGE_STATUS_CHANGED"
	ConversationRead     Cause = "CONVERSATION_READ"
	ConversationUnread   Cause = "CONVERSATION_UNREAD"
	ConversationAssigned Cause = "CONVERSATION_ASSIGNED"
	ConversationChanged  Cause = "CONVERSATION_CHANGED"
	DirectoryChanged     Cause = "DIRECTORY_CHANGED"
	BulkChanged          Cause = "BULK_CHANGED"
)

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
func (f *Facts) Cell() store.Cell {
	return store.Cell{Owner: f.Owner, Channel: f.Channel, Queue: f.Queue, ObjectType: f.ObjectType}
}

// Tally is what the conversation counts for.
func (f *Facts) Tally() store.Tally {
	t := store.Tally{Conversations: 1, New: f.New()}
	if f.Unread {
		t.Unread = 1
	}
	if f.Inbound > 0 {
		t.WithInbound = 1
		t.UnreadInbound = t.Unread
	}
	return t
}

// Event is one entry of the log.
type Event struct {
	Position       int64
	Cause          Cause
	ConversationID int64
	MessageID      int64
	ActorID        int64 // agent who caused it; 0 for the system
	IdempotencyKey string
	At             clock.Time
	// Before and After are the conversation's facts; Before is nil when it began.
	Before, After *Facts
	// Status is what a MessageStatusChanged brought.
	Status channel.Status
	// Agents are those whose rights a DirectoryChanged moved; nil means anybody's.
	Agents []int64
	// Operation is the one that a BulkChanged is of.
	Operation int64

	mu     sync.Mutex
	shared map[any]any
}

// mostShared bounds what is kept with an event.
const mostShared = 64

// Shared returns what load returned the first time it was asked for key on this
// event: streams of one process share what they read for it, and what they write.
// A failure is not remembered, nor is what comes after so many keys that hardly
// anybody can share them.
func (e *Event) Shared(key any, load func() (any, error)) (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if v, ok := e.shared[key]; ok {
		return v, nil
	}
	v, err := load()
	if err == nil && len(e.shared) < mostShared {
		if e.shared == nil {
			e.shared = map[any]any{}
		}
		e.shared[key] = v
	}
	return v, err
}

// again returns the event with nothing shared yet: who comes to it later reads
// what is there by then.
func (e *Event) again() *Event {
	return &Event{
		Position: e.Position, Cause: e.Cause, ConversationID: e.ConversationID, MessageID: e.MessageID, ActorID: e.ActorID,
		IdempotencyKey: e.IdempotencyKey, At: e.At, Before: e.Before, After: e.After, Status: e.Status, Agents: e.Agents,
	}
}

type wire struct {
	Before *Facts         `json:"b,omitempty"`
	After  *Facts         `json:"a,omitempty"`
	Status channel.Status `json:"st,omitempty"`
	Agents []int64        `json:"g,omitzero"` // nobody is not anybody
	Bulk   int64          `json:"k,omitempty"`
}

// Record adds e to the transaction's tail and moves the standing counts by the
// difference of its facts.
func Record(tx *store.Tx, e *Event) error {
	facts, err := json.Marshal(wire{e.Before, e.After, e.Status, e.Agents, e.Operation})
	if err != nil {
		return fmt.Errorf("feed: facts: %w", err)
	}
	if e.Before != nil {
		tx.Move(e.Before.Cell(), e.Before.Tally().Negative())
	}
	if e.After != nil {
		tx.Move(e.After.Cell(), e.After.Tally())
	}
	tx.Emit(store.Event{
		Cause: string(e.Cause), ConversationID: e.ConversationID, MessageID: e.MessageID,
		ActorID: e.ActorID, IdempotencyKey: e.IdempotencyKey, Facts: facts,
	})
	return nil
}

func (e *Event) decode(facts []byte) error {
	var w wire
	if err := json.Unmarshal(facts, &w); err != nil {
		return fmt.Errorf("feed: facts of event %d: %w", e.Position, err)
	}
	e.Before, e.After, e.Status, e.Agents, e.Operation = w.Before, w.After, w.Status, w.Agents, w.Bulk
	return nil
}

// MayMoveRights reports whether the event may have changed what the agent may
// see or do.
func (e *Event) MayMoveRights(agent int64) bool {
	return e.Cause == DirectoryChanged && (e.Agents == nil || slices.Contains(e.Agents, agent))
}

// MovesCounts reports whether the event changes any standing count.
func (e *Event) MovesCounts() bool {
	return e.After != nil && (e.Before == nil || e.Before.Cell() != e.After.Cell() || e.Before.Tally() != e.After.Tally())
}
