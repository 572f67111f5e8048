package doctor_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/admin/doctor"
	"parley/internal/channel/registry"
	"parley/internal/channel/twilio"
	"parley/internal/channel/twilio/twiliotest"
	"parley/internal/channel/wire"
	"parley/internal/check/parleytest"
	"parley/internal/desk/feed/natsbus/natstest"
	"parley/internal/edge/token"
	"parley/internal/ground/store"
	"parley/internal/ground/vault"
)

// patient is a Parley with a Twilio that knows its account.
type patient struct {
	*parleytest.Parley
	twilio http.RoundTripper
	key    string
}

func admit(t *testing.T, options ...func(*app.Config)) *patient {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	p := &patient{key: key, Parley: parleytest.New(t, append(options, func(c *app.Config) { c.KeyFile = key })...)}
	const sid = "AC11111111111111111111111111111111"
	server := twiliotest.New(twilio.Credentials{SID: sid, Token: twilio.DemoToken})
	p.twilio = wire.InProcess(server)
	p.do("UPDATE provider_accounts SET active = (provider = 'twilio'), sid = '" + sid + "'")
	p.do("UPDATE channels SET active = (provider_account_id IN (SELECT id FROM provider_accounts WHERE active))")
	p.vault()
	return p
}

// vault is that of the key, made when there is none.
func (p *patient) vault() *vault.Vault {
	v, err := vault.Open(vault.Options{File: p.key})
	require.NoError(p.T, err)
	require.NoError(p.T, v.Create())
	return v
}

// encrypt encrypts the credentials of all accounts.
func (p *patient) encrypt() {
	p.T.Helper()
	require.NoError(p.T, p.Schema.Accounts.RotateKey(p.System(), func(string, ...any) {}))
}

// do changes the database by the statement.
func (p *patient) do(statement string) {
	p.T.Helper()
	require.NoError(p.T, p.Store.Write(p.T.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, store.SQL(statement))
		return err
	}))
}

func (p *patient) options() doctor.Options {
	return doctor.Options{
		Database: p.Config.Database, Mode: "production", Addr: "127.0.0.1:8080", PublicURL: "https://parley.example.com",
		Origins: []string{"https://desk.example.com"}, Providers: registry.Providers(registry.Options{Twilio: p.twilio}), Key: vault.Options{File: p.key},
	}
}

// findings are what was found, by check.
type findings map[string][]doctor.Finding

func examine(t *testing.T, o doctor.Options) (found findings, well bool) {
	t.Helper()
	found = findings{}
	well = doctor.Examine(t.Context(), o, func(f doctor.Finding) {
		require.NotEmpty(t, f.Means)
		require.Equal(t, f.Level == doctor.OK, f.Do == "", "what is not OK says what to do: %+v", f)
		found[f.Check] = append(found[f.Check], f)
	})
	return found, well
}

// ill are the findings that are not OK.
func (f findings) ill() (out []string) {
	for _, all := range f {
		for _, one := range all {
			if one.Level != doctor.OK {
				out = append(out, fmt.Sprint(one))
			}
		}
	}
	return out
}

func TestAHealthyParley(t *testing.T) {
	t.Parallel()
	p := admit(t)
	p.Say("+12025550199", parleytest.Sales, "Hello")
	p.encrypt()
	for _, deep := range []bool{false, true} {
		o := p.options()
		o.Deep = deep
		found, well := examine(t, o)
		require.True(t, well)
		require.Empty(t, found.ill())
		require.Len(t, found["settings"], 5)
		for _, check := range []string{"proxies", "database", "migrations", "keys", "key of credentials", "event log", "counts", "search", "clock", "bus", "queue", "unknown sends", "webhooks", "jobs", "accounts", "channels", "account twilio/twilio-demo"} {
			require.Len(t, found[check], 1, check)
		}
	}
}

// Each fault is found, under its check and level, by a word of it, and by no other
// check.
func TestEachFaultIsFound(t *testing.T) {
	t.Parallel()
	events := "INSERT INTO events (id, cause, facts, created_at) SELECT position + 1, 'X', '{}', %d FROM log_heads"
	future := time.Now().Add(time.Hour).UnixMicro()
	past := time.Now().Add(-time.Hour).UnixMicro()
	attempt := `INSERT INTO attempts (conversation_id, message_id, number, status, provider_account_id, updated_at, created_at)
		SELECT conversation_id, id, 1, '%s', 1, %d, 0 FROM messages LIMIT 1`
	job := `INSERT INTO river_job (args, kind, max_attempts, state, finalized_at) VALUES ('{}', 'send_fax', 1, 'discarded', CURRENT_TIMESTAMP)`
	for _, x := range []struct {
		check string
		level doctor.Level
		word  string
		do    []string
	}{
		{"migrations", doctor.Warn, "1 migrations are pending", []string{"DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)"}},
		{"migrations", doctor.Warn, "newer program", []string{"INSERT INTO goose_db_version (version_id, is_applied) VALUES (99990101000000, true)"}},
		{"keys", doctor.Warn, "[tokens]", []string{"DELETE FROM secrets WHERE name = 'tokens'"}},
		{"keys", doctor.Fail, "32 bytes", []string{"UPDATE secrets SET value = 'x' WHERE name = 'ids'"}},
		{"event log", doctor.Fail, "holes", []string{"UPDATE events SET id = id + 1 WHERE id = (SELECT MAX(id) FROM events)", "UPDATE log_heads SET position = position + 1"}},
		{"event log", doctor.Fail, "head is at", []string{"UPDATE log_heads SET position = position + 1"}},
		{"counts", doctor.Fail, "cell", []string{"UPDATE count_cells SET unread = unread + 1 WHERE id = (SELECT MIN(id) FROM count_cells)"}},
		{"search", doctor.Warn, "never built", []string{"DELETE FROM search_states"}},
		{"search", doctor.Warn, "being built", []string{"UPDATE search_states SET building = 3"}},
		{"search", doctor.Warn, "different word rules", []string{"UPDATE search_states SET version = 0"}},
		{"search", doctor.Fail, "lacks 1 message", []string{"UPDATE messages SET created_at = created_at + 1000000"}},
		{"clock", doctor.Warn, "ahead", []string{fmt.Sprintf(events, future), "UPDATE log_heads SET position = position + 1"}},
		{"bus", doctor.Warn, "have no bus: one on h, two on h", []string{"INSERT INTO processes (name, host, version, seen_at) VALUES ('one', 'h', 'v', :now), ('two', 'h', 'v', :now)"}},
		{"bus", doctor.Warn, "different NATS servers: A, B", []string{"INSERT INTO processes (name, host, version, bus, seen_at) VALUES ('one', 'h', 'v', 'A', :now), ('two', 'h', 'v', 'B', :now)"}},
		{"queue", doctor.Warn, "1 message waited", []string{fmt.Sprintf(attempt, "QUEUED", past)}},
		{"unknown sends", doctor.Warn, "1 send", []string{fmt.Sprintf(attempt, "UNKNOWN", past)}},
		{"webhooks", doctor.Warn, "1 entry", []string{"INSERT INTO raw_inbounds (provider_account_id, event_id, state, payload, error, created_at) VALUES (1, 'e', 'FAILED', '{}', 'no sender ID', 0)"}},
		{"jobs", doctor.Warn, "1 send_fax", []string{job}},
		{"accounts", doctor.Warn, "no provider account", []string{"UPDATE provider_accounts SET active = false", "UPDATE channels SET active = false"}},
		{"account twilio/twilio-demo", doctor.Fail, "has no auth token", []string{"UPDATE provider_accounts SET secret = ''"}},
		{"account twilio/twilio-demo", doctor.Fail, "cannot be used", []string{"UPDATE provider_accounts SET credentials = 'hush'"}},
		{"account twilio/twilio-demo", doctor.Fail, "refuses the account", []string{`UPDATE provider_accounts SET credentials = '{"sid":"AC11111111111111111111111111111111","secret":"hush"}'`}},
		{"account twilio/twilio-demo", doctor.Fail, "refuses", []string{"UPDATE provider_accounts SET secret = 'hush'"}},
		{"account twilio/twilio-demo", doctor.Fail, "SID", []string{"UPDATE provider_accounts SET sid = ''"}},
		{"account fax/twilio-demo", doctor.Fail, "There is no carrier", []string{"UPDATE provider_accounts SET provider = 'fax'"}},
		{"account sandbox/twilio-demo", doctor.Warn, "no phone", []string{"UPDATE provider_accounts SET provider = 'sandbox'"}},
		{"account sandbox/twilio-demo", doctor.Fail, "cannot be reached", []string{"UPDATE provider_accounts SET provider = 'sandbox', base_url = 'http://127.0.0.1:1'"}},
	} {
		t.Run(x.check+" "+x.word, func(t *testing.T) {
			t.Parallel()
			p := admit(t)
			p.Say("+12025550199", parleytest.Sales, "Hello")
			for _, statement := range x.do { // a process counts for seconds, and the cases take turns
				p.do(strings.ReplaceAll(statement, ":now", fmt.Sprint(time.Now().UnixMicro())))
			}
			found, well := examine(t, p.options())
			delete(found, credentialKey) // the demo's credentials are plain text
			require.Equal(t, x.level != doctor.Fail, well)
			require.Len(t, found.ill(), 1)
			require.Equal(t, x.level, found[x.check][0].Level)
			require.Contains(t, found[x.check][0].Means, x.word)
			require.NotContains(t, fmt.Sprint(found), "hush")
		})
	}
}

const credentialKey = "key of credentials"

func TestTheKeyOfCredentialsIsJudged(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		level doctor.Level
		word  string
		do    func(t *testing.T, p *patient)
	}{
		{doctor.Warn, "of 2 accounts are stored in plain text", func(*testing.T, *patient) {}},
		{doctor.Warn, "There is no key", func(t *testing.T, p *patient) { require.NoError(t, os.Remove(p.key)) }},
		{doctor.Warn, "can be read by other users", func(t *testing.T, p *patient) { require.NoError(t, os.Chmod(p.key, 0o644)) }},
		{doctor.Fail, "2 accounts are locked", func(t *testing.T, p *patient) { p.encrypt(); require.NoError(t, os.Remove(p.key)) }},
		{doctor.Fail, "belongs to another database", func(t *testing.T, p *patient) {
			p.encrypt()
			require.NoError(t, os.Remove(p.key))
			p.vault()
		}},
	} {
		t.Run(x.word, func(t *testing.T) {
			t.Parallel()
			p := admit(t)
			x.do(t, p)
			found, _ := examine(t, p.options())
			require.Equal(t, x.level, found[credentialKey][0].Level)
			require.Contains(t, found[credentialKey][0].Means, x.word)
			locked := found["account twilio/twilio-demo"][0]
			require.Equal(t, x.level == doctor.Fail, locked.Level == doctor.Fail)
			if x.level == doctor.Fail {
				require.Contains(t, locked.Do, "parley account credentials twilio-demo")
			}
		})
	}
}

func TestSettingsAreJudged(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		level  doctor.Level
		word   string
		change func(*doctor.Options)
	}{
		{doctor.Warn, "No public URL", func(o *doctor.Options) { o.PublicURL = "" }},
		{doctor.Warn, "unencrypted", func(o *doctor.Options) { o.PublicURL = "http://parley.example.com" }},
		{doctor.Fail, "not a plain address", func(o *doctor.Options) { o.PublicURL = "parley.example.com" }},
		{doctor.Fail, "is not an origin", func(o *doctor.Options) { o.Origins = []string{"https://desk.example.com/"} }},
		{doctor.Warn, "desk.example.com is http:", func(o *doctor.Options) { o.Origins = []string{"http://desk.example.com"} }},
		{doctor.Fail, "not host:port", func(o *doctor.Options) { o.PrivateAddr = "nine" }},
		{doctor.Fail, "same as the public one", func(o *doctor.Options) { o.PrivateAddr = o.Addr }},
		{doctor.Warn, "without a password", func(o *doctor.Options) { o.PrivateAddr = ":9090" }},
		{doctor.Warn, "without a password", func(o *doctor.Options) { o.PrivateAddr = "0.0.0.0:9090" }},
		{doctor.Warn, "whole schema", func(o *doctor.Options) { o.Mode, o.Addr = "development", ":8080" }},
		{doctor.Warn, "demo simulates", func(o *doctor.Options) { o.Demo = true }},
		{doctor.Fail, "not host:port", func(o *doctor.Options) { o.Addr = "eighty" }},
		{doctor.OK, "9090", func(o *doctor.Options) { o.PrivateAddr = "127.0.0.1:9090" }},
		{doctor.OK, "derived from the address", func(o *doctor.Options) { o.Mode, o.PublicURL = "development", "" }},
	} {
		o := doctor.Options{
			Database: filepath.Join(t.TempDir(), "none"), Mode: "production", Addr: "127.0.0.1:8080",
			PublicURL: "https://parley.example.com", Origins: []string{"https://desk.example.com"},
		}
		x.change(&o)
		found, _ := examine(t, o)
		matching := 0
		for _, f := range found["settings"] {
			if strings.Contains(f.Means, x.word) {
				matching++
				require.Equal(t, x.level, f.Level, x.word)
			} else {
				require.Equal(t, doctor.OK, f.Level, f.Means)
			}
		}
		require.Equal(t, 1, matching, x.word)
	}
}

// A database that is not there, cannot be reached or holds something else ends the
// examination, and none is made.
func TestADatabaseThatIsNotOurs(t *testing.T) {
	t.Parallel()
	nowhere := filepath.Join(t.TempDir(), "none.db")
	other := parleytest.Empty(t)
	if !parleytest.OnPostgres() {
		require.NoError(t, os.WriteFile(other, nil, 0o600))
	}
	for url, word := range map[string]string{
		nowhere: "There is no database", other: "has no Parley tables", "postgres://me:hush@127.0.0.1:1/none": "cannot be opened",
	} {
		found, well := examine(t, doctor.Options{Database: url, Addr: ":1"})
		require.False(t, well)
		require.Len(t, found, 5, "program, settings, sign-in, proxies and database")
		require.Contains(t, found["database"][0].Means, word)
		require.NotContains(t, fmt.Sprint(found), "hush")
	}
	require.NoFileExists(t, nowhere)
}

// The made-up account of the demo data is never shown to the real carrier.
func TestDemoDataIsNoFault(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	called := roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("the carrier was called") })
	o := doctor.Options{
		Database: p.Config.Database, Mode: "production", Addr: "127.0.0.1:8080", PublicURL: "https://parley.example.com",
		Providers: registry.Providers(registry.Options{Twilio: called}),
	}
	found, well := examine(t, o)
	require.True(t, well)
	require.Equal(t, doctor.Warn, found["account twilio/twilio-demo"][0].Level)
	require.Contains(t, found["account twilio/twilio-demo"][0].Means, "fictitious")
	o.Mode = "development"
	found, well = examine(t, o)
	require.True(t, well)
	require.Empty(t, found.ill())
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (r roundTrip) RoundTrip(q *http.Request) (*http.Response, error) { return r(q) }

// A database that was just made is no reason to worry.
func TestANewDatabase(t *testing.T) {
	t.Parallel()
	url := parleytest.Empty(t)
	s, err := store.Open(t.Context(), store.Options{URL: url, Create: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	found, well := examine(t, doctor.Options{
		Database: url, Mode: "production", Addr: "127.0.0.1:8080", PublicURL: "https://parley.example.com",
	})
	require.True(t, well)
	require.Empty(t, found.ill())
	require.Contains(t, found["keys"][0].Means, "The database is new")
	require.Contains(t, found["program"][0].Means, "This is Parley ")
}

func TestIssuersAreAskedForTheirKeys(t *testing.T) {
	t.Parallel()
	o := doctor.Options{Database: filepath.Join(t.TempDir(), "none"), Addr: ":1"}
	found, _ := examine(t, o)
	require.Equal(t, doctor.OK, found["sign-in"][0].Level)
	o.Issuers = []token.Issuer{{Issuer: "https://id.test", Audience: "parley", JWKS: "http://127.0.0.1:1/keys", Algorithms: []string{"RS256"}}}
	found, _ = examine(t, o)
	require.Equal(t, doctor.Fail, found["sign-in"][0].Level)
	require.Contains(t, found["sign-in"][0].Means, "https://id.test")
}

// Two processes that hear each other are well; a third that does not is named; and
// so is a NATS that is not there.
func TestProcessesAreAskedOverTheBus(t *testing.T) {
	t.Parallel()
	server := natstest.Start(t)
	over := func(c *app.Config) { c.NATS = server.URL() }
	p := admit(t, over)
	p.Run()
	second := parleytest.OpenAt(t, p.Config.Database, over).Run()
	o := p.options()
	o.NATS = server.URL()
	bus := func() doctor.Finding {
		found, _ := examine(t, o)
		return found["bus"][0]
	}
	p.Eventually(func() bool { f := bus(); return f.Level == doctor.OK && strings.Contains(f.Means, "all 2 processes") }, "both answer")
	p.do(fmt.Sprintf("INSERT INTO processes (name, host, version, seen_at) VALUES ('mute', 'h', 'v', %d)", time.Now().UnixMicro()))
	require.Equal(t, doctor.Warn, bus().Level)
	require.Contains(t, bus().Means, "mute on h")
	require.NotContains(t, bus().Means, second.Roster.Name())
	server.Stop()
	require.Equal(t, doctor.Fail, bus().Level)
	require.Contains(t, bus().Means, "NATS cannot be reached")
}

// A program that is newer than the tables says what it can.
func TestTheDoctorBeforeAnUpdate(t *testing.T) {
	t.Parallel()
	p := admit(t)
	p.do("DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)")
	p.do("DROP TABLE processes")
	found, well := examine(t, p.options())
	require.True(t, well)
	require.Contains(t, found["bus"][0].Do, "parley migrate")
}

// It only looks: pending migrations stay pending, and the store that it opens can
// write nothing.
func TestNothingIsWritten(t *testing.T) {
	t.Parallel()
	p := admit(t)
	p.do("DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)")
	for range 2 {
		found, well := examine(t, p.options())
		require.True(t, well)
		require.Contains(t, found["migrations"][0].Means, "pending")
	}
	s, err := store.OpenToRead(t.Context(), store.Options{URL: p.Config.Database})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.ErrorIs(t, s.Write(t.Context(), func(context.Context, *store.Tx) error { return nil }), store.ErrClosed)
	require.Error(t, s.Read(t.Context(), store.System("a test looks"), store.SQL("DELETE FROM secrets RETURNING 1"), func(*sql.Rows) error { return nil }))
}
