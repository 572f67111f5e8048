// Package quicktext has the sentences that agents keep ready: their own, their queue's
// and everybody's. It is the example of a subject that people set up: rows, rights and
// writes are ent's, under the policy rule.QuickText, inside the transaction of a
// store.Write; every change is an event of the log.
package quicktext

import (
	"context"
	"encoding/json"

	"parley/ent"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/live"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Service is the use cases. All fields are required.
type Service struct {
	Store     *store.Store
	Directory *directory.Directory
	IDs       *publicid.Codec
	Cursors   *feed.Cursors
	Live      *live.Streams
}

// QuickText is one as it was read.
type QuickText struct {
	Key                  int64
	Title, Text, Folder  string
	Shelf                rule.Shelf
	UseCount             int64
	IsArchived           bool
	CreatedAt, UpdatedAt clock.Time

	service *Service
}

// IsNode marks a GraphQL Node.
func (*QuickText) IsNode() {}

// ID is the opaque id.
func (q *QuickText) ID() string { return q.service.IDs.Encode(publicid.QuickText, q.Key) }

// Scope is whose it is.
func (q *QuickText) Scope() rule.Scope { return q.Shelf.Scope }

// Queue is the queue whose members share it; nil for none.
func (q *QuickText) Queue() *directory.Queue { return q.service.Directory.Queue(q.Shelf.Queue) }

// CreatedBy is the agent who created it.
func (q *QuickText) CreatedBy() *directory.Agent {
	return q.service.Directory.Agent(q.Shelf.Creator)
}

func (s *Service) of(row *ent.QuickText) *QuickText {
	return &QuickText{
		Key: row.ID, Title: row.Title, Text: row.Text, Folder: row.Folder, Shelf: rule.ShelfOf(row), UseCount: row.UseCount,
		IsArchived: row.Archived, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, service: s,
	}
}

// Change is a change of one that the viewer sees.
type Change = live.SubjectChange[*QuickText]

// Changes streams the changes of those that the viewer of ctx sees.
func (s *Service) Changes(ctx context.Context, after *string, end live.End) (<-chan *Change, error) {
	return live.Subjects(ctx, s.Live, live.Subject[*QuickText]{Kind: publicid.QuickText, Sees: sees, Shows: shows, ByKey: s.ByKey}, after, end)
}

// sees reads the facts that changed wrote. Nobody sees facts that only a newer version
// understands.
func sees(v *viewer.Viewer, facts json.RawMessage) bool {
	var shelf rule.Shelf
	return json.Unmarshal(facts, &shelf) == nil && shelf.Sees(v)
}

func shows(v *viewer.Viewer, q *QuickText) bool { return q.Shelf.Sees(v) }

// changed is the event of a change by v.
func changed(v *viewer.Viewer, key string, before, after *QuickText) *feed.Event {
	subject := &feed.Subject{Kind: publicid.QuickText, Key: after.Key, After: factsOf(after)}
	if before != nil {
		subject.Before = factsOf(before)
	}
	return &feed.Event{Cause: feed.SubjectChanged, ActorID: v.AgentID, IdempotencyKey: key, Subject: subject}
}

func factsOf(q *QuickText) json.RawMessage {
	facts, _ := json.Marshal(q.Shelf) // numbers and a word, which always marshal
	return facts
}
