package doctor

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/internal/desk/feed/natsbus"
	"parley/internal/desk/peer"
	"parley/internal/ground/clock"
)

// living are the processes that said within a lifetime that they live.
func (e *examination) living(ctx context.Context) ([]peer.Process, error) {
	all, err := peer.List(ctx, e.store)
	if err != nil {
		return nil, err
	}
	since := clock.Real{}.Now().Add(-peer.Lifetime - mostSkew)
	return slices.DeleteFunc(all, func(p peer.Process) bool { return p.SeenAt < since }), nil
}

const oneBus = "Give every process on this database the same --nats, and make sure that each can reach that server."

// bus looks whether the processes that serve the database hear each other.
func (e *examination) bus(ctx context.Context) (Finding, error) {
	living, err := e.living(ctx)
	if err != nil {
		return Finding{}, err
	}
	if e.NATS != "" {
		return e.nats(ctx, living)
	}
	var alone []string
	var buses []string
	for _, p := range living {
		if p.Bus == "" {
			alone = append(alone, p.String())
		} else if !slices.Contains(buses, p.Bus) {
			buses = append(buses, p.Bus)
		}
	}
	switch {
	case len(living) > 1 && len(alone) > 0:
		return warn(oneBus, "%d processes serve this database, but these have no bus: %s. Other processes' events arrive up to a second late.", len(living), strings.Join(alone, ", ")), nil
	case len(buses) > 1:
		return warn(oneBus+" Run parley doctor with --nats to see who answers.", "The processes on this database are connected to different NATS servers: %s.", strings.Join(buses, ", ")), nil
	}
	return ok("%s on this database; --nats is not set here.", count(int64(len(living)), "process is running", "processes are running")), nil
}

// nats joins the bus and asks who is there.
func (e *examination) nats(ctx context.Context, living []peer.Process) (Finding, error) {
	var epoch int64
	var key []byte
	if err := e.row(ctx, "SELECT epoch FROM log_heads", &epoch); err != nil {
		return Finding{}, err
	}
	if err := e.row(ctx, "SELECT value FROM secrets WHERE name = 'bus'", &key); err != nil {
		return Finding{}, err
	}
	bus, err := natsbus.Open(natsbus.Options{URL: e.NATS, Epoch: epoch, Key: key})
	if err != nil {
		return fail("Write --nats as nats://host:port, several separated by commas.", "%v.", err), nil
	}
	defer bus.Close()
	if !bus.Connected() {
		return fail("Check that NATS is running, its address, password and firewall.", "NATS cannot be reached: other processes' events arrive up to a second late."), nil
	}
	if key == nil {
		return ok("Connected to NATS (%s); no process has used it yet.", bus.Server()), nil
	}
	var names, silent []string
	for _, p := range living {
		names = append(names, p.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	answered := peer.Ask(ctx, bus, names)
	for _, p := range living {
		if !slices.Contains(answered, p.Name) {
			silent = append(silent, p.String())
		}
	}
	if len(silent) > 0 {
		return warn(oneBus, "Connected to NATS (%s), but of %d processes on this database these do not answer through it: %s.", bus.Server(), len(living), strings.Join(silent, ", ")), nil
	}
	return ok("Connected to NATS (%s); all %d processes on this database answer through it.", bus.Server(), len(living)), nil
}
