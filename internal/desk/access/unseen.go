package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"parley/ent"
	"parley/ent/agent"
	"parley/ent/identity"
	"parley/internal/desk/administration"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Unseen is after how many days an issuer's agents are deactivated.
type Unseen struct {
	Issuer string
	Days   int
}

// unseenBatch is how many agents one write deactivates.
const unseenBatch = 200

// Jobs deactivate the agents whom their issuers have not signed in for long.
func (s *Service) Jobs() []job.Job {
	return []job.Job{job.Periodic{Name: "deactivate_unseen", Queue: job.Upkeep, Every: 24 * time.Hour, Run: func(ctx context.Context) error {
		return s.DeactivateUnseen(ctx)
	}}}
}

// DeactivateUnseen deactivates the active people whom an issuer has signed in before but
// not on as many whole days as configured, in the organisation's zone, and whom no other
// issuer has either. The last administrator stays.
func (s *Service) DeactivateUnseen(ctx context.Context) error {
	var failed error
	for _, u := range s.Unseen {
		ctx := viewer.AsSystem(ctx, fmt.Sprintf("unseen for %d days", u.Days))
		before := s.Directory.DaysBefore(u.Days, s.Clock.Now())
		failed = errors.Join(failed, s.deactivateUnseen(ctx, u.Issuer, before))
	}
	return failed
}

func (s *Service) deactivateUnseen(ctx context.Context, issuer string, before clock.Time) error {
	unseen, err := s.unseen(ctx, s.Store.Ent, issuer, before)
	if err != nil {
		return err
	}
	// Administrators go one by one, so that the last one's stay keeps nobody else.
	var batches [][]int64
	var others []int64
	for _, key := range unseen {
		if a := s.Directory.Agent(key); a != nil && rule.Administers(a.Rights()) {
			batches = append(batches, []int64{key})
			continue
		}
		if others = append(others, key); len(others) == unseenBatch {
			batches, others = append(batches, others), nil
		}
	}
	for _, keys := range append(batches, others) {
		err := s.deactivate(ctx, issuer, before, keys)
		if fault.CodeOf(err) == fault.Conflict {
			slog.WarnContext(ctx, "the last administrator has not signed in for long and stays active", "issuer", issuer)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unseen are the keys of agents whose every identity counts from before an instant, one
// of them the issuer's.
func (*Service) unseen(ctx context.Context, client *ent.Client, issuer string, before clock.Time) ([]int64, error) {
	since, err := client.Identity.Query().Where(identity.CountsFromGTE(before)).Select(identity.FieldAgentID).Ints(ctx)
	if err != nil {
		return nil, err
	}
	theirs, err := client.Identity.Query().Where(identity.Issuer(issuer), identity.CountsFromLT(before)).Select(identity.FieldAgentID).Ints(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[int]bool{}
	for _, key := range since {
		seen[key] = true
	}
	var keys []int64
	for _, key := range theirs {
		if !seen[key] {
			seen[key] = true // once
			keys = append(keys, int64(key))
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return client.Agent.Query().Where(agent.IDIn(keys...), agent.Active(true), agent.KindEQ(viewer.Person)).Order(ent.Asc(agent.FieldID)).IDs(ctx)
}

// deactivate deactivates those of the agents who are still unseen.
func (s *Service) deactivate(ctx context.Context, issuer string, before clock.Time, keys []int64) error {
	if len(keys) == 0 {
		return nil
	}
	return administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (changed bool, err error) {
		unseen, err := s.unseen(ctx, tx.Ent, issuer, before)
		if err != nil {
			return false, err
		}
		wanted := map[int64]bool{}
		for _, key := range keys {
			wanted[key] = true
		}
		for _, key := range unseen {
			if !wanted[key] {
				continue
			}
			if err := tx.Ent.Agent.UpdateOneID(key).SetActive(false).Exec(ctx); err != nil {
				return false, err
			}
			changed = true
		}
		return changed, nil
	})
}
