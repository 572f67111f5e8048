package main

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"parley/internal/check/blackbox"
)

// natsAway stops and starts NATS under two processes on one PostgreSQL.
func natsAway(ctx context.Context, t *trial) error {
	p, err := t.newPostgres(ctx)
	if err != nil {
		return err
	}
	database, err := p.create(ctx)
	if err != nil {
		return err
	}
	address, err := blackbox.FreeAddress(ctx)
	if err != nil {
		return err
	}
	bus, err := startNATS(address)
	if err != nil {
		return err
	}
	t.after(func() error { bus.Shutdown(); bus.WaitForShutdown(); return nil })
	w, err := t.build(ctx, plan{database: database, processes: 2, args: []string{"--nats", "nats://" + address}})
	if err != nil {
		return err
	}
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	l := w.start(ctx, rate/5)
	times := t.times(10, 3)
	for range times {
		if _, err := l.reaches(ctx, threads, 20*time.Second); err != nil {
			return err
		}
		bus.Shutdown()
		bus.WaitForShutdown()
		if _, err := l.reaches(ctx, threads, 20*time.Second); err != nil {
			return err
		}
		c.drop() // and resumes at the other process
		if bus, err = startNATS(address); err != nil {
			return err
		}
		if _, err := eventually(ctx, 20*time.Second, "both processes are back on NATS", func() (bool, string) {
			return bus.NumClients() == 2, strconv.Itoa(bus.NumClients()) + " are"
		}); err != nil {
			return err
		}
	}
	t.repeats("%d times down", times)
	return errors.Join(w.finish(ctx, l, c), l.only())
}

func startNATS(address string) (*server.Server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{Host: host, Port: n, NoSigs: true, NoLog: true})
	if err != nil {
		return nil, err
	}
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return nil, errors.New("the NATS server does not start")
	}
	return s, nil
}
