package inbound

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/ground/clock"
)

// State is how things stand with what an account's carrier posts.
type State struct {
	Account   string // last element of its webhook URL
	Provider  string
	IsActive  bool
	LastHeard clock.Time // when its newest webhook came; zero if none is on file
	CanList   bool       // whether a catch-up can ask the carrier for what was missed
	Failed    []Failure  // the most frequent first
}

// Failure is why some entries are kept and not processed.
type Failure struct {
	Problem string
	Entries int
	Last    clock.Time // when the newest of them came
}

// mostFailures is how many failures States tells.
const mostFailures = 100

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
		states = append(states, State{a.Key, a.Provider, a.Active, last, canList, failures[a.ID]})
	}
	slices.SortFunc(states, func(a, b State) int { return cmp.Compare(a.Account, b.Account) })
	return states, nil
}

// failures are those of each account, by its key in the database.
func (r *Receiver) failures(ctx context.Context) (map[int64][]Failure, error) {
	of := map[int64][]Failure{}
	raw := entsql.Table("raw_inbounds")
	q := r.Store.Builder().Select(raw.C("provider_account_id"), raw.C("error"), entsql.Count("*"), entsql.Max(raw.C("created_at"))).
		From(raw).Where(isFailed()).GroupBy(raw.C("provider_account_id"), raw.C("error")).
		OrderExpr(entsql.Raw("COUNT(*) DESC"), entsql.Raw("MAX(created_at) DESC")).Limit(mostFailures)
	err := r.Store.Read(ctx, brought, q, func(rows *sql.Rows) error {
		var account int64
		var f Failure
		err := rows.Scan(&account, &f.Problem, &f.Entries, &f.Last)
		of[account] = append(of[account], f)
		return err
	})
	return of, err
}
