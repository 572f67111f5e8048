// Package directory keeps the organisation's agents, channels and provider accounts in
// memory. They are few (5,000 agents, 2,000 channels) and needed by every request, so
// every process holds a snapshot, which a DIRECTORY_CHANGED event refreshes.
package directory

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/ent"
	"parley/internal/channel"
	"parley/internal/desk/feed"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/vault"
	"parley/internal/ground/viewer"
)

// Directory answers from the present snapshot. It is safe for concurrent use.
type Directory struct {
	store     *store.Store
	ids       *publicid.Codec
	providers channel.Providers
	vault     *vault.Vault
	marks     []byte // keys the fingerprints of credentials
	now       atomic.Pointer[snapshot]
	// reading serialises refreshes, so that a slow one cannot put back what a
	// later one has replaced.
	reading sync.Mutex
	rows    *rows
}

// Load reads the directory. The vault decrypts the accounts' credentials, and the
// providers read them.
func Load(ctx context.Context, s *store.Store, ids *publicid.Codec, providers channel.Providers, v *vault.Vault) (*Directory, error) {
	d := &Directory{store: s, ids: ids, providers: providers, vault: v}
	var err error
	if d.marks, err = s.Secret(ctx, "fingerprints"); err != nil {
		return nil, err
	}
	return d, d.Refresh(ctx)
}

// Refresh reads everything again.
func (d *Directory) Refresh(ctx context.Context) error { return d.refresh(ctx, nil) }

// refresh reads rows again that have changed; everything for nil, and when one is of a
// type that only a newer version knows.
func (d *Directory) refresh(ctx context.Context, changed []feed.Row) error {
	d.reading.Lock()
	defer d.reading.Unlock()
	ctx = viewer.AsSystem(ctx, "directory")
	r := &reading{Directory: d, client: d.store.Ent, rs: d.rows}
	unknown := func(row feed.Row) bool { return readers[row.Type] == nil }
	if changed == nil || d.rows == nil || slices.ContainsFunc(changed, unknown) {
		if err := r.all(ctx); err != nil {
			return err
		}
		d.rows, changed = r.rs, nil
	}
	for _, row := range changed {
		if err := r.row(ctx, row); err != nil {
			return err
		}
	}
	d.now.Store(d.snapshot(d.rows))
	return nil
}

// Agents are all agents, service accounts too, by name.
func (d *Directory) Agents() []*Agent { return d.now.Load().agentList }

// People are the agents who are no service accounts and are active, or those who are not,
// by name; all for nil.
func (d *Directory) People(isActive *bool) []*Agent {
	return slices.DeleteFunc(slices.Clone(d.Agents()), func(a *Agent) bool {
		return a.Kind != viewer.Person || isActive != nil && a.IsActive != *isActive
	})
}

// ServiceAccounts are all service accounts, by name.
func (d *Directory) ServiceAccounts() []*Agent {
	return slices.DeleteFunc(slices.Clone(d.Agents()), func(a *Agent) bool { return a.Kind != viewer.Service })
}

// Channels are all channels, by name.
func (d *Directory) Channels() []*Channel { return d.now.Load().chanList }

// Agent returns the agent with the key, nil when there is none.
func (d *Directory) Agent(key int64) *Agent { return d.now.Load().agents[key] }

// Queue returns the queue with the key, nil when there is none.
func (d *Directory) Queue(key int64) *Queue { return d.now.Load().queues[key] }

// Queues are all queues, by name.
func (d *Directory) Queues() []*Queue { return d.now.Load().queueList }

// QueuesOf are the queues that v works, by name.
func (d *Directory) QueuesOf(v *viewer.Viewer) []*Queue {
	queues := make([]*Queue, 0, len(v.Queues))
	for _, q := range d.Queues() {
		if v.HasQueue(q.Key) {
			queues = append(queues, q)
		}
	}
	return queues
}

// AgentNamed returns the agent with the username, nil when there is none.
func (d *Directory) AgentNamed(username string) *Agent { return d.now.Load().byUsername[username] }

// Channel returns the channel with the key, nil when there is none.
func (d *Directory) Channel(key int64) *Channel {
	if key == 0 { // of what is no id
		return nil
	}
	return d.orNewer([]feed.Row{{Type: ent.TypeChannel, Key: key}}, func(s *snapshot) *Channel { return s.channels[key] })
}

// orNewer finds a channel, and reads the rows where it would be, or everything for nil,
// before it says that there is none: another process may have made it a moment ago, and
// its conversations are here as soon as it is.
func (d *Directory) orNewer(rows []feed.Row, find func(*snapshot) *Channel) *Channel {
	if c := find(d.now.Load()); c != nil {
		return c
	}
	ctx, cancel := context.WithTimeout(context.Background(), retryEvery)
	defer cancel()
	if err := d.refresh(ctx, rows); err != nil {
		slog.ErrorContext(ctx, "cannot look for a channel that another process may have created", "error", err)
	}
	return find(d.now.Load())
}

// ChannelsOf are the channels that v owns or shares, by name.
func (d *Directory) ChannelsOf(v *viewer.Viewer) []*Channel {
	out := make([]*Channel, 0, len(v.Channels))
	for _, c := range d.Channels() {
		if v.HasChannel(c.Key) {
			out = append(out, c)
		}
	}
	return out
}

// ChannelAt returns the account's channel with the address, nil when there is none.
func (d *Directory) ChannelAt(account int64, at string) *Channel {
	return d.orNewer(nil, func(s *snapshot) *Channel { return s.byAddress[address{account, at}] })
}

// AccountBy returns the provider account with the key in the database, nil when there is
// none.
func (d *Directory) AccountBy(id int64) *Account {
	for a := range d.Accounts() {
		if a.ID == id {
			return a
		}
	}
	return nil
}

// Viewer returns the agent with the username as who asks, with the rights they
// have now: UNAUTHENTICATED for one who is unknown or switched off.
func (d *Directory) Viewer(username string) (*viewer.Viewer, error) {
	a := d.AgentNamed(username)
	if a == nil || !a.IsActive {
		return nil, errInactive
	}
	return a.rights, nil
}

// Now is v with the rights that they have by now, as far as their token goes: none, if they
// may not sign in any more.
func (d *Directory) Now(v *viewer.Viewer) *viewer.Viewer {
	if v == nil || v.System != "" {
		return v
	}
	now, err := d.Viewer(v.Username)
	switch {
	case err != nil:
		return (&viewer.Viewer{AgentID: v.AgentID, Username: v.Username}).Narrowed(nil)
	case v.Scopes != nil:
		return now.Narrowed(v.Scopes)
	}
	return now
}

var errInactive = fault.New(fault.Unauthenticated, "This token's agent is unknown or no longer active. Ask an administrator.")

// retryEvery is how long Observe waits before it reads again, and the most that
// looking again for a channel takes.
const retryEvery = time.Second

// rereadEvery is how often the directory is read although no event says that it changed.
const rereadEvery = 30 * time.Second

// Run reads the directory now and then, until ctx ends, for what was changed without an
// event, such as by SQL.
func (d *Directory) Run(ctx context.Context) {
	every := time.NewTicker(rereadEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		if err := d.Reread(ctx); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "cannot read agents and channels again; the state before is used", "error", err)
		}
	}
}

// Reread reads the directory. If rights have moved without an event, it records one, so
// that open streams follow.
func (d *Directory) Reread(ctx context.Context) error {
	before := d.rights()
	if err := d.Refresh(ctx); err != nil {
		return err
	}
	agents := moved(before, d.rights())
	if agents != nil && len(agents) == 0 {
		return nil
	}
	return d.store.Write(viewer.AsSystem(ctx, "directory"), func(_ context.Context, tx *store.Tx) error {
		return feed.Record(tx, &feed.Event{Cause: feed.DirectoryChanged, Agents: agents})
	})
}

// rights are what the active agents of the present snapshot may do.
func (d *Directory) rights() Rights {
	rights := Rights{}
	for _, a := range d.Agents() {
		if a.IsActive {
			rights[a.Key] = a.rights
		}
	}
	return rights
}

// Observe reads what e says has changed; everything if e does not say, names more rows
// than mostNoted, or what it names cannot be read. The hub calls it
// before any stream sees e, and it returns when the snapshot is fresh or ctx
// ends: no stream may go on under rights that e has taken away.
func (d *Directory) Observe(ctx context.Context, e *feed.Event) {
	if e.Cause != feed.DirectoryChanged {
		return
	}
	for changed := e.Rows; ; changed = nil {
		err := d.refresh(ctx, changed)
		if err == nil || ctx.Err() != nil {
			return
		}
		slog.ErrorContext(ctx, "cannot read agents and channels; streams wait, and requests use the old state", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryEvery):
		}
	}
}
