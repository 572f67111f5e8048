package crmsync

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/ent/crmconnection"
	entsync "parley/ent/crmsync"
	"parley/ent/predicate"
	"parley/ent/takenwebhook"
	"parley/internal/connector"
	"parley/internal/desk/administration"
	"parley/internal/desk/crm"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/job"
	"parley/internal/ground/lease"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// How CRMs are read.
const (
	hold   = 90 * time.Second // of a connection, from each page on
	reach  = hold + time.Minute
	turnOf = 20 * time.Second // how long a run works on a connection
	runOf  = 30 * time.Second // how long a run takes up further connections
	// pause is the time between rounds that found everything read.
	pause = 30 * time.Second
	// window is how much later, by the CRM's clock, a record may be seen than its time of
	// change says: a long transaction there commits late.
	window = 5 * time.Minute
	// sweepEvery is the time between looks for records that are gone.
	sweepEvery = 24 * time.Hour
	// defaultPage is how many records are read together.
	defaultPage = 500
	// chunk is how many records are written together: small, so that inbound messages never
	// wait for long.
	chunk = 50
	// restFor is how long the writer rests, as a multiple of what it wrote for.
	restFor = 2

	firstBackOff = 15 * time.Second
	mostBackOff  = time.Hour
)

// webhookMemory is for how long the ids of webhooks are kept: longer than senders repeat.
const webhookMemory = 7 * 24 * time.Hour

// Jobs read CRMs, write to them, and forget ids of webhooks.
func (s *Service) Jobs() []job.Job {
	return []job.Job{
		job.Periodic{Name: "sync_crm", Queue: job.Upkeep, Run: s.Pull},
		job.Work[writeBack]{Run: func(ctx context.Context, _ writeBack) error { return s.WriteBack(ctx) }, Queue: writeQueue},
		job.Periodic{Name: "write_crm_due", Queue: job.Upkeep, Run: s.WriteBack},
		job.Periodic{Name: "forget_crm_webhooks", Queue: job.Upkeep, Every: time.Hour, Run: s.forget},
	}
}

func (s *Service) forget(ctx context.Context) error {
	return s.Store.Write(viewer.AsSystem(ctx, "sync"), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Ent.TakenWebhook.Delete().Where(takenwebhook.CreatedAtLT(tx.Now.Add(-webhookMemory))).Exec(ctx)
		return err
	})
}

// Pull reads the CRMs that are due, one after the other.
func (s *Service) Pull(ctx context.Context) error {
	ctx = viewer.AsSystem(ctx, "sync")
	due, err := s.Store.Ent.CrmSync.Query().
		Where(entsync.DueAtLTE(s.Store.Clock.Now()), entsync.HasConnectionWith(crmconnection.Active(true), crmconnection.KindNEQ(string(Webhook)))).
		Order(entsync.ByDueAt(), entsync.ByID()).Limit(mostConnections).Select(entsync.FieldConnectionID).All(ctx)
	if err != nil {
		return err
	}
	var failed []error
	began := time.Now()
	for _, x := range due {
		if job.Stopping(ctx) || time.Since(began) > runOf {
			break
		}
		failed = append(failed, s.turnFor(ctx, x.ConnectionID))
	}
	return errors.Join(failed...)
}

// turn is a run's work on a connection that it holds.
type turn struct {
	*Connection
	*session
	service *Service
	holder  int64
	until   clock.Time
}

// turnFor works on a connection for a while, unless another process does.
func (s *Service) turnFor(ctx context.Context, connection int64) error {
	t := &turn{service: s, holder: lease.Token(), until: s.Store.Clock.Now().Add(turnOf)}
	held, err := t.take(ctx, connection)
	if err != nil || !held {
		return err
	}
	idle, err := t.work(ctx)
	var broken *storeError
	if errors.As(err, &broken) || errors.Is(ctx.Err(), context.Canceled) {
		return errors.Join(err, t.release(context.WithoutCancel(ctx), true, nil))
	}
	if errors.Is(err, errLost) {
		return nil
	}
	return t.release(context.WithoutCancel(ctx), idle, err) // a CRM that is too slow has failed
}

// errLost says that the connection was paused, changed or deleted meanwhile, or is another
// process's now.
var errLost = errors.New("crmsync: the connection is held no more")

// storeError is an error of our own database, for which the CRM is not to blame.
type storeError struct{ error }

func ours(err error) error {
	if err == nil || errors.Is(err, errLost) {
		return err
	}
	return &storeError{err}
}

// take takes the hold of a connection and reads it.
func (t *turn) take(ctx context.Context, connection int64) (held bool, err error) {
	s := t.service
	err = s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		over := predicate.CrmSync(func(q *entsql.Selector) { q.Where(lease.IsOver(q.C(entsync.FieldHeldUntil), tx.Now, reach)) })
		n, err := tx.Ent.CrmSync.Update().Where(entsync.ConnectionID(connection), entsync.DueAtLTE(tx.Now), over).SetHolder(t.holder).SetHeldUntil(tx.Now.Add(hold)).Save(ctx)
		held = n == 1
		return err
	})
	if err != nil || !held {
		return false, err
	}
	t.Connection, err = s.byKey(ctx, connection)
	if fault.CodeOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}

// save writes what became of changes and how far the connection has come, if it is still
// held, active and set up as it was.
func (t *turn) save(ctx context.Context, done []*verdict) error {
	s := t.service
	err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.Ent.CrmConnection.Get(ctx, t.Key)
		if ent.IsNotFound(err) {
			return errLost
		}
		if err != nil {
			return err
		}
		if !row.Active || !administration.Same(row.Settings, t.settings) {
			return errLost
		}
		n, err := tx.Ent.CrmSync.Update().Where(entsync.ConnectionID(t.Key), entsync.Holder(t.holder)).
			SetHeldUntil(tx.Now.Add(hold)).SetProgress(t.progress).SetFailures(0).SetProblem("").SetProblemAt(0).Save(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return errLost
		}
		return s.note(ctx, tx, t.Key, done)
	})
	if err == nil {
		s.count(done)
	}
	return ours(err)
}

// release gives the hold back, and says when the connection is due again: at once if there
// is more to read, or later after a failure, and the later the more there were.
func (t *turn) release(ctx context.Context, idle bool, failure error) error {
	return t.service.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.Ent.CrmSync.Query().Where(entsync.ConnectionID(t.Key), entsync.Holder(t.holder)).Only(ctx)
		if err != nil {
			return ent.MaskNotFound(err) // deleted, or another's
		}
		update := tx.Ent.CrmSync.UpdateOne(row).SetHolder(0).SetHeldUntil(0)
		switch {
		case failure != nil:
			slog.WarnContext(ctx, "a CRM could not be read", "connection", t.ConnectionID, "error", failure)
			update.SetFailures(row.Failures + 1).SetProblem(said(failure)).SetProblemAt(tx.Now).SetDueAt(tx.Now.Add(backOff(row.Failures, failure)))
		case idle:
			update.SetDueAt(tx.Now.Add(pause))
		default:
			update.SetDueAt(tx.Now)
		}
		return update.Exec(ctx)
	})
}

func backOff(failures int, failure error) time.Duration {
	wait := min(firstBackOff<<min(failures, 10), mostBackOff)
	var limited *connector.LimitedError
	if errors.As(failure, &limited) {
		wait = max(wait, min(limited.After, mostBackOff))
	}
	return wait
}

// work reads until everything has been read or the turn is over.
func (t *turn) work(ctx context.Context) (idle bool, err error) {
	if t.session, err = t.service.session(t.Connection, &t.service.sessions); err != nil {
		return false, err
	}
	if err := t.describe(ctx, t.settings.Types, t.service.Store.Clock.Now()); err != nil {
		return false, err
	}
	for _, of := range t.settings.Types {
		m, problem := t.service.mapped(of, t.objects[of.ObjectType])
		if problem != nil {
			t.objects = nil // what the CRM has is asked again: the user may get the right
			return false, problem
		}
		for more := true; more; {
			if t.isOver(ctx) {
				return false, nil
			}
			if more, err = t.read(ctx, m); err != nil {
				t.objects = nil
				return false, err
			}
		}
	}
	return t.sweep(ctx)
}

func (t *turn) isOver(ctx context.Context) bool {
	return t.service.Store.Clock.Now() >= t.until || job.Stopping(ctx) || ctx.Err() != nil
}

// of is how far an object type has come.
func (t *turn) of(objectType string) *connector.Progress {
	at := progressOf(t.progress, objectType)
	if at < 0 {
		t.progress = append(t.progress, connector.Progress{ObjectType: objectType})
		at = len(t.progress) - 1
	}
	return &t.progress[at]
}

// read reads a page of an object type and takes it, and reports whether there is more. Cut
// off before its end, it is read again from where it began, which changes nothing twice.
func (t *turn) read(ctx context.Context, m *mapped) (more bool, err error) {
	p := t.of(m.ObjectType)
	got, err := t.Changes(ctx, connector.Query{Object: m.object.Name, Fields: m.fields(), At: p.At, ID: p.ID, Most: cmp.Or(t.service.Page, defaultPage)})
	if err != nil {
		return false, err
	}
	var done []*verdict
	for len(got.Rows) > 0 {
		n := min(chunk, len(got.Rows))
		var some []*verdict
		for _, row := range got.Rows[:n] {
			some = append(some, t.changes(m, row)...)
		}
		began := time.Now()
		if err := t.service.take(ctx, t.Connection, some); err != nil {
			return false, ours(err)
		}
		p.At, p.ID, p.Taken = got.Rows[n-1].At, got.Rows[n-1].ID, p.Taken+int64(n)
		done, got.Rows = append(done, some...), got.Rows[n:]
		if err := rest(ctx, restFor*time.Since(began)); err != nil {
			return false, err
		}
	}
	if p.Round == 0 {
		p.Round = got.Now
	}
	if !got.More {
		endRound(p, t.service.Store.Clock.Now())
	}
	return got.More, t.save(ctx, done)
}

// rest waits, so that others can write.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// changes are what a row of the CRM says.
func (t *turn) changes(m *mapped, row connector.Row) []*verdict {
	base := change{ObjectType: m.ObjectType, ExternalID: row.ID, ModifiedAt: row.At.String(), at: row.At}
	is := func(op Operation, into *reference) *verdict {
		c := base
		c.Operation, c.Into = op, into
		return &verdict{change: &c}
	}
	switch {
	case row.MergedInto != "":
		return []*verdict{is(Merge, &reference{ExternalID: row.MergedInto})}
	case row.Deleted:
		return []*verdict{is(Delete, nil)}
	}
	up := is(Upsert, nil)
	up.Fields = make(map[string]json.RawMessage, len(m.from))
	for field, from := range m.from {
		text := m.value(field, row.Fields[from], t.objects)
		up.Fields[field], _ = json.Marshal(text) // a text
		up.fields = append(up.fields, &crm.FieldInput{Name: field, Text: &text})
	}
	if row.ConvertedTo == "" {
		return []*verdict{up}
	}
	return []*verdict{up, is(Conversion, &reference{ObjectType: t.typeOf("Contact"), ExternalID: row.ConvertedTo})}
}

// typeOf is the object type that comes from an object of the CRM.
func (t *turn) typeOf(object string) string {
	for i := range t.settings.Types {
		if objectOf(&t.settings.Types[i]) == object {
			return t.settings.Types[i].ObjectType
		}
	}
	return object
}
