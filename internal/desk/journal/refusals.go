package journal

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Refusals counts the sign-ins that were refused, by minute, address and reason, and
// writes an entry for each once a minute: a flood of bad tokens makes few entries.
type Refusals struct {
	Store *store.Store

	mu     sync.Mutex
	counts map[refusal]int64
}

// refusal is an address, a reason, and the minute; none for those counted together.
type refusal struct {
	source, why string
	minute      clock.Time
}

// mostRefusals bounds the addresses and reasons of a minute; the others are counted
// together.
const (
	mostRefusals = 50
	refusalsEach = time.Minute
)

// Count counts a refusal of the request of ctx.
func (r *Refusals) Count(ctx context.Context, why error) {
	is := refusal{network(viewer.Source(ctx)), why.Error(), clock.Of(r.Store.Clock.Now().Std().Truncate(time.Minute))}
	var f *fault.Error
	if errors.As(why, &f) {
		is.why = f.Message
	}
	r.add(is, 1)
}

// network is an IPv6 address as its /64, which is one subscriber's; any other as it is.
func network(source string) string {
	address, err := netip.ParseAddr(source)
	if err != nil {
		return source
	}
	if address = address.Unmap().WithZone(""); address.Is4() {
		return address.String()
	}
	return netip.PrefixFrom(address, 64).Masked().String()
}

func (r *Refusals) add(is refusal, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = map[refusal]int64{}
	}
	if _, known := r.counts[is]; !known && len(r.counts) >= mostRefusals {
		is = refusal{why: "Refused, from more addresses or for more reasons than are kept."}
	}
	r.counts[is] += n
}

// Run writes what was counted, each minute and when ctx ends.
func (r *Refusals) Run(ctx context.Context) {
	every := time.NewTicker(refusalsEach)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			r.write(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			r.write(last)
			return
		}
	}
}

// write writes what was counted. What cannot be written is counted on.
func (r *Refusals) write(ctx context.Context) {
	r.mu.Lock()
	counts := r.counts
	r.counts = nil
	r.mu.Unlock()
	if len(counts) == 0 {
		return
	}
	ctx = viewer.AsSystem(ctx, "sign-in")
	err := r.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		byAddress := func(a, b refusal) int {
			return cmp.Or(cmp.Compare(a.minute, b.minute), cmp.Compare(a.source, b.source), cmp.Compare(a.why, b.why))
		}
		for _, is := range slices.SortedFunc(maps.Keys(counts), byAddress) {
			source := is.source
			entry := Entry{Action: SignInRefused, Detail: is.why, Count: counts[is], At: is.minute}
			if err := entry.Write(viewer.FromAddress(ctx, &source), tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	slog.ErrorContext(ctx, "refused sign-ins could not be recorded; they are counted on", "error", err)
	for is, n := range counts {
		r.add(is, n)
	}
}
