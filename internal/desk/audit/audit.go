// Package audit reads what package journal wrote: pages of entries, their stream, and an
// export. Only administrators see it.
package audit

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"parley/ent"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/journal"
	"parley/internal/desk/live"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// kinds are the public ids of audited types, where they have any.
var kinds = map[string]publicid.Kind{
	"Agent": publicid.Agent, "PermissionSet": publicid.PermissionSet, "Channel": publicid.Channel, "Queue": publicid.Queue,
	"ProviderAccount": publicid.Account, "MessagingUser": publicid.MessagingUser,
	"AccessToken": publicid.AccessToken, "ObjectType": publicid.ObjectType, "CrmAction": publicid.CrmAction, "CrmConnection": publicid.CrmConnection,
	"LinkingRule": publicid.LinkingRule, "Component": publicid.Component, "Image": publicid.Image,
}

// Service reads the audit. All fields are required.
type Service struct {
	Store     *store.Store
	IDs       *publicid.Codec
	Cursors   *feed.Cursors
	Directory *directory.Directory
	Live      *live.Streams
	// Keep is how long entries are kept.
	Keep time.Duration
}

// Entry is one as it was read.
type Entry struct {
	Key         int64
	At          clock.Time
	ActorName   string
	Source      string
	SubjectType string
	SubjectName string
	Detail      string
	Count       int64

	action     string
	actorKey   int64
	subjectKey int64
	changes    []rule.Change
	service    *Service
}

// IsNode marks a GraphQL Node.
func (*Entry) IsNode() {}

// ID is the opaque id.
func (e *Entry) ID() string { return e.service.IDs.Encode(publicid.AuditEntry, e.Key) }

// Action is what was done.
func (e *Entry) Action() journal.Action { return journal.Action(e.action).Known() }

// Actor is the agent who did it; nil for the system and for strangers.
func (e *Entry) Actor() *directory.Agent { return e.service.Directory.Agent(e.actorKey) }

// SubjectID is the public id of what it was done to; nil for none, and for what has no
// such ids.
func (e *Entry) SubjectID() *string { return e.service.idOf(e.SubjectType, e.subjectKey) }

func (s *Service) idOf(kind string, key int64) *string {
	prefix, known := kinds[kind]
	if !known || key == 0 {
		return nil
	}
	id := s.IDs.Encode(prefix, key)
	return &id
}

// Change is a field, or an edge, that was changed.
type Change struct {
	Field         string
	Before, After *string
	IsSecret      bool
	Added         []string // ids
	Removed       []string
}

// Changes are what was changed.
func (e *Entry) Changes() []*Change {
	changes := make([]*Change, len(e.changes))
	for i, c := range e.changes {
		changes[i] = &Change{c.Field, c.Before, c.After, c.Secret, e.service.ids(c.Of, c.Gained), e.service.ids(c.Of, c.Lost)}
	}
	return changes
}

func (s *Service) ids(kind string, keys []int64) []string {
	ids := []string{}
	for _, key := range keys {
		if id := s.idOf(kind, key); id != nil {
			ids = append(ids, *id)
		}
	}
	return ids
}

func (s *Service) of(row *ent.AuditEntry) *Entry {
	e := &Entry{
		Key: row.ID, At: row.CreatedAt, ActorName: row.ActorName, Source: row.Source, SubjectType: row.SubjectType,
		SubjectName: row.SubjectName, Detail: row.Detail, Count: row.Count, action: row.Action, actorKey: row.ActorID, subjectKey: row.SubjectID, service: s,
	}
	if len(row.Changes) > 0 {
		if err := json.Unmarshal(row.Changes, &e.changes); err != nil {
			slog.Error("an audit entry's changes cannot be read; a newer version may have written them", "entry", row.ID, "error", err)
		}
	}
	return e
}

// Added is an entry that was added, or the begin of the stream.
type Added = live.SubjectChange[*Entry]

// Changes streams the entries that are added, to administrators.
func (s *Service) Changes(ctx context.Context, after *string, end live.End) (<-chan *Added, error) {
	sees := func(v *viewer.Viewer, _ json.RawMessage) bool { return rule.Administers(v) }
	shows := func(v *viewer.Viewer, e *Entry) bool { return rule.AuditShows(v, e.SubjectType) }
	return live.Subjects(ctx, s.Live, live.Subject[*Entry]{Kind: publicid.AuditEntry, Sees: sees, Shows: shows, ByKey: s.ByKey}, after, end)
}
