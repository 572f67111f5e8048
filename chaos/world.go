package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"parley/app"
	"parley/ent/provideraccount"
	"parley/internal/admin/seed"
	"parley/internal/channel"
	"parley/internal/check/blackbox"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// world is a Parley of one scenario: a database with the demo organisation, the
// carriers outside, and one or more processes.
type world struct {
	*trial
	database  string
	carriers  *carriers
	processes []*blackbox.Process
	clients   []*blackbox.Client // one of each process
	threads   []*thread
	inside    func() error // stops a Parley that runs in this process; nil for none
	loses     bool         // the carriers lose messages
}

// thread is a conversation that one client of the load writes in.
type thread struct {
	n        int
	id       string // public
	customer string
	to       string // sender ID
	keyless  bool   // its carrier takes no idempotency key
	written  int    // texts so far
}

// plan says what world a scenario needs.
type plan struct {
	database  string                // a SQLite file of its own by default
	reach     string                // how the processes reach the database; as this program does by default
	processes int                   // one by default
	args      []string              // of serve
	program   func(string) []string // what to run in place of the program; itself by default
	agents    int                   // besides the demo organisation's, who see nothing of it
}

const threads = 64 // and as many clients

// numbers are the demo organisation's sender IDs: three of eight threads at
// Sales, and one of eight over a carrier that takes no key.
var numbers = []string{
	"+12025550100", "+12025550100", "+12025550100", "+12025550101", "+12025550101", "+12025550102", "+12025550102", "+12025550103",
}

// build makes the world and starts its processes.
func (t *trial) build(ctx context.Context, p plan) (*world, error) {
	w := &world{trial: t, database: p.database, carriers: newCarriers()}
	t.after(w.end)
	if w.database == "" {
		w.database = filepath.Join(t.dir, "parley.db")
	}
	if err := w.prepare(ctx, p); err != nil {
		return nil, err
	}
	if p.reach == "" {
		p.reach = w.database
	}
	program := []string{t.Program}
	if p.program != nil {
		program = p.program(t.Program)
	}
	for i := range max(p.processes, 1) {
		address, err := blackbox.FreeAddress(ctx)
		if err != nil {
			return nil, err
		}
		process := &blackbox.Process{Program: program, Address: address, Database: p.reach, Args: p.args}
		if t.Keep {
			log, err := os.Create(filepath.Join(t.dir, fmt.Sprintf("process%d.log", i)))
			if err != nil {
				return nil, err
			}
			process.Output = log
			t.after(log.Close)
		}
		w.processes = append(w.processes, process)
		w.clients[i].URL = process.URL()
		if err := process.Start(ctx); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// prepare fills the database: agents, accounts that send to our carriers, and a
// message in every thread.
func (w *world) prepare(ctx context.Context, p plan) (err error) {
	a, err := app.Open(ctx, app.Config{Database: w.database, Create: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := seed.Organisation(ctx, a.Directory, a.Store); err != nil {
		return err
	}
	if err := a.Directory.Change(viewer.AsSystem(ctx, "chaos"), w.organise(p)); err != nil {
		return err
	}
	tokens := map[string]string{}
	for _, agent := range a.Directory.Agents() {
		if tokens[agent.Username], err = a.Tokens.Mint(agent.Username, time.Hour); err != nil {
			return err
		}
	}
	for range max(p.processes, 1) {
		transport := &http.Transport{MaxIdleConnsPerHost: 2 * threads}
		w.clients = append(w.clients, &blackbox.Client{Tokens: tokens, HTTP: &http.Client{Transport: transport}})
	}
	for n := range threads {
		th, err := open(ctx, a, n)
		if err != nil {
			return err
		}
		w.threads = append(w.threads, th)
	}
	return nil
}

func (w *world) organise(p plan) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		var errs []error
		for provider, url := range w.carriers.urls {
			errs = append(errs, tx.Ent.ProviderAccount.Update().Where(provideraccount.Provider(provider)).SetBaseURL(url).Exec(ctx))
		}
		for n := range p.agents {
			name := fmt.Sprintf("agent%d", n)
			errs = append(errs, tx.Ent.Agent.Create().SetUsername(name).SetName(name).SetRole(viewer.Standard).SetCreatedAt(tx.Now).Exec(ctx))
		}
		return errors.Join(errs...)
	}
}

// open has a customer write the first message of a thread, in this process.
func open(ctx context.Context, a *app.App, n int) (*thread, error) {
	th := &thread{n: n, to: numbers[n%len(numbers)], customer: fmt.Sprintf("+1202555%04d", 1000+n)}
	for _, ch := range a.Directory.Channels() {
		if ch.Address != th.to {
			continue
		}
		hook := a.PublicURL() + "/webhooks/" + ch.Account.Provider + "/" + ch.Account.Key
		id := fmt.Sprintf("SM%032d", n)
		provider := a.Messenger.Providers[ch.Account.Provider]
		th.keyless = !provider.TakesKey()
		req, err := provider.(channel.Caller).Compose(ch.Account.Account, hook, channel.Inbound{
			EventID: id, ProviderID: id, From: th.customer, To: th.to, Text: "Hello",
		})
		if err != nil {
			return nil, err
		}
		answer := httptest.NewRecorder()
		a.Server.Handler().ServeHTTP(answer, req)
		if answer.Code != http.StatusOK {
			return nil, fmt.Errorf("the first webhook of a thread was answered %d: %s", answer.Code, answer.Body)
		}
	}
	var key int64
	err := a.Store.Read(ctx, store.System("a check after faults"), store.SQL("SELECT id FROM conversations WHERE address = '"+th.customer+"'"), scan(&key))
	th.id = a.Conversations.IDs.Encode(publicid.Conversation, key)
	return th, err
}

func (w *world) end() error {
	for _, p := range w.processes {
		p.Kill()
	}
	err := w.stop()
	w.carriers.close()
	for _, c := range w.clients {
		c.HTTP.CloseIdleConnections()
	}
	return err
}

// stop ends Parley in good order.
func (w *world) stop() error {
	for _, p := range w.processes {
		p.Stop()
	}
	if inside := w.inside; inside != nil {
		w.inside = nil
		return inside()
	}
	return nil
}

// inspect reads the database from this process.
func (w *world) inspect(ctx context.Context, read func(s *store.Store) error) error {
	s, err := store.Open(ctx, store.Options{URL: w.database})
	if err != nil {
		return err
	}
	return errors.Join(read(s), s.Close())
}
