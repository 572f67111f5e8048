package crmsync

import (
	"context"
	"fmt"

	"parley/ent"
	"parley/ent/predicate"
	"parley/ent/record"
	"parley/internal/connector"
	"parley/internal/desk/crm"
	"parley/internal/ground/clock"
)

// Bounds of what a look for gone records believes at once.
const (
	fewGone  = 20 // are believed
	mostGone = 2  // of which one part of those asked for may be gone
)

// sweep looks for records that the CRM does not have any more, not even as deleted ones:
// those it purged, and those of before Parley read it. It asks the CRM about each record
// of its kind, some at a time.
func (t *turn) sweep(ctx context.Context) (idle bool, err error) {
	for _, of := range t.settings.Types {
		p := t.of(of.ObjectType)
		if p.Swept == 0 && t.service.Store.Clock.Now() < p.SweptAt.Add(sweepEvery) {
			continue
		}
		for more := true; more; {
			if t.isOver(ctx) {
				return false, nil
			}
			if more, err = t.sweepSome(ctx, &of, p); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// sweepSome asks about the next records, and reports whether there are more.
func (t *turn) sweepSome(ctx context.Context, of *connector.Type, p *connector.Progress) (more bool, err error) {
	object := t.objects[of.ObjectType]
	which := []predicate.Record{
		record.ObjectType(of.ObjectType), record.Stub(false), record.DeletedAt(0), record.MergedInto(0), record.IDGT(p.Swept),
		record.Not(record.ExternalIDHasPrefix(crm.OwnPrefix)), record.ExternalIDHasPrefix(object.Prefix),
	}
	rows, err := t.service.Store.Ent.Record.Query().Where(which...).Order(ent.Asc(record.FieldID)).Limit(connector.MostAsked).
		Select(record.FieldID, record.FieldExternalID).All(ctx)
	if err != nil {
		return false, ours(err)
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i], p.Swept = row.ExternalID, row.ID
	}
	var done []*verdict
	if len(ids) > 0 {
		if done, err = t.gone(ctx, object, ids, p); err != nil {
			return false, err
		}
	}
	more = len(rows) == connector.MostAsked && p.Problem == ""
	if !more {
		p.Swept, p.SweptAt = 0, t.service.Store.Clock.Now()
	}
	return more, t.save(ctx, done)
}

// gone deletes those of some records that are gone. When most are, it is the CRM's user who
// lost sight of them rather than the CRM that lost them, and nothing is deleted.
func (t *turn) gone(ctx context.Context, object *connector.Object, ids []string, p *connector.Progress) ([]*verdict, error) {
	gone, now, err := t.Gone(ctx, object.Name, ids)
	if err != nil {
		return nil, err
	}
	if p.Problem = ""; len(gone) > fewGone && len(gone)*mostGone > len(ids) {
		p.Problem = fmt.Sprintf("The CRM does not have %d of %d records that were asked for, so that its user may have lost the right to see them. None was deleted. Check the user's rights in the CRM.", len(gone), len(ids))
		return nil, nil
	}
	done := make([]*verdict, len(gone))
	for i, id := range gone {
		done[i] = &verdict{change: &change{Operation: Delete, ObjectType: p.ObjectType, ExternalID: id, ModifiedAt: now.String(), at: now}}
	}
	return done, ours(t.service.take(ctx, t.Connection, done))
}

// endRound ends a round: everything that the CRM showed when it began has been read. The
// next begins at the last record or, so that nothing that is committed late is missed, a
// window before this one began, by the CRM's clock alone.
func endRound(p *connector.Progress, now clock.Time) {
	if floor := p.Round.Add(-window); p.At > floor {
		p.At, p.ID = floor, ""
	}
	p.Round, p.CaughtUp = 0, now
}
