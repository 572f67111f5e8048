package directory

import (
	"context"
	"fmt"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/internal/desk/feed"
	"parley/internal/desk/journal"
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
	// event is recorded. It may run more than once.
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
	changed := false
	err := d.store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		changed, err = e.run(ctx, tx)
		return err
	})
	if err != nil || !changed {
		return err
	}
	return d.Refresh(ctx)
}

func (e *Edit) run(ctx context.Context, tx *store.Tx) (changed bool, err error) {
	if err := oneAtATime(ctx, tx); err != nil {
		return false, err
	}
	before, err := readRights(ctx, tx.Ent)
	if err != nil {
		return false, err
	}
	if changed, err = e.Do(journal.Within(ctx, tx), tx); err != nil || !changed {
		return false, err
	}
	after, err := readRights(ctx, tx.Ent)
	if err != nil {
		return false, err
	}
	if e.Allow != nil {
		if err := e.Allow(before, after); err != nil {
			return false, err
		}
	}
	return true, feed.Record(tx, &feed.Event{
		Cause: feed.DirectoryChanged, Agents: moved(before, after), ActorID: viewer.FromContext(ctx).AgentID, IdempotencyKey: e.Key,
	})
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
	agents, err := readAgents(viewer.AsSystem(ctx, "directory"), client)
	rights, records := Rights{}, newProfiles()
	for _, a := range agents {
		if a.Active {
			rights[a.ID] = rightsOf(a, records.of(a))
		}
	}
	return rights, err
}

func readAgents(ctx context.Context, client *ent.Client) ([]*ent.Agent, error) {
	agents, err := client.Agent.Query().WithPermissionSets().WithChannels().WithQueues().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("directory: agents: %w", err)
	}
	return agents, nil
}

// unknown reports whether a newer version has given a permission of which this one
// does not know what it allows.
func unknown(p viewer.Permission) bool { return !slices.Contains(viewer.Permissions, p) }

// rightsOf is the agent as who asks: the permissions of the role and of the
// sets, the channels, the queues and the readable object types, each once and ascending.
func rightsOf(row *ent.Agent, records profile) *viewer.Viewer {
	v := &viewer.Viewer{
		AgentID: row.ID, Username: row.Username, Licensed: row.Licensed, IsService: row.Kind.Known() == viewer.Service, ValidFrom: row.TokensValidFrom,
		Permissions: slices.Clone(row.Role.Defaults()), Objects: records.readable, Records: records.digest,
	}
	for _, set := range row.Edges.PermissionSets {
		v.Permissions = append(v.Permissions, set.Permissions...)
	}
	for _, c := range row.Edges.Channels {
		v.Channels = append(v.Channels, c.ID)
	}
	for _, q := range row.Edges.Queues {
		v.Queues = append(v.Queues, q.ID)
	}
	slices.Sort(v.Permissions)
	v.Permissions = slices.DeleteFunc(slices.Compact(v.Permissions), unknown)
	slices.Sort(v.Channels)
	slices.Sort(v.Queues)
	return v
}
