// Command bench measures Parley against hand-written baselines and prints
// ratios. Absolute figures swing with the machine; a ratio holds, because each
// contender and its baseline take turns in rounds of one run, over the same
// database.
//
//	go run -tags sqlite_fts5 ./bench                       # or: make bench
//	go run -tags sqlite_fts5 ./bench --conversations 100000 --messages 1000000
//	go run -tags sqlite_fts5 ./bench --database postgres://postgres@127.0.0.1:5432/parley_bench
//
// It measures a page of an inbox against a plain handler with one SQL statement
// and encoding/json, one of a record's related conversations against a recursive
// statement, and a change of a lookup among a thousand streams of such; sends and inbound webhooks against raw SQL that writes the
// same rows; searches for what is rare against searches for what is common, and
// for a word in what is hidden against one that is nowhere; the first page
// against a deep one, and a short thread against a long one; pages and counts
// in small and large organisations; what a unit of cost takes, for every field
// that can be dear, and whether one agent's dearest documents hold up another's
// page; an import against SQLite's own; how long a customer's message takes from
// the carrier's webhook to a subscriber; what
// idle subscribers take, and an event that all of them see, against a bare
// WebSocket server; an event for ten among thousands of streams; how large the
// program is and how long it takes to start; formulas against like ones of
// expr-lang/expr; and whether memory, goroutines,
// files and WAL stay flat while subscribers come and go:
//
//	go run -tags sqlite_fts5 ./bench --only soak --soak 1h
//
// The part "peers" compares a page to PostGraphile 5 on the same rows; it needs
// Node 22, a PostgreSQL server, and npm ci in bench/peers. A part that cannot run
// fails, and the others are measured all the same.
//
// The table goes to standard output and bench/results.json.
//
// A database given by --database is seeded and written to: take one of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"parley/app"
	"parley/internal/admin/seed"
	"parley/internal/edge/server"
)

// commands are the command line.
type commands struct {
	Measure settings     `cmd:"" default:"withargs" help:"Measure and print."`
	Stand   standCommand `cmd:"" hidden:""`
}

// settings say what to measure, and on what.
type settings struct {
	Only          []string      `enum:"latency,idle,concern,soak,reads,crm,prices,sends,receives,search,peers,scale,starts,import,formula" help:"Measure these alone: latency, idle, concern, soak, reads, crm, prices, sends, receives, search, peers, scale, starts, import, formula."`
	Conversations int           `default:"20000" help:"Conversations in the database."`
	Messages      int           `default:"200000" help:"Messages in them together."`
	LongThread    int           `default:"100000" help:"Messages in the long thread."`
	Database      string        `placeholder:"FILE|URL" help:"Database of the benchmark's own, which it fills; a temporary SQLite file by default."`
	Scale         []int         `default:"10000,100000" help:"Conversations in each organisation whose sizes are compared."`
	ScaleMessages int           `default:"1" help:"Messages for each conversation in these."`
	Import        []int         `default:"180000,1800000" help:"Messages in the exports that are imported, the smallest first."`
	Server        string        `env:"PARLEY_TEST_POSTGRES" default:"postgres://postgres@127.0.0.1:5432/postgres" json:"-" help:"PostgreSQL server on which parts that compare databases make one of their own, and drop it."`
	Node          string        `default:"node" help:"Node 22 or newer, which runs the peers."`
	Round         time.Duration `default:"1s" help:"How long a contender's turn lasts."`
	Rounds        int           `default:"5" help:"How many turns each contender has."`
	Latency       int           `default:"1000" help:"Inbound messages for the latency from webhook to subscriber."`
	Rate          int           `default:"200" help:"Of these, how many a second."`
	Subscribers   int           `default:"5000" help:"How many subscribers are idle."`
	Soak          time.Duration `default:"1m" help:"How long subscribers come and go."`
	Out           string        `default:"bench/results.json" help:"Where the figures go as JSON."`
	Profile       string        `placeholder:"DIR" help:"Also write a CPU profile of each contender into this folder."`

	filled bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var c commands
	command := kong.Parse(&c, kong.Name("bench"), kong.Description("Measure Parley against hand-written baselines."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	// The access log is part of what is measured; where it goes is not.
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err := command.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

// Run implements the command.
func (s *settings) Run(ctx context.Context) (err error) {
	if s.Database == "" {
		dir, err := os.MkdirTemp("", "parley-bench-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		s.Database = filepath.Join(dir, "bench.db")
	}
	r := newReport(s)
	var failures []error
	for _, part := range s.parts() {
		if ctx.Err() != nil || len(s.Only) > 0 && !slices.Contains(s.Only, part.name) {
			continue
		}
		err := error(nil)
		if !part.apart && !s.filled {
			err, s.filled = s.fill(ctx, r), true
		}
		if err == nil {
			err = part.measure(ctx, r)
		}
		if err != nil { // the others are measured all the same
			failures = append(failures, fmt.Errorf("%s: %w", part.name, err))
		}
	}
	return errors.Join(errors.Join(failures...), r.finish(os.Stdout, s.Out), ctx.Err())
}

// part is one thing to measure.
type part struct {
	name    string
	measure func(context.Context, *report) error
	apart   bool // on databases of its own
}

func (s *settings) parts() []part {
	return []part{
		{"latency", s.latency, false},
		{"idle", s.idle, false},
		{"concern", s.concern, false},
		{"soak", s.soak, false},
		{"reads", s.reads, false},
		{"crm", s.trails, false},
		{"crm", s.trailStreams, false},
		{"crm", s.records, false},
		{"prices", s.prices, false},
		{"sends", s.sends, false},
		{"receives", s.receives, false},
		{"search", s.searches, false},
		{"search", s.hidden, true},
		{"peers", s.peers, true},
		{"scale", s.scale, true},
		{"starts", s.starts, true},
		{"import", s.imports, true},
		{"formula", s.formulas, true},
	}
}

// Sets that hold one thread each.
func shortThread() seed.Options { return seed.Options{Conversations: 1, Messages: 20, Seed: 20} }

func (s *settings) longThread() seed.Options {
	return seed.Options{Conversations: 1, Messages: s.LongThread, Seed: 100}
}

// fill seeds the database and measures that too.
func (s *settings) fill(ctx context.Context, r *report) error {
	return s.withApp(ctx, func(ctx context.Context, a *app.App) error {
		for _, o := range []seed.Options{shortThread(), s.longThread()} {
			if err := seed.Fill(ctx, a.Directory, a.Store, o); err != nil {
				return err
			}
		}
		return s.fillMeasured(ctx, r, a)
	})
}

func (s *settings) fillMeasured(ctx context.Context, r *report, a *app.App) error {
	before, err := a.Store.Head(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	err = seed.Fill(ctx, a.Directory, a.Store, seed.Options{
		Conversations: s.Conversations, Messages: s.Messages, Seed: 1, Progress: os.Stderr,
	})
	if err != nil {
		return err
	}
	took := time.Since(began)
	if after, err := a.Store.Head(ctx); err != nil || after == before {
		return err // it was all there from an earlier run
	}
	r.add(figure{
		Group: "seed", Name: fmt.Sprintf("%d conversations, %d messages", s.Conversations, s.Messages), Clients: 1,
		PerSecond: float64(s.Messages) / took.Seconds(), Note: "messages a second",
	})
	return nil
}

// open opens Parley on a database.
func (s *settings) open(ctx context.Context, database string, options ...func(*app.Config)) (*app.App, error) {
	c := app.Config{
		Database: database, Create: true, Mode: server.Production, Addr: "127.0.0.1:0", Demo: true,
		Sends: -1, Starts: -1, Bulks: -1,
		Server: func(o *server.Options) { o.Socket.PerViewer, o.Rate, o.InFlight = 10_000, -1, -1 },
	}
	for _, option := range options {
		option(&c)
	}
	return app.Open(ctx, c)
}

// withApp opens Parley, lets fn use it, and closes it.
func (s *settings) withApp(ctx context.Context, fn func(context.Context, *app.App) error) (err error) {
	a, err := s.open(ctx, s.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return fn(ctx, a)
}
