package message

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// keepUses is how often uses are written: not with each message.
const keepUses = time.Minute

// use is the last use of a provider account.
type use struct {
	at       clock.Time
	failure  string
	failedAt clock.Time
}

// uses are those that are not written yet, by the account's key.
type uses struct {
	mu    sync.Mutex
	since map[int64]use
}

func (u *uses) note(account int64, r channel.Result, now clock.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.since == nil {
		u.since = map[int64]use{}
	}
	is := u.since[account]
	is.at = now
	switch r.Code {
	case channel.CheckChannelSettings, channel.ServiceUnreachable, channel.ServiceUnreachable2:
		is.failure, is.failedAt = cmp.Or(clip(r.Detail, 500), r.Code.Explain()), now
	}
	u.since[account] = is
}

func (u *uses) take() map[int64]use {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.since
	u.since = nil
	return taken
}

// KeepUses writes from time to time, and when ctx ends, when accounts were last used and
// what failed.
func (m *Messenger) KeepUses(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(keepUses):
		}
		if err := m.WriteUses(context.WithoutCancel(ctx)); err != nil {
			slog.WarnContext(ctx, "cannot store when provider accounts were last used", "error", err)
		}
	}
}

// WriteUses writes what KeepUses would, now.
func (m *Messenger) WriteUses(ctx context.Context) error {
	taken := m.uses.take()
	if len(taken) == 0 {
		return nil
	}
	return m.Store.Write(viewer.AsSystem(ctx, "uses"), func(ctx context.Context, tx *store.Tx) error {
		for _, account := range slices.Sorted(maps.Keys(taken)) { // in one order: two processes never wait for each other
			is := taken[account]
			update := tx.Builder().Update("provider_accounts").Set("last_used_at", int64(is.at)).Where(entsql.EQ("id", account))
			if is.failedAt > 0 {
				update.Set("last_error", is.failure).Set("last_error_at", int64(is.failedAt))
			}
			if _, err := tx.Exec(ctx, update); err != nil {
				return err
			}
		}
		return nil
	})
}
