package crmsync

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/ent/crmconnection"
	"parley/ent/predicate"
	"parley/ent/recordwrite"
	"parley/internal/connector"
	"parley/internal/desk/action"
	"parley/internal/desk/crm"
	"parley/internal/desk/object"
	"parley/internal/ground/job"
	"parley/internal/ground/lease"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// How CRMs are written to.
const (
	writeHold  = 2 * time.Minute  // longer than a write takes
	callFor    = time.Minute      // of that, for the calls that write
	rereadFor  = 30 * time.Second // and for those that read again
	writeReach = writeHold + time.Minute
	mostDue    = 50               // that are looked up together
	writeFor   = 30 * time.Second // how long a run takes up further writes
)

// WriteBack writes to CRMs what is due, the oldest first, a record's changes in their order.
// A CRM that cannot be reached, or takes no more, keeps the others' writes waiting no longer
// than for one call.
func (s *Service) WriteBack(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	ctx = viewer.AsSystem(ctx, "sync")
	var down []int64
	for began := time.Now(); ; {
		due, err := s.dueWrites(ctx, down)
		if err != nil || len(due) == 0 {
			return err
		}
		failing, moved, err := s.writeDue(ctx, due, began.Add(writeFor))
		if err != nil || !moved {
			return err
		}
		down = append(down, failing...)
	}
}

// writeDue writes what is due until a time. It returns the connections whose CRM takes
// nothing now, and whether to look for more.
func (s *Service) writeDue(ctx context.Context, due []*ent.RecordWrite, until time.Time) (down []int64, moved bool, err error) {
	for _, row := range due {
		if time.Now().After(until) || job.Stopping(ctx) || ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		if slices.Contains(down, row.ConnectionID) {
			continue
		}
		d := &delivery{service: s, holder: lease.Token()}
		if err := d.deliver(ctx, row.ID); err != nil {
			return nil, false, err
		}
		if moved = moved || d.row != nil; d.isDown {
			down = append(down, d.row.ConnectionID)
		}
	}
	return down, moved, nil
}

// dueWrites are the writes that are due, but for those of some connections, and for those
// whose record has an earlier one under way.
func (s *Service) dueWrites(ctx context.Context, down []int64) ([]*ent.RecordWrite, error) {
	now := s.Store.Clock.Now()
	first := predicate.RecordWrite(func(q *entsql.Selector) {
		earlier := entsql.Table(recordwrite.Table).As("earlier")
		q.Where(lease.IsOver(q.C(recordwrite.FieldHeldUntil), now, writeReach))
		q.Where(entsql.NotExists(entsql.Dialect(q.Dialect()).Select(earlier.C(recordwrite.FieldID)).From(earlier).Where(entsql.And(
			entsql.ColumnsEQ(earlier.C(recordwrite.FieldRecordID), q.C(recordwrite.FieldRecordID)),
			entsql.ColumnsLT(earlier.C(recordwrite.FieldID), q.C(recordwrite.FieldID)), entsql.EQ(earlier.C(recordwrite.FieldOpen), true)))))
	})
	return s.Store.Ent.RecordWrite.Query().
		Where(recordwrite.Open(true), recordwrite.DueAtLTE(now), recordwrite.ConnectionIDNotIn(down...), recordwrite.HasConnectionWith(crmconnection.Active(true)), first).
		Order(recordwrite.ByDueAt(), recordwrite.ByID()).Limit(mostDue).Select(recordwrite.FieldID, recordwrite.FieldConnectionID).All(ctx)
}

// delivery is the work on a write that it holds.
type delivery struct {
	service *Service
	holder  int64
	row     *ent.RecordWrite // nil if it is another's
	wasSent bool             // a creation was sent before, and nobody knows what came of it
	isDown  bool             // the CRM takes nothing now

	*turn  // of the connection, once it is known
	mapped *mapped
	wanted map[string]object.Value // what is to be written, as the CRM names records
}

// deliver makes a try to write, notes what came of it, and reads what the CRM has then. Cut
// off between any two steps, it is made again, and finds that the CRM has the values already.
// A process that is told to stop waits for it: whoever hangs up does not know what was done.
func (d *delivery) deliver(ctx context.Context, key int64) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeHold)
	defer cancel()
	held, err := d.hold(ctx, key)
	if err != nil || !held {
		return err
	}
	if d.status() == action.Pending {
		if err := d.note(ctx, d.send(ctx)); err != nil || d.status() == action.Pending || !d.row.Open {
			return ignoreLost(err)
		}
	}
	return ignoreLost(d.reread(ctx))
}

func (d *delivery) status() action.Delivery { return action.Delivery(d.row.Status) }

func ignoreLost(err error) error {
	if errors.Is(err, errLost) {
		return nil
	}
	return err
}

// hold takes a write, unless another process has it. A creation counts as sent from here on.
func (d *delivery) hold(ctx context.Context, key int64) (held bool, err error) {
	err = d.service.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		held = false
		row, err := tx.Ent.RecordWrite.Query().Where(recordwrite.ID(key), recordwrite.Open(true)).Only(ctx)
		if err != nil || !lease.Over(row.HeldUntil, tx.Now, writeReach) {
			return ent.MaskNotFound(err)
		}
		d.wasSent = row.Sent
		d.row, err = tx.Ent.RecordWrite.UpdateOne(row).SetHolder(d.holder).SetHeldUntil(tx.Now.Add(writeHold)).
			SetSent(row.Sent || row.Creates && row.Status == string(action.Pending)).Save(ctx)
		held = err == nil
		return err
	})
	return held, err
}

// mine is the row in a write, if it is held still.
func (d *delivery) mine(ctx context.Context, tx *store.Tx) (*ent.RecordWrite, error) {
	row, err := tx.Ent.RecordWrite.Query().Where(recordwrite.ID(d.row.ID), recordwrite.Holder(d.holder)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, errLost
	}
	return row, err
}

// outcome is what came of a try.
type outcome struct {
	action.Attempt

	status action.Delivery // Pending to try again
	id     string          // of the record in the CRM; empty if it has none, or that is not known
	unsaid bool            // nobody knows whether the CRM took it
	after  time.Duration   // how long the CRM asks to wait
}

func failed(problem string) *outcome {
	return &outcome{Attempt: action.Attempt{Problem: problem}, status: action.Failed}
}

// send makes the try.
func (d *delivery) send(ctx context.Context) *outcome {
	now := d.service.Store.Clock.Now()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(d.service.CallFor, callFor))
	defer cancel()
	got := d.try(ctx)
	got.At, got.Problem = now, plain(got.Problem)
	return got
}

func (d *delivery) try(ctx context.Context) *outcome {
	if got := d.open(ctx); got != nil {
		return got
	}
	of, got := d.target(ctx)
	if got != nil {
		return got
	}
	fields, got := d.fields(ctx)
	switch {
	case got != nil:
		return got
	case d.row.Creates && of.id != "":
		return failed("Another record took its place meanwhile, so that none was created.")
	case of.id == "":
		return d.create(ctx, of.own, fields)
	case len(fields) == 0: // the CRM has none of them
		return &outcome{status: action.Delivered}
	}
	return d.write(ctx, connector.Write{Object: d.mapped.object.Name, ID: of.id, Fields: fields, Unmodified: d.row.Base})
}

// open finds the connection and what its CRM has. It returns what came of the try if it ends
// here.
func (d *delivery) open(ctx context.Context) *outcome {
	s := d.service
	if d.turn == nil {
		row, err := s.Store.Ent.CrmConnection.Get(ctx, d.row.ConnectionID)
		if err != nil {
			return d.fault(err)
		}
		d.turn = &turn{service: s, Connection: s.connection(row)}
	}
	of := typeIn(d.settings, d.row.ObjectType)
	if !of.WritesBack {
		return failed("The connection does not write " + d.row.ObjectType + " any more. Have it write it, then deliver again.")
	}
	var err error
	if d.session, err = s.session(d.Connection, &s.writers); err != nil {
		return d.fault(err)
	}
	if err := d.describe(ctx, d.settings.Types, s.Store.Clock.Now()); err != nil {
		return d.fault(err)
	}
	m, problem := s.mapped(of, d.objects[of.ObjectType])
	if problem != nil {
		d.objects = nil // what the CRM has is asked again: the user may get the right
		return d.fault(problem)
	}
	d.mapped = m
	return nil
}

// fault is what comes of a try that met an error before the CRM was asked to write.
func (d *delivery) fault(err error) *outcome {
	d.isDown = true
	got := &outcome{Attempt: action.Attempt{Problem: said(err)}, status: action.Pending}
	var limited *connector.LimitedError
	if errors.As(err, &limited) {
		got.after = limited.After
	}
	return got
}

// create has the CRM create the record. Without a key, only one whose creation was never sent.
func (d *delivery) create(ctx context.Context, own crm.Name, fields map[string]any) *outcome {
	key := connector.Key{Field: d.mapped.Key, Value: own.ExternalID}
	switch {
	case key.Field != "" && (d.wasSent || len(d.row.Attempts) > 0):
		row, err := d.Find(ctx, d.mapped.object.Name, nil, key)
		if err != nil {
			got := d.fault(err)
			got.unsaid = true
			return got
		}
		if row != nil {
			return &outcome{status: action.Delivered, id: row.ID}
		}
	case d.wasSent:
		return failed("The CRM did not answer, so nobody knows whether it created the record. Look there; if it did not, deliver again. With an externalIdField for this object type, Parley could ask.")
	}
	return d.write(ctx, connector.Write{Object: d.mapped.object.Name, Key: key, Fields: fields})
}

func (d *delivery) write(ctx context.Context, w connector.Write) *outcome {
	done, err := d.Write(ctx, w)
	var rejected *connector.RejectedError
	switch {
	case err == nil:
		return &outcome{Attempt: action.Attempt{Status: done.Status}, status: action.Delivered, id: done.ID}
	case errors.Is(err, connector.ErrChanged):
		return d.changed(ctx, w.ID)
	case errors.As(err, &rejected):
		d.objects = nil // what the CRM has may have changed
		got := failed("The CRM refused it: " + rejected.Message + d.ours(rejected.Fields))
		got.Status = rejected.Status
		return got
	}
	got := d.fault(err)
	if got.unsaid = !errors.Is(err, connector.ErrUntaken); got.unsaid && w.ID == "" && w.Key.Field == "" {
		got.status, d.isDown = action.Failed, false
		got.Problem += " Nobody knows whether it created the record: look there; if it did not, deliver again."
	}
	return got
}

// changed is what comes of a try on a record that changed meanwhile: nothing, unless what it
// holds is what was to be written, by a try that was cut off or by chance.
func (d *delivery) changed(ctx context.Context, id string) *outcome {
	row, err := d.Find(ctx, d.mapped.object.Name, d.mapped.fields(), connector.Key{Field: "Id", Value: id})
	if err != nil {
		return d.fault(err)
	}
	if row != nil && d.has(row) {
		return &outcome{status: action.Delivered}
	}
	const precondition = 412
	got := failed("The record changed in the CRM meanwhile, so that nothing was written. Parley shows what the CRM has. Look at it, then deliver again.")
	got.Status = precondition
	return got
}

// has reports whether a row of the CRM holds all that was to be written.
func (d *delivery) has(row *connector.Row) bool {
	for name, want := range d.wanted {
		f := d.mapped.def.Field(name)
		is, err := f.Parse(d.mapped.value(name, row.Fields[d.mapped.from[name]], d.objects), nil)
		if err != nil || !alike(f, is, want) {
			return false
		}
	}
	return true
}

// save writes a try into the row, if it is held still.
func (d *delivery) save(ctx context.Context, tx *store.Tx, got *outcome) error {
	row, err := d.mine(ctx, tx)
	if err != nil {
		return err
	}
	s, status := d.service, got.status
	if status == action.Pending && row.Tries >= cmp.Or(len(s.Pauses), len(action.DefaultPauses)) {
		status = action.Failed
	}
	attempts := append(row.Attempts, got.Attempt)
	update := tx.Ent.RecordWrite.UpdateOne(row).SetAttempts(attempts[max(0, len(attempts)-action.MostKept):]).AddTries(1).
		SetStatus(string(status)).SetSent(row.Creates && (d.wasSent || got.unsaid)).SetDueAt(tx.Now)
	switch {
	case status == action.Pending:
		update.SetDueAt(tx.Now.Add(max(s.pause(row.Tries), min(got.after, mostBackOff)))).SetHolder(0).SetHeldUntil(0)
	case status == action.Failed && row.Creates: // the CRM has no record to read
		update.SetOpen(false).SetHolder(0).SetHeldUntil(0)
	}
	saved, err := update.Save(ctx)
	if err == nil {
		d.row = saved
	}
	return err
}

// note writes what came of a try.
func (d *delivery) note(ctx context.Context, got *outcome) error {
	s := d.service
	err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if got.id != "" && d.row.Creates { // it locks records, and so comes first
			if err := d.confirm(ctx, tx, got.id); err != nil {
				return err
			}
		}
		if err := d.save(ctx, tx, got); err != nil || got.after == 0 {
			return err
		}
		until := tx.Now.Add(min(got.after, mostBackOff)) // the CRM's other writes wait too
		return tx.Ent.RecordWrite.Update().Where(recordwrite.ConnectionID(d.row.ConnectionID), recordwrite.Open(true), recordwrite.DueAtLT(until)).SetDueAt(until).Exec(ctx)
	})
	if err == nil {
		if s.Writes != nil {
			s.Writes.WithLabelValues(d.row.Status).Inc()
		}
		if got.Problem != "" {
			slog.WarnContext(ctx, "a change was not written to the CRM", "connection", d.row.ConnectionID, "write", d.row.ID, "status", d.row.Status)
		}
	}
	return err
}

func (s *Service) pause(tries int) time.Duration {
	if s.Pauses != nil {
		return s.Pauses[tries]
	}
	return action.DefaultPauses[tries]
}

// confirm gives the record the id that the CRM gave it.
func (d *delivery) confirm(ctx context.Context, tx *store.Tx, id string) error {
	if err := d.service.Records.Lock(ctx, tx); err != nil {
		return err
	}
	row, err := tx.Ent.Record.Get(ctx, d.row.RecordID)
	if err != nil {
		return ent.MaskNotFound(err)
	}
	return d.service.Records.Confirm(ctx, tx, crm.Name{ObjectType: row.ObjectType, ExternalID: row.ExternalID}, id)
}
