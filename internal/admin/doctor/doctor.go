// Package doctor examines a Parley's settings, database, bus and carriers, and says in
// plain words what is wrong and what to do. It changes nothing: it opens the database
// as it is, whatever version made it.
package doctor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"parley/internal/channel"
	"parley/internal/edge/token"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/vault"
	"parley/internal/ground/version"
)

// operator reads whatever an operator asks about.
const operator = store.System("an operator's command")

// Level says how bad a finding is.
type Level string

// The levels. WARN is what should be looked at; with FAIL, Parley does not work as
// it promises.
const (
	OK   Level = "OK"
	Warn Level = "WARN"
	Fail Level = "FAIL"
)

// Finding is what one check found.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	// Means says what was found, in a sentence.
	Means string `json:"means"`
	// Do says what to do about it; empty when nothing is to be done.
	Do string `json:"do,omitempty"`
}

func ok(format string, args ...any) Finding {
	return Finding{Level: OK, Means: fmt.Sprintf(format, args...)}
}

func warn(do, format string, args ...any) Finding {
	return Finding{Level: Warn, Means: fmt.Sprintf(format, args...), Do: do}
}

func fail(do, format string, args ...any) Finding {
	return Finding{Level: Fail, Means: fmt.Sprintf(format, args...), Do: do}
}

// Options are the settings of the server that is looked at, as `parley serve` has
// them.
type Options struct {
	Database, Mode, Addr, PrivateAddr, PublicURL, NATS string
	Origins                                            []string
	Demo                                               bool

	// Issuers are whose tokens are taken.
	Issuers []token.Issuer
	// Key is where the key is that encrypts credentials.
	Key vault.Options
	// Refused says why the server would refuse its flags or the files they name.
	Refused error

	// Providers are the carriers' adapters; those that are channel.Checkers are
	// asked.
	Providers channel.Providers
	// Deep looks at everything, however long it takes; otherwise each check has five
	// seconds, and long tables are looked at in part.
	Deep bool
}

// The bounds of a check.
const (
	checkTime = 5 * time.Second
	deepTime  = time.Hour
	newest    = 100_000 // rows of a long table, unless it is deep
)

// examination is one run.
type examination struct {
	Options
	store   *store.Store
	vault   *vault.Vault
	now     clock.Time
	say     func(Finding)
	pending bool // migrations: a table may be missing
}

// Examine runs every check and calls say with what each found, in order. It
// reports whether none failed.
func Examine(ctx context.Context, o Options, say func(Finding)) bool {
	healthy := true
	e := &examination{Options: o, now: clock.Real{}.Now(), say: func(f Finding) {
		healthy = healthy && f.Level != Fail
		say(f)
	}}
	e.program()
	e.openVault()
	e.settings()
	e.check(ctx, "sign-in", e.signIn)
	e.check(ctx, "proxies", e.proxies)
	if e.open(ctx) {
		for _, c := range e.checks() {
			e.check(ctx, c.name, c.look)
		}
		e.accounts(ctx)
	}
	if e.store != nil {
		_ = e.store.Close() // it was only read
	}
	return healthy
}

// program says which program looks.
func (e *examination) program() {
	f := ok("This is Parley %s.", version.String())
	f.Check = "program"
	e.say(f)
}

// look is a check: it returns what it found.
type look func(context.Context) (Finding, error)

type namedLook struct {
	name string
	look look
}

func (e *examination) checks() []namedLook {
	checks := []namedLook{{"migrations", e.migrations}, {"keys", e.keys}, {"key of credentials", e.credentialKey}, {"event log", e.log}, {"counts", e.counts}, {"search", e.search}}
	if e.store.Pool() != nil {
		checks = append(checks, namedLook{"PostgreSQL", e.postgres}, namedLook{"connections", e.connections}, namedLook{"clock", e.postgresClock})
	} else {
		checks = append(checks, namedLook{"integrity", e.integrity}, namedLook{"SQLite", e.sqlite}, namedLook{"disk", e.disk}, namedLook{"file rights", e.fileRights}, namedLook{"clock", e.eventClock})
	}
	return append(checks, namedLook{"bus", e.bus}, namedLook{"queue", e.queue}, namedLook{"unknown sends", e.unknown},
		namedLook{"webhooks", e.webhooks}, namedLook{"jobs", e.jobs}, namedLook{"channels", e.channels}, namedLook{"CRM connections", e.crms})
}

// check runs one check within its time.
func (e *examination) check(ctx context.Context, name string, look look) {
	most := checkTime
	if e.Deep {
		most = deepTime
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	f, err := look(ctx)
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		f = warn("Run parley doctor --deep at a quiet time.", "The check took longer than %s and was stopped.", most)
	case err != nil && e.pending:
		f = warn("Run parley migrate, then parley doctor again.", "It cannot be checked before the pending migrations are applied.")
	case err != nil:
		f = fail("Fix the error, then run parley doctor again.", "It could not be checked: %v.", err)
	}
	f.Check = name
	e.say(f)
}

// unlessNew is f, or that there is nothing to worry about yet while no server and no
// import has come to the database.
func (e *examination) unlessNew(ctx context.Context, f Finding) (Finding, error) {
	var used bool
	err := e.row(ctx, `SELECT EXISTS (SELECT 1 FROM log_heads WHERE position > 0) OR EXISTS (SELECT 1 FROM agents)
		OR EXISTS (SELECT 1 FROM provider_accounts) OR EXISTS (SELECT 1 FROM processes)`, &used)
	if err == nil && !used {
		return ok("The database is new. %s", f.Means), nil
	}
	return f, err
}

// row reads the one row of a statement.
func (e *examination) row(ctx context.Context, text string, into ...any) error {
	return e.rows(ctx, text, func(rows *sql.Rows) error { return rows.Scan(into...) })
}

func (e *examination) rows(ctx context.Context, text string, scan func(*sql.Rows) error) error {
	return e.store.Read(ctx, operator, store.SQL(text), scan)
}
