package access

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"parley/ent/accesstoken"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Uses remembers which access tokens were used, and writes it once a minute: one
// statement for all of them.
type Uses struct {
	Store *store.Store
	Clock clock.Clock

	mu   sync.Mutex
	used map[int64]bool
}

const usesEach = time.Minute

func (u *Uses) add(key int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.used == nil {
		u.used = map[int64]bool{}
	}
	u.used[key] = true
}

// Run writes what was used, each minute and when ctx ends.
func (u *Uses) Run(ctx context.Context) {
	every := time.NewTicker(usesEach)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			u.write(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			u.write(last)
			return
		}
	}
}

// write forgets uses that cannot be written: the next ones say as much.
func (u *Uses) write(ctx context.Context) {
	u.mu.Lock()
	keys := slices.Sorted(maps.Keys(u.used))
	u.used = nil
	u.mu.Unlock()
	if len(keys) == 0 {
		return
	}
	now := u.Clock.Now()
	err := u.Store.Write(viewer.AsSystem(ctx, "access"), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.AccessToken.Update().Where(accesstoken.IDIn(keys...), accesstoken.LastUsedAtLT(now)).SetLastUsedAt(now).Exec(ctx)
	})
	if err != nil {
		slog.ErrorContext(ctx, "the last use of access tokens could not be recorded", "error", err)
	}
}
