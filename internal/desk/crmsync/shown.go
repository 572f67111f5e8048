package crmsync

import (
	"context"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/ent/predicate"
	"parley/ent/rejectedchange"
	"parley/internal/connector"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/table"
	"parley/internal/ground/viewer"
)

// Synced is an object type that comes from a CRM, with how far it has come.
type Synced struct {
	connector.Type
	progress connector.Progress
	service  *Service
}

// Object is what the CRM calls it.
func (o *Synced) Object() string { return objectOf(&o.Type) }

func objectOf(t *connector.Type) string {
	if t.Object != "" {
		return t.Object
	}
	return t.ObjectType
}

// Mappings are the fields that have another name in the CRM.
func (o *Synced) Mappings() []*connector.Mapping {
	list := make([]*connector.Mapping, len(o.Fields))
	for i := range o.Fields {
		list[i] = &o.Fields[i]
	}
	return list
}

// ExternalIDField is the CRM's field for Parley's id of a record; nil for none.
func (o *Synced) ExternalIDField() *string { return table.Optional(o.Key) }

// CursorAt is the time, by the CRM's clock, up to which records were read; nil for none.
func (o *Synced) CursorAt() *clock.Time { return table.Optional(o.progress.At) }

// CaughtUpAt is when everything had been read last; nil for never.
func (o *Synced) CaughtUpAt() *clock.Time { return table.Optional(o.progress.CaughtUp) }

// LookedForGoneAt is when the last look for records that are gone ended; nil for never.
func (o *Synced) LookedForGoneAt() *clock.Time { return table.Optional(o.progress.SweptAt) }

// Problem is why the last look for gone records deleted nothing; nil for nothing.
func (o *Synced) Problem() *string { return table.Optional(o.progress.Problem) }

// Read is how many records were read, ever.
func (o *Synced) Read() int64 { return o.progress.Taken }

// LagSeconds is for how long changes may not have been read: since the last whole round or,
// while catching up, as far as the records' times say. Nil before the first record.
func (o *Synced) LagSeconds() *int {
	p, lag := &o.progress, 0
	switch {
	case p.CaughtUp > 0:
		lag = int(o.service.Store.Clock.Now().Std().Sub(p.CaughtUp.Std()).Seconds())
	case p.Round > 0 && p.At > 0:
		lag = int(p.Round.Std().Sub(p.At.Std()).Seconds())
	default:
		return nil
	}
	lag = max(0, lag)
	return &lag
}

// ObjectTypes are those that come from the CRM, as they were set up.
func (c *Connection) ObjectTypes() []*Synced {
	list := make([]*Synced, len(c.settings.Types))
	for i, t := range c.settings.Types {
		list[i] = &Synced{Type: t, progress: connector.Progress{ObjectType: t.ObjectType}, service: c.service}
		if at := progressOf(c.progress, t.ObjectType); at >= 0 {
			list[i].progress = c.progress[at]
		}
	}
	return list
}

func progressOf(list []connector.Progress, objectType string) int {
	return slices.IndexFunc(list, func(p connector.Progress) bool { return p.ObjectType == objectType })
}

// Rejected is a change that could not be taken.
type Rejected struct {
	ObjectType, ExternalID string

	Operation Operation
	Problem   *fault.Error
	CanRetry  bool
	At        clock.Time
}

// mostShown is how many rejected changes are shown.
const mostShown = 100

// RejectedChanges are the last changes of each connection that could not be taken, newest
// first, in one statement.
func (s *Service) RejectedChanges(ctx context.Context, connections []*Connection, first int) ([][]*Rejected, error) {
	if first < 1 || first > mostShown {
		return nil, fault.Input("first", "Use a number from 1 to %d.", mostShown)
	}
	keys := make([]int64, len(connections))
	for i, c := range connections {
		keys[i] = c.Key
	}
	rights := s.Records.Definitions.RecordRights(viewer.FromContext(ctx))
	ctx = viewer.AsSystem(ctx, "rejected changes of connections that the viewer has")
	var rows []rejectedRow
	err := s.Store.Ent.RejectedChange.Query().Where(rejectedchange.ConnectionIDIn(keys...), lastOfEach(first)).Order(ent.Desc(rejectedchange.FieldID)).
		Select(rejectedchange.FieldConnectionID, rejectedchange.FieldObjectType, rejectedchange.FieldExternalID, rejectedchange.FieldOperation,
			rejectedchange.FieldCode, rejectedchange.FieldField, rejectedchange.FieldProblem, rejectedchange.FieldCreatedAt).
		Aggregate(canRetry).Scan(ctx, &rows)
	of := map[int64][]*Rejected{}
	for _, r := range rows {
		of[r.Connection] = append(of[r.Connection], &Rejected{
			ObjectType: r.ObjectType, ExternalID: r.ExternalID, Operation: r.Operation.known(), CanRetry: r.CanRetry, At: r.At,
			Problem: &fault.Error{Code: r.Code, Field: r.Field, Message: s.told(&r, rights)},
		})
	}
	lists := make([][]*Rejected, len(connections))
	for i, c := range connections {
		lists[i] = append([]*Rejected{}, of[c.Key]...)
	}
	return lists, err
}

// told is why the change was rejected. That tells a value which its field does not take, to
// whoever may read the field.
func (s *Service) told(r *rejectedRow, rights *object.Rights) string {
	if def := s.Records.Definitions.ObjectType(r.ObjectType); def != nil {
		if f := def.Field(r.Field); f != nil && !rights.Field(&def.Definition, f).Includes(object.Read) {
			return "The value was not taken, and you may not read the field, so that it is not shown why. Correct the value in the CRM, or ask an administrator who may read it."
		}
	}
	return r.Problem
}

// rejectedRow is what is read of a rejected change: not what it holds, which may be long.
type rejectedRow struct {
	Connection int64      `sql:"connection_id"`
	ObjectType string     `sql:"object_type"`
	ExternalID string     `sql:"external_id"`
	Operation  Operation  `sql:"operation"`
	Code       fault.Code `sql:"code"`
	Field      string     `sql:"field"`
	Problem    string     `sql:"problem"`
	At         clock.Time `sql:"created_at"`
	CanRetry   bool       `sql:"can_retry"`
}

// canRetry asks whether a change was kept. Both databases know how long a text is without
// reading it.
func canRetry(s *entsql.Selector) string {
	return entsql.As("octet_length("+s.C(rejectedchange.FieldBody)+") > 0", "can_retry")
}

// lastOfEach leaves the last changes of each connection.
func lastOfEach(most int) predicate.RejectedChange {
	return func(s *entsql.Selector) {
		s.Where(entsql.P(func(b *entsql.Builder) {
			b.Ident(s.C(rejectedchange.FieldID)).WriteString(" IN (SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY connection_id ORDER BY id DESC) AS place FROM rejected_changes) AS placed WHERE place <= ").Arg(most).WriteString(")")
		}))
	}
}
