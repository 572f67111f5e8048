// Package app puts Parley together: it opens the database, wires the use cases
// to the edge and runs them until told to stop. The command line and the tests
// start the same App.
package app

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/sync/singleflight"

	"parley/graph"
	"parley/internal/channel"
	"parley/internal/channel/registry"
	"parley/internal/channel/sandbox"
	"parley/internal/channel/sandbox/astwilio"
	"parley/internal/channel/wire"
	"parley/internal/desk/bulk"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/inbound"
	"parley/internal/desk/journal"
	"parley/internal/desk/message"
	"parley/internal/desk/objecttype"
	"parley/internal/desk/peer"
	"parley/internal/desk/picture"
	"parley/internal/desk/presence"
	"parley/internal/desk/responder"
	"parley/internal/desk/textindex"
	"parley/internal/edge/limit"
	"parley/internal/edge/selection"
	"parley/internal/edge/server"
	"parley/internal/edge/token"
	"parley/internal/ground/clock"
	"parley/internal/ground/cursor"
	"parley/internal/ground/job"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/trace"
	"parley/internal/ground/vault"
	"parley/internal/ground/viewer"
	"parley/resolvers"
	"parley/web"
)

// Config says what to run. Database is required; every other zero field takes
// the default stated.
type Config struct {
	Database string // a file path (SQLite) or a postgres:// URL
	Create   bool   // make a new database where there is none
	// Key and KeyFile are where the key is that encrypts credentials, as vault.Options
	// has them. By default, beside a SQLite file, in one of its name and ".key".
	Key, KeyFile string
	// Files is where images are kept: a folder, or the s3:// address of a bucket. By default,
	// beside a SQLite file, a folder of its name and ".files"; none for PostgreSQL.
	Files string
	// AnyKey opens the database also with the key of another one; for those who put that
	// right.
	AnyKey bool
	Mode   string // server.Development or server.Production; production by default
	Addr   string // where to listen; 127.0.0.1:8080 by default
	// PrivateAddr is where metrics and profiles are served; nowhere by default.
	PrivateAddr string
	// PublicURL is where carriers and browsers reach this server, without a final
	// slash; made from the address by default.
	PublicURL string
	// Origins are the web origins that may call; none by default.
	Origins []string
	// Issuers are whose tokens are taken besides Parley's own; none by default.
	Issuers []token.Issuer
	// Playground turns the playground on in production.
	Playground bool
	// NATS is the URL of the cluster over which the processes on one database tell
	// each other of events; by default PostgreSQL's notifications do, and on SQLite a
	// process tells itself alone.
	NATS string

	// GroupSize is how many writes share a transaction at most; 64 by default.
	GroupSize int

	// Demo says that the data is for trying things: the demo accounts' carriers
	// are played by this process.
	Demo bool

	// Sends, Starts and Bulks are how many messages an agent may send in an hour, how
	// many conversations of these they may start, and how many bulk operations begin,
	// a sixth of each at once. Default 600, 180 and 60; negative: any.
	Sends, Starts, Bulks float64

	// WebhookPauses are the times between the tries of an action's webhook;
	// crmaction.DefaultPauses by default.
	WebhookPauses []time.Duration

	// Clock is the domain's time; the system's by default.
	Clock clock.Clock
	// Nonces are those that cursors are sealed with, random by default. Tests give
	// constant ones, so that equal places have equal cursors.
	Nonces io.Reader
	// Carrier takes what the sandbox account sends when the account names no
	// address of its own; one inside this process by default.
	Carrier *sandbox.Carrier
	// CallTimeout bounds one call to a carrier; 10 s by default.
	CallTimeout time.Duration
	// Lease is how long a lane is held; three times CallTimeout by default.
	Lease time.Duration
	// Jobs are the workers' settings; the app sets News, Tracer and Durations.
	Jobs job.Options
	// AuditKeep is how long entries of the audit are kept; audit.DefaultKeep by default.
	AuditKeep time.Duration
	// Log says how much of the event log is kept.
	Log feed.Retention
	// Trace sees every statement; nil for none.
	Trace store.Trace
	// Tracer traces requests, jobs and statements; nil for none.
	Tracer *trace.Tracer
	// Server overrides bounds of the edge.
	Server func(*server.Options)
}

// App is Parley, opened. Its parts are there for the command line and for tests.
type App struct {
	Config        Config
	Store         *store.Store
	Directory     *directory.Directory
	Conversations *conversation.Service
	Messenger     *message.Messenger
	Receiver      *inbound.Receiver
	Responder     *responder.Service
	Bulk          *bulk.Service
	Hub           *feed.Hub
	Roster        *peer.Roster
	Tokens        *token.Authority
	Server        *server.Server
	Schema        resolvers.Resolver

	selection     *selection.Schema
	playgroundKey string

	vault     *vault.Vault
	files     *picture.Files
	verifier  *token.Verifier
	firstKey  []byte             // of Parley's own tokens
	imageKey  []byte             // of links to images
	arriving  singleflight.Group // newcomers, by username
	staleKeys atomic.Bool        // the signing keys in use are not those of the directory
	recheck   chan struct{}      // holds one when tokens are to be checked again
	bus       bus
	board     *presence.Board
	refusals  journal.Refusals
	carrier   *sandbox.Carrier
	asTwilio  *astwilio.Stand // in a demo
}

// Open opens the database and puts the parts together. Nothing runs until Run.
func Open(ctx context.Context, c Config) (*App, error) {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:8080"
	}
	if c.Clock == nil {
		c.Clock = clock.Real{}
	}
	Slack()
	a := &App{Config: c, playgroundKey: newPlaygroundKey(c.Mode), recheck: make(chan struct{}, 1)}
	onCommit := func(position int64) { a.bus.Publish(position) } // the bus stands before the first write
	var err error
	if a.Store, err = store.Open(ctx, store.Options{
		URL: c.Database, Create: c.Create, Clock: c.Clock, GroupSize: c.GroupSize, Trace: a.statements(), OnCommit: onCommit,
	}); err != nil {
		return nil, err
	}
	if err := a.wire(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *App) wire(ctx context.Context) error {
	ids, cursors, err := a.keys(ctx)
	if err != nil {
		return err
	}
	if a.bus, err = a.openBus(ctx); err != nil {
		return err
	}
	if err := textindex.Prepare(ctx, a.Store); err != nil {
		return err
	}
	a.Roster = peer.New(peer.Options{Store: a.Store, Signals: a.bus, Bus: a.busName})
	// The hub stands before the directory is read, so that no change falls between.
	recent := min(feed.MostRecent, cmp.Or(a.Config.Log.Least, feed.DefaultLogLeast))
	a.Hub, err = feed.NewHub(ctx, a.Store, cursors, feed.HubOptions{Bus: a.bus, Observe: a.observe, Recent: int(recent)})
	if err != nil {
		return err
	}
	providers := a.providers()
	if a.vault, err = vault.Open(KeyOptions(a.Config)); err != nil {
		return err
	}
	if err := objecttype.Install(ctx, a.Store); err != nil {
		return err
	}
	if a.Directory, err = directory.Load(ctx, a.Store, ids, providers, a.vault); err != nil {
		return err
	}
	if err := a.Directory.CheckKey(); err != nil && !a.Config.AnyKey {
		return err
	}
	if err := a.useKeys(); err != nil {
		return err
	}
	a.wireDesk(ids, cursors, providers)
	if a.Config.Files != "" {
		if err := a.files.Check(ctx); err != nil {
			return err
		}
	}
	config := graph.Config{Schema: graph.Published(), Resolvers: &a.Schema}
	a.selection = selection.New(graph.NewExecutableSchema(config), graph.SelectionTables(config), func(v *viewer.Viewer) any { return a.Directory.RecordRights(v) }, a.Directory.Now)
	if a.Server, err = server.New(a.serverOptions()); err != nil {
		return err
	}
	return a.registerMetrics()
}

// keys reads the keys that all processes on this database share.
func (a *App) keys(ctx context.Context) (*publicid.Codec, *feed.Cursors, error) {
	key := make(map[string][]byte)
	for _, name := range []string{"ids", "cursors", "tokens", "images"} {
		k, err := a.Store.Secret(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		key[name] = k
	}
	ids, err := publicid.New(key["ids"])
	if err != nil {
		return nil, nil, err
	}
	a.firstKey, a.imageKey = key["tokens"], key["images"]
	if a.Tokens, err = token.New(a.firstKey, clock.Real{}); err != nil {
		return nil, nil, err
	}
	a.verifier, err = token.NewVerifier(token.VerifierOptions{
		Own: a.Tokens, Issuers: a.Config.Issuers, Loopback: a.Config.Mode == server.Development,
	})
	cursors := feed.NewCursors(key["cursors"], a.Store.Epoch)
	if a.Config.Nonces != nil {
		cursors.Sealer = cursor.WithNonces(key["cursors"], a.Config.Nonces)
	}
	return ids, cursors, err
}

// providers makes the adapters, and the carriers that this process plays: the sandbox,
// and in a demo, which never calls the real one, Twilio.
func (a *App) providers() channel.Providers {
	own := wire.InProcess(http.HandlerFunc(a.serveOwn))
	if a.carrier = a.Config.Carrier; a.carrier == nil {
		a.carrier = sandbox.NewCarrier(sandbox.CarrierOptions{Transport: own})
	}
	o := registry.Options{Sandbox: a.carrier, Guarded: a.Config.Mode != server.Development}
	if a.Config.Demo {
		a.asTwilio = astwilio.New(astwilio.Options{Accounts: a.accounts, Callbacks: own})
		o.Twilio = a.asTwilio
	}
	return registry.Providers(o)
}

// accounts yields each channel's account.
func (a *App) accounts(yield func(channel.Account) bool) {
	for _, ch := range a.Directory.Channels() {
		if !yield(ch.Account.Account) {
			return
		}
	}
}

// serveOwn is how the carrier inside this process reaches the webhooks.
func (a *App) serveOwn(w http.ResponseWriter, r *http.Request) { a.Server.Handler().ServeHTTP(w, r) }

func (a *App) serverOptions() server.Options {
	o := server.Options{
		Mode: a.Config.Mode, Addr: a.Config.Addr, PrivateAddr: a.Config.PrivateAddr, Origins: a.Config.Origins,
		Schema:       a.selection,
		Limits:       limit.Options{Prices: resolvers.Prices},
		Extensions:   []graphql.HandlerExtension{scoped{}, remembering{}},
		Authenticate: a.authenticate, Refused: a.refusals.Count,
		Webhooks: http.HandlerFunc(a.webhook),
		Upload:   http.HandlerFunc(a.upload), Images: http.HandlerFunc(a.show),
		Logout: a.verifier.LogoutHandler(a.signedOut),
		Playground: web.Handler(web.Options{
			Mode: web.Mode(a.Config.Mode), Enabled: a.Config.Playground, Sessions: a.sessions, Key: a.playgroundKey,
		}),
		Ready: a.ready, Passing: store.Passing, Clock: clock.Real{}, Tracer: a.Config.Tracer,
	}
	if a.Config.Server != nil {
		a.Config.Server(&o)
	}
	return o
}

// PublicURL is where carriers and browsers reach the server.
func (a *App) PublicURL() string {
	if a.Config.PublicURL != "" {
		return strings.TrimSuffix(a.Config.PublicURL, "/")
	}
	if addr := a.Server.Addr(); addr != nil {
		return "http://" + addr.String()
	}
	return "http://" + a.Config.Addr
}

// Run serves, follows the log and works jobs until ctx ends, then stops each in
// turn and returns. Listen may be called before, to learn the address.
func (a *App) Run(ctx context.Context) error {
	if a.Server.Addr() == nil {
		if err := a.Listen(); err != nil {
			return err
		}
	}
	defer background(ctx, a.Hub.Run)()
	defer background(ctx, a.Directory.Run)()
	defer background(ctx, a.Roster.Run)()
	defer background(ctx, a.board.Run)()
	defer background(ctx, a.refusals.Run)()
	defer background(ctx, a.watchKeys)()
	defer background(ctx, a.Messenger.KeepUses)()
	defer background(ctx, a.Schema.Access.Uses.Run)()
	defer background(ctx, a.Schema.Access.Seen.Run)()
	defer background(ctx, a.rechecks)()
	if err := a.Receiver.Doubt(ctx); err != nil {
		return unlessStopped(ctx, err)
	}
	defer background(ctx, a.Receiver.Watch)()
	if err := textindex.Begin(ctx, a.Store); err != nil {
		return unlessStopped(ctx, err)
	}
	jobs, err := job.Start(ctx, a.Store, a.Jobs(), a.Config.Jobs)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	err = a.Server.Serve(ctx)
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return errors.Join(err, jobs.Stop(stopCtx))
}

// unlessStopped is the error of a start, none when it was stopped meanwhile.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// background runs a part beyond the end of ctx, until stop, which waits for it.
func background(ctx context.Context, run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(ctx)
	}()
	return func() { cancel(); <-done }
}

// Listen takes the address, so that PublicURL is known before Run.
func (a *App) Listen() error {
	if err := a.Server.Listen(); err != nil {
		return err
	}
	a.Messenger.PublicURL = a.PublicURL()
	return nil
}

// Close releases the database, the bus and the carriers. Run must have returned.
func (a *App) Close() error {
	if a.carrier != nil && a.Config.Carrier == nil {
		a.carrier.Close()
	}
	if a.asTwilio != nil {
		a.asTwilio.Close()
	}
	if bus, ok := a.bus.(far); ok {
		bus.Close()
	}
	return errors.Join(a.files.Close(), a.Store.Close())
}
