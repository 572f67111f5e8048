// Package quota limits what each agent may do in a period: Callers holds a bucket for
// each agent, and a Quota lets one kind of work take from it.
package quota

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

const (
	mostCallers = 10_000
	// atOnce is the part of an hour's work that may be done at once.
	atOnce = 1.0 / 6
)

// Quota is how much of one kind of work an agent may do. A nil Quota bounds
// nobody. It is safe for concurrent use.
type Quota struct {
	callers    *Callers
	verb, what string
	hourly     float64
}

// New makes the quota of so much work in an hour, a sixth of it at once; verb and
// what name the work, as "send" and "messages". Nil when it is negative: any.
func New(verb, what string, hourly float64, clk clock.Clock) *Quota {
	if hourly < 0 {
		return nil
	}
	rate := Rate{PerSecond: hourly / time.Hour.Seconds(), Burst: max(1, math.Floor(hourly*atOnce))}
	return &Quota{NewCallers(rate, mostCallers, clk), verb, what, hourly}
}

// Spending is what one request takes, one from each of its quotas.
type Spending struct {
	agent  string
	quotas []*Quota
	taken  int
}

// Spend begins what a request of the agent of ctx takes. Nothing is taken yet; the
// system is not bounded.
func Spend(ctx context.Context, quotas ...*Quota) *Spending {
	agent := viewer.Caller(ctx)
	if agent == 0 {
		return &Spending{}
	}
	return &Spending{agent: strconv.FormatInt(agent, 10), quotas: quotas}
}

// Take takes one from each, once however often it is called: a write may run
// again. It is LIMIT_EXCEEDED, with how long to wait, when nothing is left of one;
// then Return puts back the others.
func (s *Spending) Take() error {
	for _, q := range s.quotas[s.taken:] {
		if wait := q.take(s.agent); wait > 0 {
			return &fault.Error{
				Code: fault.LimitExceeded, RetryAfter: wait,
				Message: fmt.Sprintf("You may %s %v %s per hour, at most a sixth of them at once. Wait retryAfter seconds, then try again with the same idempotency key.", q.verb, q.hourly, q.what),
			}
		}
		s.taken++
	}
	return nil
}

// Return puts back what was taken, for work that was not done.
func (s *Spending) Return() {
	for _, q := range s.quotas[:s.taken] {
		q.give(s.agent)
	}
	s.taken = 0
}

func (q *Quota) take(agent string) time.Duration {
	if q == nil {
		return 0
	}
	return q.callers.Take(agent, 1)
}

func (q *Quota) give(agent string) {
	if q != nil {
		q.callers.Give(agent, 1)
	}
}
