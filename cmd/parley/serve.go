package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"parley/app"
	"parley/internal/desk/feed"
	"parley/internal/edge/server"
	"parley/internal/ground/store"
	"parley/internal/ground/trace"
)

// serveCmd serves until interrupted.
type serveCmd struct {
	Addr          string        `default:"127.0.0.1:8080" env:"PARLEY_ADDR" help:"Address to listen on; port 0 picks a free one."`
	PrivateAddr   string        `env:"PARLEY_PRIVATE_ADDR" placeholder:"ADDR" help:"Separate address for metrics and profiles, for operators only; none by default."`
	Create        bool          `env:"PARLEY_CREATE" help:"Create the database if it does not exist; development mode always does."`
	Mode          string        `default:"production" enum:"production,development" env:"PARLEY_MODE" help:"Development enables introspection, and a playground that gives tokens to this machine's browser."`
	PublicURL     string        `env:"PARLEY_PUBLIC_URL" placeholder:"URL" help:"Where carriers and browsers reach this server; webhook signatures cover it. Derived from the address by default."`
	Origins       []string      `env:"PARLEY_ORIGINS" placeholder:"ORIGIN" help:"Allowed web origins, such as https://desk.example.com; none by default, in development those of this machine."`
	Issuers       string        `type:"path" env:"PARLEY_ISSUERS" placeholder:"FILE" help:"JSON file of other issuers whose tokens are accepted, such as your identity provider; none by default."`
	Documents     string        `type:"path" env:"PARLEY_DOCUMENTS" placeholder:"FILE" help:"JSON file of the only documents allowed to run, as relay-compiler and graphql-codegen write it; any by default."`
	Introspection bool          `env:"PARLEY_INTROSPECTION" help:"Enable introspection in production, for callers with a token."`
	Rate          float64       `default:"20000" least:"0" env:"PARLEY_RATE" help:"Request cost allowed to an agent per second, ten times that at once; 0 for no limit."`
	InFlight      int           `default:"100" least:"0" env:"PARLEY_IN_FLIGHT" help:"Queries and mutations an agent may have in flight; 0 for no limit."`
	AnswerBytes   int64         `default:"8388608" least:"1" env:"PARLEY_ANSWER_BYTES" help:"Maximum bytes of an answer or of a stream frame."`
	AnswersBytes  int64         `default:"268435456" least:"1" env:"PARLEY_ANSWERS_BYTES" help:"Maximum bytes of all answers in flight in the process; at least two of the longest answers and 2 MB."`
	Sends         float64       `default:"600" least:"0" env:"PARLEY_SENDS" help:"Messages an agent may send per hour, a sixth of them at once; 0 for no limit."`
	Starts        float64       `default:"180" least:"0" env:"PARLEY_STARTS" help:"Conversations an agent may start per hour, a sixth of them at once; 0 for no limit."`
	Bulks         float64       `default:"60" least:"0" env:"PARLEY_BULKS" help:"Bulk operations an agent may begin per hour, a sixth of them at once; 0 for no limit."`
	Attempts      float64       `default:"20" least:"0" env:"PARLEY_ATTEMPTS" help:"Requests per second from one address without a valid token or signature, fifty times that at once; 0 for no limit."`
	Connections   int           `default:"20" least:"1" env:"PARLEY_CONNECTIONS" help:"WebSockets and event streams an agent may have open on each process."`
	Proxies       []string      `env:"PARLEY_PROXIES" placeholder:"NETWORK" help:"Proxies whose X-Forwarded-For is trusted, such as 10.0.0.0/8; none by default."`
	Playground    bool          `env:"PARLEY_PLAYGROUND" help:"Serve the playground in production, without tokens."`
	NATS          string        `env:"PARLEY_NATS" placeholder:"URL" help:"NATS servers through which processes on one database notify each other of events, such as nats://127.0.0.1:4222; without it they use PostgreSQL's own notifications (on SQLite, none)."`
	LogAge        time.Duration `default:"168h" least:"1m" env:"PARLEY_LOG_AGE" help:"How far back the event log reaches: a stream that was disconnected for longer must resync."`
	LogEvents     int64         `default:"5000000" least:"10000" env:"PARLEY_LOG_EVENTS" help:"Maximum events in the log; the newest 10,000 are always kept."`
	AuditKeep     time.Duration `default:"9600h" least:"24h" env:"PARLEY_AUDIT_KEEP" help:"How long audit entries are kept."`
	Demo          bool          `env:"PARLEY_DEMO" help:"Fill an empty database with demo agents and conversations, and simulate the carriers."`
	LogFormat     string        `default:"text" enum:"text,json" env:"PARLEY_LOG_FORMAT" help:"Format of the log on standard error."`
}

// Run implements the command.
func (s *serveCmd) Run(ctx context.Context, c *cli, out io.Writer) (err error) {
	tracer, err := trace.Open(ctx)
	if err != nil {
		return err
	}
	defer tracer.Close()
	s.logs(tracer)
	issuers, err := s.issuers()
	if err != nil {
		return err
	}
	bounds, err := s.bounds()
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, app.Config{
		Database: c.Database, Key: os.Getenv("PARLEY_KEY"), KeyFile: c.KeyFile, Files: c.Files, Create: s.creates(), Mode: s.Mode, Addr: s.Addr, PrivateAddr: s.PrivateAddr,
		PublicURL: s.PublicURL, Origins: s.Origins, Issuers: issuers, Playground: s.Playground, NATS: s.NATS, Demo: s.Demo, Tracer: tracer,
		Sends: orAny(s.Sends), Starts: orAny(s.Starts), Bulks: orAny(s.Bulks),
		Server: bounds, Log: feed.Retention{Age: s.LogAge, Events: s.LogEvents}, AuditKeep: s.AuditKeep,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if s.Demo {
		if err := demo(ctx, a); err != nil {
			return fmt.Errorf("demo data: %w", err)
		}
	}
	if err := a.Listen(); err != nil {
		return err
	}
	s.greet(out, a)
	return a.Run(ctx)
}

func (s *serveCmd) logs(tracer *trace.Tracer) {
	var h slog.Handler = slog.NewTextHandler(os.Stderr, nil)
	if s.LogFormat == "json" {
		h = slog.NewJSONHandler(os.Stderr, nil)
	}
	if tracer != nil {
		h = trace.Logs(h)
	}
	slog.SetDefault(slog.New(h))
}

// creates reports whether a database is made where there is none. In production that
// must be said: a disk that is not mounted looks like a first start, and carriers
// would be answered by a Parley that knows nobody.
func (s *serveCmd) creates() bool { return s.Create || s.Mode == server.Development }

// greet prints where everything is to standard output. Only in development does it
// print tokens, and the playground's key; the log, on standard error, has neither.
func (s *serveCmd) greet(out io.Writer, a *app.App) {
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	url := a.PublicURL()
	say("Parley is ready.\n")
	say("  GraphQL     %s/graphql (POST, GET, WebSocket, event streams)", url)
	if s.Mode == server.Development || s.Playground {
		say("  Playground  %s", a.PlaygroundURL())
	}
	say("  Webhooks    %s/webhooks/{provider}/{account}", url)
	if addr := a.Server.PrivateAddr(); addr != nil {
		say("  Metrics     http://%s/metrics", addr)
	}
	if len(a.Directory.Agents()) == 0 {
		say("\nNobody can sign in yet. Create an administrator, an account and a number:\n  %s setup --database %s", os.Args[0], a.Config.Database)
	}
	if s.Mode == server.Development {
		sayTokens(say, a)
	}
	if s.Demo {
		sayWhatToTry(say, a, s.Mode == server.Development)
	}
	say("\nPress Ctrl+C to stop.")
}

// demoDirect is the sender ID of the demo data whose new conversations are amy's.
const demoDirect = "+12025550101"

// sayWhatToTry prints commands that run as they are copied.
func sayWhatToTry(say func(string, ...any), a *app.App, playground bool) {
	say("\nTry it:")
	if playground {
		say("  1. Open the playground, choose the tab WatchMyInbox and run it (Ctrl-Enter).")
	} else {
		say("  1. Subscribe to conversationsChanged as amy.")
	}
	say("  2. Simulate one of amy's customers from another terminal:\n     %s sandbox say --database %s --url %s --to %s \"Hello!\"",
		os.Args[0], a.Config.Database, a.PublicURL(), demoDirect)
	say("  3. The conversation enters amy's inbox, live. To answer, open the same address in a second window, choose the tab Reply,\n     and put the frame's conversationId into its variables.")
}

// mostTokens is how many agents a start prints tokens for.
const mostTokens = 4

func sayTokens(say func(string, ...any), a *app.App) {
	agents := a.OldestAgents(mostTokens)
	if len(agents) == 0 {
		return
	}
	say("\nTokens, valid for 12 hours (parley token AGENT prints more):")
	for _, agent := range agents {
		if t, err := a.Tokens.Mint(agent.Username, 12*time.Hour); err == nil {
			say("  %-5s %-10s %s", agent.Username, strings.ToLower(string(agent.Role)), t)
		}
	}
}

// migrateCmd makes the database or applies migrations; opening the store does it.
type migrateCmd struct{}

// Run implements the command.
func (migrateCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	s, err := store.Open(ctx, store.Options{URL: c.Database, Create: true})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "The database is up to date.")
	return s.Close()
}
