package inbound

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"parley/internal/channel"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// State is how things stand with what an account's carrier posts.
type State struct {
	Account   string // last element of its webhook URL
	Provider  string
	IsActive  bool
	LastHeard clock.Time // when its newest webhook came; zero if none is on file
	CanList   bool       // whether a catch-up can ask the carrier for what was missed
	Failed    []Failure  // the most frequent first, at most mostFailures
	Unlisted  int        // failures beyond these
}

// Failure is why some entries are kept and not processed.
type Failure struct {
	Problem string
	Entries int
	Last    clock.Time // when the newest of them came
}

// mostFailures is how many failures of an account States lists.
const mostFailures = 20

// States are those of all accounts, in the order of their keys.
func (r *Receiver) States(ctx context.Context) ([]State, error) {
	failures, err := r.failures(ctx)
	if err != nil {
		return nil, err
	}
	states := []State{}
	for a := range r.Directory.Accounts() {
		last, err := r.LastSeen(ctx, a.Key)
		if err != nil && !errors.Is(err, ErrNothingSeen) {
			return nil, err
		}
		_, canList := r.Providers[a.Provider].(channel.Lister)
		own := failures[a.ID]
		states = append(states, State{a.Key, a.Provider, a.Active, last, canList, own.listed, own.unlisted})
	}
	slices.SortFunc(states, func(a, b State) int { return cmp.Compare(a.Account, b.Account) })
	return states, nil
}

// accountFailures are why entries of an account were not processed.
type accountFailures struct {
	listed   []Failure
	unlisted int
}

// failuresByAccount bounds what each account has by itself, so that no account's many
// reasons hide those of another.
var failuresByAccount = store.SQL(fmt.Sprintf(`SELECT provider_account_id, problem, entries, newest, problems FROM (
	SELECT provider_account_id, error AS problem, COUNT(*) AS entries, MAX(created_at) AS newest,
		COUNT(*) OVER (PARTITION BY provider_account_id) AS problems,
		ROW_NUMBER() OVER (PARTITION BY provider_account_id ORDER BY COUNT(*) DESC, MAX(created_at) DESC) AS place
	FROM raw_inbounds WHERE state = 'FAILED' GROUP BY provider_account_id, error
) AS grouped WHERE place <= %d ORDER BY provider_account_id, place`, mostFailures))

// failures are those of each account, by its key in the database.
func (r *Receiver) failures(ctx context.Context) (map[int64]accountFailures, error) {
	of := map[int64]accountFailures{}
	err := r.Store.Read(ctx, brought, failuresByAccount, func(rows *sql.Rows) error {
		var account int64
		var f Failure
		var problems int
		err := rows.Scan(&account, &f.Problem, &f.Entries, &f.Last, &problems)
		listed := append(of[account].listed, f)
		of[account] = accountFailures{listed, problems - len(listed)}
		return err
	})
	return of, err
}
