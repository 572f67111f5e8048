package directory

import (
	"context"
	"fmt"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/internal/desk/feed"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Change runs fn as one write to the directory and tells every process to read
// it again; streams of agents whose rights it moved reset.
func (d *Directory) Change(ctx context.Context, fn func(ctx context.Context, tx *store.Tx) error) error {
	ctx = viewer.AsSystem(ctx, "directory")
	err := d.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := oneAtATime(ctx, tx); err != nil {
			return err
		}
		before, err := readRights(ctx, tx.Ent)
		if err != nil {
			return err
		}
		if err := fn(ctx, tx); err != nil {
			return err
		}
		after, err := readRights(ctx, tx.Ent)
		if err != nil {
			return err
		}
		return feed.Record(tx, &feed.Event{Cause: feed.DirectoryChanged, Agents: moved(before, after)})
	})
	if err != nil {
		return err
	}
	return d.Refresh(ctx)
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
func moved(before, after map[int64]*viewer.Viewer) []int64 {
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
func readRights(ctx context.Context, client *ent.Client) (map[int64]*viewer.Viewer, error) {
	agents, err := readAgents(ctx, client)
	rights := map[int64]*viewer.Viewer{}
	for _, a := range agents {
		if a.Active {
			rights[a.ID] = rightsOf(a)
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
// sets, the channels and the queues, each once and ascending.
func rightsOf(row *ent.Agent) *viewer.Viewer {
	v := &viewer.Viewer{AgentID: row.ID, Username: row.Username, Licensed: row.Licensed, Permissions: slices.Clone(row.Role.Defaults())}
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
