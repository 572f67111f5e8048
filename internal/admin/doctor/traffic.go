package doctor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"parley/ent"
	"parley/internal/channel"
	"parley/internal/desk/credential"
	"parley/internal/ground/vault"
)

// waitsLong is how long a message may wait to be sent.
const waitsLong = 5 * time.Minute

// queue counts what waits long, apart from messages that wait for their turn: their
// channel has given away the present one. Turns reach minutes ahead, so that these count
// too soon after nothing was sent any more.
func (e *examination) queue(ctx context.Context) (Finding, error) {
	var n, paced int64
	err := e.row(ctx, fmt.Sprintf(`SELECT COUNT(*), COUNT(p.id) FROM attempts AS a JOIN conversations AS c ON c.id = a.conversation_id
		LEFT JOIN paces AS p ON p.id = c.channel_id AND (p.next_at > %[1]d OR p.programs_at > %[1]d) AND a.status = 'QUEUED'
		WHERE (a.status = 'QUEUED' OR a.status = 'SENDING') AND a.updated_at < %[2]d`, int64(e.now), int64(e.now.Add(-waitsLong))), &n, &paced)
	switch {
	case err != nil:
		return Finding{}, err
	case n > paced:
		return warn("Check with parley health that a server is running and that its carriers answer (below): a busy carrier is retried for some minutes.",
			"%s waited to be sent for more than five minutes.", count(n-paced, "message", "messages")), nil
	case paced > 0:
		return ok("%s waited for more than five minutes, for a turn: the channel has a limit of messages a second.", count(paced, "message", "messages")), nil
	}
	return ok("No message has waited long."), nil
}

// unknown counts sends that nobody knows the outcome of, those of another desk that
// were imported apart: no receipt will come for them.
func (e *examination) unknown(ctx context.Context) (Finding, error) {
	part := int64(newest)
	if e.Deep {
		part = math.MaxInt64
	}
	var n int64
	err := e.row(ctx, fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT status, provider_account_id FROM attempts ORDER BY id DESC LIMIT %d) AS a WHERE status = 'UNKNOWN'
		AND provider_account_id NOT IN (SELECT id FROM provider_accounts WHERE provider = '%s')`, part, channel.NoCarrier), &n)
	if err != nil {
		return Finding{}, err
	}
	if n > 0 {
		return warn("Ask agents to check messages that show UNKNOWN: the carrier may or may not have sent them, and a late receipt settles them.",
			"%s got no answer from the carrier.", count(n, "send", "sends")), nil
	}
	return ok("Every send is settled."), nil
}

func (e *examination) webhooks(ctx context.Context) (Finding, error) {
	var n int64
	var why sql.NullString
	if err := e.row(ctx, `SELECT COUNT(*), MAX(error) FROM raw_inbounds WHERE state = 'FAILED'`, &n, &why); err != nil {
		return Finding{}, err
	}
	if n > 0 {
		return warn("Fix the cause, such as a missing sender ID, then run parley inbound rerun.",
			"%s from carriers could not be processed, one because: %s", count(n, "entry", "entries"), strings.TrimSuffix(why.String, ".")+"."), nil
	}
	return ok("All entries from carriers were processed."), nil
}

func (e *examination) jobs(ctx context.Context) (Finding, error) {
	var given []string
	err := e.rows(ctx, "SELECT kind, COUNT(*) FROM river_job WHERE state = 'discarded' GROUP BY kind ORDER BY kind", func(rows *sql.Rows) error {
		var kind string
		var n int64
		err := rows.Scan(&kind, &n)
		given = append(given, fmt.Sprintf("%d %s", n, kind))
		return err
	})
	if err != nil {
		return Finding{}, err
	}
	if len(given) > 0 {
		return warn("Look in the log of parley serve for the reason. Periodic sweeps and clean-up jobs run again automatically, and a sweep restarts lanes.",
			"Jobs were discarded in the last days: %s.", strings.Join(given, ", ")), nil
	}
	return ok("No job was discarded."), nil
}

// mostAccounts bounds how many accounts are looked at.
const mostAccounts = 100

type account struct {
	channel.Account
	stored         ent.ProviderAccount
	provider, name string
}

// accounts looks at each provider account, all at once.
func (e *examination) accounts(ctx context.Context) {
	var all []account
	e.check(ctx, "accounts", func(ctx context.Context) (f Finding, err error) {
		err = e.rows(ctx, fmt.Sprintf("SELECT id, key, sealed, credentials, sid, secret, base_url, provider, name FROM provider_accounts WHERE active ORDER BY id LIMIT %d", mostAccounts),
			func(rows *sql.Rows) error {
				var a account
				err := rows.Scan(&a.ID, &a.Key, &a.stored.Sealed, &a.stored.Credentials, &a.stored.Sid, &a.stored.Secret, &a.BaseURL, &a.provider, &a.name)
				a.stored.Key, a.stored.Provider = a.Key, a.provider
				all = append(all, a)
				return err
			})
		if err == nil && len(all) == 0 {
			return e.unlessNew(ctx, warn("Create one: parley account add PROVIDER --name NAME.", "There is no provider account: nothing can be sent or received."))
		}
		return ok("%s in use.", count(int64(len(all)), "provider account", "provider accounts")), err
	})
	found := make([]Finding, len(all))
	var asking sync.WaitGroup
	for i, a := range all {
		asking.Go(func() { found[i] = e.account(ctx, a) })
	}
	asking.Wait()
	for i, f := range found {
		f.Check = "account " + all[i].provider + "/" + all[i].Key
		e.say(f)
	}
}

func (e *examination) account(ctx context.Context, a account) Finding {
	provider := e.Providers.Named(a.provider)
	if provider == nil {
		return fail("Deactivate the account: parley account deactivate "+a.Key+". During an update, run the newer program's doctor.", "There is no carrier %q.", a.provider)
	}
	set, err := credential.Unseal(e.vault, &a.stored)
	if err == nil {
		a.Credentials, err = provider.ParseCredentials(set.Current)
	}
	renew := "parley account credentials " + a.Key
	switch {
	case errors.Is(err, vault.ErrLocked):
		return fail("Copy the key file back, which parley key list helps to find. If it is lost for good, run parley key create --replace-lost, then "+renew+".",
			"The account %q is locked: the key %s is missing. Nothing is sent from it, and its webhooks are answered 503.", a.name, vault.KeyID(a.stored.Sealed))
	case err != nil:
		return fail("Set its credentials again: "+renew+".", "The account %q cannot be used: %v.", a.name, err)
	}
	if missing := a.Credentials.Missing(); missing != "" {
		return fail("Set its credentials: "+renew+"; the carrier's console shows them.", "The account %q has no %s: calls are refused and webhooks cannot be verified.", a.name, missing)
	}
	if e.Demo {
		return ok("The demo simulates the account %q.", a.name)
	}
	if checker, asks := provider.(channel.Checker); asks {
		ctx, cancel := context.WithTimeout(ctx, checkTime)
		defer cancel()
		if err := checker.Check(ctx, a.Account); err != nil {
			return fail("Compare the account with the carrier's console, and check that this machine can reach the carrier. To correct it: parley account set "+a.Key+" --base-url, or "+renew+"; then parley account test "+a.Key+".", "The account %q does not work: %v.", a.name, err)
		}
	}
	return e.reaches(provider, a)
}

// reaches looks whether what an account sends reaches a phone.
func (e *examination) reaches(provider channel.Provider, a account) Finding {
	pretended := ""
	if demonstrator, demonstrates := provider.(channel.Demonstrator); demonstrates {
		pretended = demonstrator.Pretended(a.Account)
	}
	switch {
	case pretended == "":
		return ok("The account %q works.", a.name)
	case e.Mode == production:
		return warn("Deactivate the account if you have real customers: parley account deactivate "+a.Key+".", "The account %q %s.", a.name, pretended)
	}
	return ok("The account %q %s.", a.name, pretended)
}
