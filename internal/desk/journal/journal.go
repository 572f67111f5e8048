// Package journal writes the audit: one entry for each administrative act, and for what
// was refused, in the transaction of what it tells of and without secrets. Package audit
// reads it.
//
// Writes of audited types tell of themselves (rule.Audited): directory.Apply runs them
// Within a journal. What is no such write is an Entry of its own.
package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"parley/ent"
	"parley/internal/desk/feed"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Action is what was done.
type Action string

// The actions.
const (
	Created       Action = "CREATED"
	Updated       Action = "UPDATED"
	Deleted       Action = "DELETED"
	Revoked       Action = "REVOKED"
	SignInRefused Action = "SIGN_IN_REFUSED"
	Exported      Action = "EXPORTED"
	Merged        Action = "MERGED"
	Unmerged      Action = "UNMERGED"
	Imported      Action = "IMPORTED"
	// OtherAction is one that only a newer version records.
	OtherAction Action = "OTHER"
)

// Actions are all that this version records.
var Actions = []Action{Created, Updated, Deleted, Revoked, Merged, Unmerged, SignInRefused, Exported, Imported}

// Known is the action, OtherAction when it is not known.
func (a Action) Known() Action {
	if slices.Contains(Actions, a) {
		return a
	}
	return OtherAction
}

// Entry is an entry to write. The viewer of the context did it, from the context's
// address.
type Entry struct {
	Action      Action
	SubjectType string // as the graph calls it; empty for none
	SubjectKey  int64
	SubjectName string
	Detail      string // a sentence, for what has no fields
	Changes     []rule.Change
	Count       int64      // how often it happened; once if zero
	At          clock.Time // when it happened; zero for now
}

// Compare adds a field to the changes if it is given a value other than the one before;
// nil leaves it as it is.
func (e *Entry) Compare(field, before string, after *string) {
	if after != nil && *after != before {
		e.Changes = append(e.Changes, rule.Change{Field: field, Before: optional(before), After: optional(*after)})
	}
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// Write adds the entry to the transaction, and an event that carries its key.
func (e *Entry) Write(ctx context.Context, tx *store.Tx) error {
	v := viewer.FromContext(ctx)
	create := tx.Ent.AuditEntry.Create().SetAction(string(e.Action)).SetActorID(v.AgentID).SetActorName(actorName(v)).
		SetSource(viewer.Source(ctx)).SetSubjectType(e.SubjectType).SetSubjectID(e.SubjectKey).SetSubjectName(e.SubjectName).
		SetDetail(cut(e.Detail)).SetCount(max(e.Count, 1)).SetCreatedAt(cmp.Or(e.At, tx.Now))
	if len(e.Changes) > 0 {
		changes, err := json.Marshal(e.Changes)
		if err != nil {
			return err
		}
		create.SetChanges(changes)
	}
	row, err := create.Save(viewer.AsSystem(ctx, "audit"))
	if err != nil {
		return err
	}
	if err := e.mention(viewer.AsSystem(ctx, "audit"), tx, row.ID); err != nil {
		return err
	}
	return feed.Record(tx, &feed.Event{
		Cause: feed.SubjectChanged, ActorID: v.AgentID, Subject: &feed.Subject{Kind: publicid.AuditEntry, Key: row.ID, After: json.RawMessage("{}")},
	})
}

// mention has the entry be found by the rows that its changes add and remove.
func (e *Entry) mention(ctx context.Context, tx *store.Tx, key int64) error {
	var mentions []*ent.AuditMentionCreate
	for _, c := range e.Changes {
		keys := slices.Concat(c.Gained, c.Lost)
		slices.Sort(keys)
		for _, of := range slices.Compact(keys) {
			mentions = append(mentions, tx.Ent.AuditMention.Create().SetEntryID(key).SetSubjectType(c.Of).SetSubjectID(of))
		}
	}
	if len(mentions) == 0 {
		return nil
	}
	return tx.Ent.AuditMention.CreateBulk(mentions...).Exec(ctx)
}

func actorName(v *viewer.Viewer) string {
	if v.System != "" {
		return v.System
	}
	return v.Username
}

// mostDetail is how many characters of a detail are kept.
const mostDetail = 200

func cut(text string) string {
	if utf8.RuneCountInString(text) > mostDetail {
		return string([]rune(text)[:mostDetail-1]) + "…"
	}
	return text
}

var actions = map[ent.Op]Action{
	ent.OpCreate: Created, ent.OpUpdate: Updated, ent.OpUpdateOne: Updated, ent.OpDelete: Deleted, ent.OpDeleteOne: Deleted,
}

// Within returns a context for the writes of tx, each of which becomes an entry if it
// is of an audited type.
func Within(ctx context.Context, tx *store.Tx) context.Context {
	return rule.WithJournal(ctx, func(ctx context.Context, w *rule.Written) error {
		e := Entry{Action: actions[w.Op], SubjectType: w.Type, SubjectKey: w.Key, SubjectName: w.Name, Changes: w.Changes}
		return e.Write(ctx, tx)
	})
}
