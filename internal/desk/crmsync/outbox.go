package crmsync

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"parley/ent"
	"parley/ent/crmconnection"
	"parley/ent/record"
	"parley/ent/recordwrite"
	"parley/internal/connector"
	"parley/internal/desk/action"
	"parley/internal/desk/crm"
	"parley/internal/desk/object"
	"parley/internal/ground/anyof"
	"parley/internal/ground/clock"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// NewWrites makes the counter of tries to write to CRMs, by what came of them. It is to be
// registered.
func NewWrites() *prometheus.CounterVec {
	writes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_crm_writes_total",
		Help: "Tries to write to a CRM what actions changed, by outcome: DELIVERED, FAILED, or PENDING for one that is tried again.",
	}, []string{"outcome"})
	for _, outcome := range []action.Delivery{action.Delivered, action.Failed, action.Pending} { // they are there before the first
		writes.WithLabelValues(string(outcome))
	}
	return writes
}

// writeBack is the job that writes to CRMs what was just changed.
type writeBack struct{}

// Kind implements river.JobArgs.
func (writeBack) Kind() string { return "write_crm" }

// writeQueue has a process write to one CRM at a time.
var writeQueue = job.Queue{Name: "crm_writes", Workers: 1, Poll: 500 * time.Millisecond}

// InsertOpts implements river.JobArgsWithInsertOpts.
func (writeBack) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: writeQueue.Name} }

// Outlet is where changes of records of an object type are written to.
type Outlet struct {
	connection int64
	address    string
	objectType connector.Type
}

// WritesTo is the connection that changes of records of an object type are written to, nil for
// none: one that reads them, and was set up to write them.
func (s *Service) WritesTo(ctx context.Context, tx *store.Tx, objectType string) (*Outlet, error) {
	rows, err := tx.Ent.CrmConnection.Query().Where(crmconnection.KindNEQ(string(Webhook))).
		Select(crmconnection.FieldID, crmconnection.FieldSettings).All(viewer.AsSystem(ctx, "sync"))
	for _, row := range rows {
		if t := typeIn(row.Settings, objectType); t.WritesBack {
			return &Outlet{row.ID, row.Settings.Address, t}, nil
		}
	}
	return nil, err
}

// typeIn is an object type as settings have it; without a name if they have none.
func typeIn(s connector.Settings, objectType string) connector.Type {
	if i := slices.IndexFunc(s.Types, func(t connector.Type) bool { return t.ObjectType == objectType }); i >= 0 {
		return s.Types[i]
	}
	return connector.Type{}
}

// Change is a change of a record by an action, to be written to the CRM.
type Change struct {
	To         *Outlet
	Run        int64 // the action's
	Depth      int   // how many actions had set it off
	ObjectType string
	Edit       *crm.Edit
}

// changed are the fields that have other values than before.
func (c *Change) changed() (fields []crm.FieldEdit) {
	for _, f := range c.Edit.Fields {
		if !f.After.Equal(f.Before) {
			fields = append(fields, f)
		}
	}
	return fields
}

// Request is the CRM's address, and as JSON what is to be written there: the fields by the
// names that the CRM is known to have for them.
func (c *Change) Request() (address, body string, err error) {
	fields := map[string]any{}
	for _, f := range c.changed() {
		from := f.Definition.Name
		for _, m := range c.To.objectType.Fields {
			if m.Field == from {
				from = m.From
			}
		}
		if fields[from] = written(f.Definition, f.After); f.After.IsBlank() && f.Definition.Kind != object.Boolean {
			fields[from] = nil // of a place too
		}
	}
	text, err := json.Marshal(fields)
	return c.To.address, string(text), err
}

// Queue notes in the write tx that a change is to be written to the CRM, with the job that
// does.
func (s *Service) Queue(ctx context.Context, tx *store.Tx, c Change) error {
	fields := map[string]object.Value{}
	for _, f := range c.changed() {
		fields[f.Definition.Name] = f.After
	}
	create := tx.Ent.RecordWrite.Create().SetConnectionID(c.To.connection).SetRunID(c.Run).SetRecordID(c.Edit.Key).SetObjectType(c.ObjectType).
		SetCreates(c.Edit.Outcome == crm.Created).SetFields(fields).SetBase(c.Edit.Base).SetEditedAt(c.Edit.At).SetDepth(c.Depth).
		SetStatus(string(action.Pending)).SetAttempts([]action.Attempt{}).SetDueAt(tx.Now).SetCreatedAt(tx.Now)
	if err := create.Exec(viewer.AsSystem(ctx, "sync")); err != nil {
		return err
	}
	tx.Enqueue(writeBack{}, nil)
	return nil
}

// Requeue has the failed write of a run be tried anew, on what the record is now, and reports
// whether there is one.
func (s *Service) Requeue(ctx context.Context, tx *store.Tx, run int64) (bool, error) {
	ctx = viewer.AsSystem(ctx, "sync")
	row, err := tx.Ent.RecordWrite.Query().Where(recordwrite.RunID(run), recordwrite.Status(string(action.Failed))).Only(ctx)
	if err != nil {
		return false, ent.MaskNotFound(err)
	}
	now, err := standing(ctx, tx.Ent, record.ID(row.RecordID))
	if err != nil {
		return false, ent.MaskNotFound(err)
	}
	update := tx.Ent.RecordWrite.UpdateOne(row).SetStatus(string(action.Pending)).SetOpen(true).SetSent(false).SetTries(0).SetDueAt(tx.Now).
		SetBase(now.UpdatedAt).SetEditedAt(now.UpdatedAt).SetHolder(0).SetHeldUntil(0)
	tx.Enqueue(writeBack{}, nil)
	return true, update.Exec(ctx)
}

// Queued is a write as runs show it.
type Queued struct {
	Address  string
	Status   action.Delivery
	Attempts []action.Attempt
	DueAt    clock.Time
}

// QueuedBy are the writes of runs, which the viewer may see, by the keys of these.
func (s *Service) QueuedBy(ctx context.Context, runs []int64) (map[int64]*Queued, error) {
	rows, err := s.Store.Ent.RecordWrite.Query().Where(recordwrite.RunIDIn(runs...)).WithConnection().All(viewer.AsSystem(ctx, "edge"))
	found := make(map[int64]*Queued, len(rows))
	for _, row := range rows {
		found[row.RunID] = &Queued{row.Edges.Connection.Settings.Address, action.Delivery(row.Status), row.Attempts, row.DueAt}
	}
	return found, err
}

// echoFor is for how long after it was written to the CRM a change of a record may follow
// from that.
const echoFor = 10 * time.Minute

// Depths are the depths of the runs that wrote last to records, of those that did so of late:
// a change of such a record in the CRM may follow from that.
func (s *Service) Depths(ctx context.Context, tx *store.Tx, records []int64) (map[int64]int, error) {
	depths := map[int64]int{}
	last := tx.Builder().Select(entsql.Max("id")).From(entsql.Table("record_writes")).
		Where(entsql.And(entsql.In("record_id", anyof.Args(records)...), entsql.EQ("status", string(action.Delivered)), entsql.GT("due_at", int64(tx.Now.Add(-echoFor))))).GroupBy("record_id")
	q := tx.Builder().Select("record_id", "depth").From(entsql.Table("record_writes")).Where(entsql.In("id", last))
	err := tx.Query(ctx, q, func(rows *sql.Rows) error {
		var key int64
		var depth int
		err := rows.Scan(&key, &depth)
		depths[key] = depth
		return err
	})
	return depths, err
}

// ahead leaves out of a run of changes the fields that are on their way to the CRM: what it
// holds there is older than what is here. Other fields are taken.
func (s *Service) ahead(ctx context.Context, c *Connection, run []*verdict) ([]*crm.RecordInput, error) {
	in, names := make([]*crm.RecordInput, len(run)), map[string][]string{}
	for i, v := range run {
		in[i] = &crm.RecordInput{ObjectType: v.ObjectType, ExternalID: v.ExternalID, ModifiedAt: &v.at, Fields: v.fields}
		if typeIn(c.settings, v.ObjectType).WritesBack {
			names[v.ObjectType] = append(names[v.ObjectType], v.ExternalID)
		}
	}
	for objectType, ids := range names {
		rows, err := s.Store.Ent.Record.Query().Where(record.ObjectType(objectType), record.ExternalIDIn(ids...)).Select(record.FieldID, record.FieldExternalID).All(ctx)
		if err != nil {
			return nil, err
		}
		keys, byID := make([]int64, len(rows)), map[string]int64{}
		for i, row := range rows {
			keys[i], byID[row.ExternalID] = row.ID, row.ID
		}
		pending, err := pendingOf(ctx, s.Store.Ent, keys)
		if err != nil {
			return nil, err
		}
		for _, r := range in {
			if r.ObjectType == objectType {
				r.Fields = without(r.Fields, pending[byID[r.ExternalID]])
			}
		}
	}
	return in, nil
}

// pendingOf are the fields of records that are on their way to the CRM, by record.
func pendingOf(ctx context.Context, client *ent.Client, keys []int64) (map[int64]map[string]bool, error) {
	rows, err := client.RecordWrite.Query().Where(recordwrite.RecordIDIn(keys...), recordwrite.Status(string(action.Pending))).
		Select(recordwrite.FieldRecordID, recordwrite.FieldFields).All(ctx)
	pending := map[int64]map[string]bool{}
	for _, row := range rows {
		if pending[row.RecordID] == nil {
			pending[row.RecordID] = map[string]bool{}
		}
		for name := range row.Fields {
			pending[row.RecordID][name] = true
		}
	}
	return pending, err
}

func without(fields []*crm.FieldInput, names map[string]bool) []*crm.FieldInput {
	return slices.DeleteFunc(slices.Clone(fields), func(f *crm.FieldInput) bool { return names[f.Name] })
}

// mostCounted is up to which number writes are counted.
const mostCounted = 10_000

// countWrites says of each connection how many writes are under way and have failed.
func (s *Service) countWrites(ctx context.Context, list []*Connection) error {
	if len(list) == 0 {
		return nil
	}
	byKey := map[int64]*Connection{}
	for _, c := range list {
		byKey[c.Key] = c
	}
	return s.Store.Read(ctx, store.System("writes of connections that the viewer has"), countWrites.With(mostCounted, mostCounted), func(rows *sql.Rows) error {
		var key, pending, failed int64
		err := rows.Scan(&key, &pending, &failed)
		if c := byKey[key]; c != nil {
			c.PendingWrites, c.FailedWrites = pending, failed
		}
		return err
	})
}

// countWrites reads all connections: there are 50 at most.
var countWrites = store.Fixed(`SELECT c.id,
	(SELECT COUNT(*) FROM (SELECT 1 FROM record_writes AS w WHERE w.connection_id = c.id AND w.status = 'PENDING' LIMIT ?) AS p),
	(SELECT COUNT(*) FROM (SELECT 1 FROM record_writes AS w WHERE w.connection_id = c.id AND w.status = 'FAILED' LIMIT ?) AS f)
FROM crm_connections AS c`)
