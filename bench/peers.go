package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"parley/app"
	"parley/internal/admin/seed"
	"parley/internal/ground/clock"
)

// peersFolder holds the npm project of the peers.
const peersFolder = "bench/peers"

// peers compares a desk's page, the 50 newest of all conversations, to PostGraphile
// on the same rows, and to plain handlers. Each is a process of its own and asked
// over loopback; before they are timed, all must answer the same.
func (s *settings) peers(ctx context.Context, r *report) (err error) {
	var drops []func() error
	defer func() {
		for _, drop := range slices.Backward(drops) {
			err = errors.Join(err, drop())
		}
	}()
	file, drop, err := ownSQLite(ctx)
	if err != nil {
		return err
	}
	drops = append(drops, drop)
	server, drop, err := s.ownPostgres(ctx)
	if err != nil {
		return err
	}
	drops = append(drops, drop)
	began := clock.Of(time.Now())
	for _, database := range []string{file, server} {
		if err := s.fillAt(ctx, database, began); err != nil {
			return err
		}
	}
	desks := []desk{
		{name: "PostGraphile 5", query: postgraphileDeskPage, rows: postgraphileRows, start: func() (*stand, error) { return s.openPostgraphile(ctx, server) }},
		{name: "Parley on SQLite", query: deskPage, rows: parleyRows, start: func() (*stand, error) { return openStand(ctx, "parley", file) }},
		{name: "Parley on PostgreSQL", query: deskPage, rows: parleyRows, start: func() (*stand, error) { return openStand(ctx, "parley", server) }},
		{name: "plain handler on SQLite", rows: plainRowsOf, start: func() (*stand, error) { return openStand(ctx, "plain", file) }},
		{name: "plain handler on PostgreSQL", rows: plainRowsOf, start: func() (*stand, error) { return openStand(ctx, "plain", server) }},
	}
	for i := range desks {
		if err := desks[i].open(); err != nil {
			return fmt.Errorf("%s: %w", desks[i].name, err)
		}
		drops = append(drops, desks[i].stand.close)
	}
	return s.compareDesks(ctx, r, desks)
}

// fillAt fills a database with the set, which ends at the moment, so that two
// databases hold the same.
func (s *settings) fillAt(ctx context.Context, database string, moment clock.Time) (err error) {
	a, err := app.Open(ctx, app.Config{Database: database, Create: true, Demo: true, Clock: still(moment)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return seed.Fill(ctx, a.Directory, a.Store, seed.Options{
		Conversations: s.Conversations, Messages: s.Messages, Seed: 1, Progress: os.Stderr,
	})
}

// still is a clock that stands.
type still clock.Time

// Now implements clock.Clock.
func (s still) Now() clock.Time { return clock.Time(s) }

// openPostgraphile starts PostGraphile on a database.
func (s *settings) openPostgraphile(ctx context.Context, database string) (*stand, error) {
	node, err := exec.LookPath(s.Node)
	if err != nil {
		return nil, fmt.Errorf("needs Node 22 or newer; install it, or name it by --node: %w", err)
	}
	if _, err := os.Stat(filepath.Join(peersFolder, "node_modules")); err != nil {
		return nil, fmt.Errorf("is not installed; run npm ci in %s", peersFolder)
	}
	process := exec.CommandContext(ctx, node, "server.mjs") //nolint:gosec // G204: who runs the benchmark names it
	process.Dir = peersFolder
	process.Env = append(os.Environ(), "NODE_ENV=production", "GRAPHILE_ENV=production", "DATABASE_URL="+database)
	return startStand(process)
}

// desk is a server that answers the desk's page.
type desk struct {
	name  string
	query string // without one it is no graph, and a GET will do
	rows  func(answer []byte) ([]deskRow, error)
	start func() (*stand, error)

	stand  *stand
	client *http.Client
	body   []byte
}

func (d *desk) open() (err error) {
	if d.body, err = request(d.query, nil); err != nil {
		return err
	}
	d.stand, err = d.start()
	// No compression: it would be measured for those that offer it.
	d.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: readers, DisableCompression: true}}
	return err
}

// ask writes the answer into a buffer.
func (d *desk) ask(ctx context.Context, into *bytes.Buffer) error {
	method := http.MethodGet
	if d.query != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, d.stand.Page, bytes.NewReader(d.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if d.stand.Token != "" {
		req.Header.Set("Authorization", "Bearer "+d.stand.Token)
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	into.Reset()
	_, err = io.Copy(into, resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || bytes.Contains(into.Bytes(), []byte(`"errors":[{`))) {
		err = fmt.Errorf("the answer is %s: %.500s", resp.Status, into)
	}
	return err
}

func (s *settings) compareDesks(ctx context.Context, r *report, desks []desk) error {
	c := comparison{group: fmt.Sprintf("desk page, 50 of %d rows, over loopback", s.Conversations), clients: readers}
	var first []deskRow
	for i := range desks {
		d := &desks[i]
		var answer bytes.Buffer
		if err := d.ask(ctx, &answer); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		rows, err := d.rows(answer.Bytes())
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		if i == 0 {
			first = rows
		}
		if err := sameRows(first, rows); err != nil {
			return fmt.Errorf("%s does not answer what %s does: %w", d.name, desks[0].name, err)
		}
		buffers := make([]bytes.Buffer, c.clients)
		c.contenders = append(c.contenders, contender{d.name, func(ctx context.Context, client int) error {
			return d.ask(ctx, &buffers[client])
		}})
	}
	if err := s.warm(ctx, c); err != nil {
		return err
	}
	turns, err := s.takeTurns(ctx, c)
	for i := 0; i < len(desks) && err == nil; i++ {
		f := summary(c, desks[i].name, turns[i], turns[0])
		f.Allocs, f.CPU, f.Note = 0, 0, desks[i].stand.Version // of this process they tell nothing
		r.add(f)
	}
	return err
}

// warm gives each a turn that does not count: a compiler that learns while it
// runs needs some thousand pages.
func (s *settings) warm(ctx context.Context, c comparison) error {
	for _, contender := range c.contenders {
		if _, err := clients(ctx, c.clients, time.Now().Add(5*s.Round), contender.run); err != nil {
			return fmt.Errorf("%s: %w", contender.name, err)
		}
	}
	return nil
}

func sameRows(want, got []deskRow) error {
	if len(want) != 50 || len(got) != len(want) {
		return fmt.Errorf("%d and %d rows, not 50", len(want), len(got))
	}
	for i := range want {
		if want[i] != got[i] {
			return fmt.Errorf("row %d is %+v, not %+v", i, got[i], want[i])
		}
	}
	return nil
}
