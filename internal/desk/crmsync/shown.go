package crmsync

import (
	"context"
	"slices"

	"parley/ent"
	"parley/ent/rejectedchange"
	"parley/internal/connector"
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

// RejectedChanges are the last changes that could not be taken, newest first.
func (c *Connection) RejectedChanges(ctx context.Context, first int) ([]*Rejected, error) {
	if first < 1 || first > mostShown {
		return nil, fault.Input("first", "Use a number from 1 to %d.", mostShown)
	}
	ctx = viewer.AsSystem(ctx, "rejected changes of a connection that the viewer has")
	rows, err := c.service.Store.Ent.RejectedChange.Query().Where(rejectedchange.ConnectionID(c.Key)).Order(ent.Desc(rejectedchange.FieldID)).Limit(first).All(ctx)
	list := make([]*Rejected, len(rows))
	for i, r := range rows {
		list[i] = &Rejected{
			ObjectType: r.ObjectType, ExternalID: r.ExternalID, Operation: Operation(r.Operation).known(), CanRetry: r.Body != "", At: r.CreatedAt,
			Problem: &fault.Error{Code: fault.Code(r.Code), Field: r.Field, Message: r.Problem},
		}
	}
	return list, err
}
