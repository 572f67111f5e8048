package crmaction

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"parley/ent"
	"parley/ent/webhookdelivery"
	"parley/internal/channel"
	"parley/internal/desk/action"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
	"parley/internal/ground/webhook"
)

// deliver is the job of a try.
type deliver struct {
	Run int64 `json:"run"`
	Try int   `json:"try"` // from 0; a try that was made before does nothing
}

// Kind implements river.JobArgs.
func (deliver) Kind() string { return "deliver_webhook" }

// deliverQueue keeps slow webhooks from keeping others waiting.
var deliverQueue = job.Queue{Name: "webhooks", Workers: 8, Poll: 500 * time.Millisecond}

// InsertOpts implements river.JobArgsWithInsertOpts.
func (deliver) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: deliverQueue.Name} }

func (*Service) addDelivery(ctx context.Context, tx *store.Tx, run int64, address, body string) error {
	_, err := tx.Ent.WebhookDelivery.Create().SetRunID(run).SetEventID("msg_" + strings.ToLower(rand.Text())).SetURL(address).SetBody(body).
		SetStatus(string(action.Pending)).SetAttempts([]action.Attempt{}).SetDueAt(tx.Now).SetCreatedAt(tx.Now).Save(viewer.AsSystem(ctx, "actions"))
	tx.Enqueue(deliver{Run: run}, nil)
	return err
}

// deliver makes a try: it calls outside of any write, then notes what came of it, with
// the job of the next try, in one. Cut off between the two, the call is made again, with
// the same id.
func (s *Service) deliver(ctx context.Context, args deliver) error {
	ctx = viewer.AsSystem(ctx, "actions")
	d, err := s.Store.Ent.WebhookDelivery.Query().Where(webhookdelivery.RunID(args.Run)).WithRun().Only(ctx)
	if err != nil {
		return ent.MaskNotFound(err) // forgotten
	}
	if action.Delivery(d.Status) != action.Pending || d.Tries != args.Try {
		return nil
	}
	attempt, final := s.try(ctx, d)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return s.note(ctx, tx, args, attempt, final) })
}

// try calls the webhook. final says that no other try can do better.
func (s *Service) try(ctx context.Context, d *ent.WebhookDelivery) (a action.Attempt, final bool) {
	now := s.Store.Clock.Now()
	a.At = now
	of := s.Directory.CrmAction(d.Edges.Run.ActionID)
	if of == nil || !of.Active {
		a.Problem = "The action was switched off."
		return a, true
	}
	keys, err := webhook.Unseal(s.Vault, of.Sealed, place(of.DeveloperName))
	if err != nil {
		a.Problem = "The secret cannot be read: " + err.Error() + "."
		return a, false
	}
	answer, err := s.Call(ctx, &webhook.Call{URL: d.URL, Body: d.Body, Header: keys.Signed(d.EventID, now, d.Body)})
	if err != nil {
		a.Problem = channel.Cut(channel.CleanText(err.Error()), action.MostAnswer)
		return a, errors.Is(err, webhook.ErrNotPublic)
	}
	a.Status, a.Answer = answer.Status, channel.Cut(channel.CleanText(answer.Body), action.MostAnswer)
	if a.Status < 200 || a.Status > 299 {
		a.Problem = "It answered " + http.StatusText(a.Status) + "."
	}
	return a, a.Status == http.StatusGone
}

// note writes what came of a try, and enqueues the next one if there is one.
func (s *Service) note(ctx context.Context, tx *store.Tx, args deliver, attempt action.Attempt, final bool) error {
	d, err := tx.Ent.WebhookDelivery.Query().Where(webhookdelivery.RunID(args.Run)).Only(ctx)
	if err != nil || d.Tries != args.Try { // another worker noted its own
		return ent.MaskNotFound(err)
	}
	attempts := append(d.Attempts, attempt)
	attempts = attempts[max(0, len(attempts)-action.MostKept):]
	update := tx.Ent.WebhookDelivery.UpdateOne(d).SetAttempts(attempts).AddTries(1)
	pauses := s.Pauses
	if pauses == nil {
		pauses = action.DefaultPauses
	}
	switch {
	case attempt.Problem == "":
		update.SetStatus(string(action.Delivered)).SetBody("")
	case final || args.Try >= len(pauses):
		update.SetStatus(string(action.Failed))
	default:
		pause := pauses[args.Try]
		update.SetDueAt(tx.Now.Add(pause))
		next := &river.InsertOpts{Queue: deliverQueue.Name}
		if pause > 0 { // a job that is scheduled waits for some seconds at least
			next.ScheduledAt = time.Now().Add(pause)
		}
		tx.Enqueue(deliver{Run: args.Run, Try: args.Try + 1}, next)
	}
	return update.Exec(ctx)
}
