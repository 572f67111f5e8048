package directory

import (
	"context"
	"fmt"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/internal/desk/feed"
	"parley/internal/desk/journal"
	"parley/internal/desk/rule"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Change runs fn, as the system, as one write to the directory and tells every process
// to read it again; streams of agents whose rights it moved reset.
func (d *Directory) Change(ctx context.Context, fn func(ctx context.Context, tx *store.Tx) error) error {
	return d.Apply(viewer.AsSystem(ctx, "directory"), Edit{Do: func(ctx context.Context, tx *store.Tx) (bool, error) { return true, fn(ctx, tx) }})
}

// Rights are what every active agent may do, by key.
type Rights map[int64]*viewer.Viewer

// Edit is a change of the directory.
type Edit struct {
	// Do writes, as the viewer of ctx, and reports whether anything changed; if not, no
	// event is recorded. It may run more than once. What it writes by ent is read again by
	// every process; if it writes nothing by ent, everything is.
	Do func(ctx context.Context, tx *store.Tx) (changed bool, err error)
	// Allow judges what the change did to the rights of agents, and undoes it by an
	// error; nil for a change that is always allowed.
	Allow func(before, after Rights) error
	// Key is the idempotency key of the mutation that asked for it; empty for none.
	Key string
}

// Apply makes a change as the viewer of ctx. Changes run one at a time, also those of
// other processes, so what Allow is given stays true until the commit.
func (d *Directory) Apply(ctx context.Context, e Edit) error {
	var is *feed.Event
	err := d.store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		is, err = e.run(ctx, tx)
		return err
	})
	if err != nil || is == nil {
		return err
	}
	return d.refresh(ctx, is.Rows)
}

// run makes the change and returns its event, nil if nothing changed.
func (e *Edit) run(ctx context.Context, tx *store.Tx) (*feed.Event, error) {
	if err := oneAtATime(ctx, tx); err != nil {
		return nil, err
	}
	before, err := readRights(ctx, tx.Ent)
	if err != nil {
		return nil, err
	}
	written := notes{}
	if changed, err := e.Do(rule.WithNotes(journal.Within(ctx, tx), written.add), tx); err != nil || !changed {
		return nil, err
	}
	after, err := readRights(ctx, tx.Ent)
	if err != nil {
		return nil, err
	}
	if e.Allow != nil {
		if err := e.Allow(before, after); err != nil {
			return nil, err
		}
	}
	is := &feed.Event{
		Cause: feed.DirectoryChanged, Agents: moved(before, after), Rows: written.rows(), ActorID: viewer.FromContext(ctx).AgentID, IdempotencyKey: e.Key,
	}
	return is, feed.Record(tx, is)
}

// mostNoted bounds the rows that an event names: beyond them everything is read.
const mostNoted = 20

// notes are the rows that a change wrote, and whether all are known.
type notes struct {
	written []feed.Row
	more    bool
}

func (n *notes) add(kind string, key int64) {
	row := feed.Row{Type: kind, Key: key}
	switch {
	case slices.Contains(n.written, row):
	case key == 0 || readers[kind] == nil || len(n.written) == mostNoted:
		n.more = true
	default:
		n.written = append(n.written, row)
	}
}

// rows are those that were written; nil for any.
func (n *notes) rows() []feed.Row {
	if n.more {
		return nil
	}
	return n.written
}

// oneAtATime waits for the change that another process is making. Together two
// may move the rights of an agent whom neither moves alone, such as one who has a
// permission by two sets and loses both.
func oneAtATime(ctx context.Context, tx *store.Tx) error {
	if !tx.Locks() {
		return nil
	}
	_, err := tx.Exec(ctx, entsql.Expr("LOCK TABLE agents IN SHARE ROW EXCLUSIVE MODE"))
	return err
}

// mostNamed bounds the event of a change: one that moved the rights of more
// agents is told to all.
const mostNamed = 500

// moved names the agents whose rights differ; nil for more than mostNamed.
func moved(before, after Rights) []int64 {
	keys := []int64{}
	for key, v := range after {
		if old := before[key]; old == nil || !v.Equal(old) {
			keys = append(keys, key)
		}
		delete(before, key)
	}
	for key := range before { // gone or switched off
		keys = append(keys, key)
	}
	if len(keys) > mostNamed {
		return nil
	}
	slices.Sort(keys)
	return keys
}

// readRights reads what every active agent may do.
func readRights(ctx context.Context, client *ent.Client) (Rights, error) {
	agents, err := readAgents(viewer.AsSystem(ctx, "directory"), client.Agent.Query())
	rs := rows{sets: map[int64]*ent.PermissionSet{}, agents: map[int64]*ent.Agent{}, having: links{}, sending: links{}, working: links{}}
	rights, records := Rights{}, newProfiles()
	for _, a := range agents {
		if rs.addAgent(a); a.Active {
			rights[a.ID] = rs.rights(a, records.of(rs.setsOf(a.ID)))
		}
	}
	return rights, err
}

func readAgents(ctx context.Context, query *ent.AgentQuery) ([]*ent.Agent, error) {
	agents, err := query.WithPermissionSets().WithChannels().WithQueues().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("directory: agents: %w", err)
	}
	return agents, nil
}

// unknown reports whether a newer version has given a permission of which this one
// does not know what it allows.
func unknown(p viewer.Permission) bool { return !slices.Contains(viewer.Permissions, p) }

// rights are the agent as who asks: the permissions of the role and of the sets, the
// channels, the queues and the readable object types, each once and ascending.
func (rs *rows) rights(row *ent.Agent, records profile) *viewer.Viewer {
	v := &viewer.Viewer{
		AgentID: row.ID, Username: row.Username, Licensed: row.Licensed, IsService: row.Kind.Known() == viewer.Service, ValidFrom: max(row.TokensValidFrom, row.SignedOutAt),
		Permissions: slices.Clone(row.Role.Defaults()), Channels: rs.sending[row.ID], Queues: rs.working[row.ID],
		Objects: records.readable, Records: records.digest,
	}
	for _, set := range rs.setsOf(row.ID) {
		v.Permissions = append(v.Permissions, set.Permissions...)
	}
	slices.Sort(v.Permissions)
	v.Permissions = slices.DeleteFunc(slices.Compact(v.Permissions), unknown)
	return v
}
