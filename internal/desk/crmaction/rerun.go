package crmaction

import (
	"context"
	"crypto/rand"
	"errors"

	"parley/ent"
	"parley/ent/crmactionrun"
	"parley/ent/webhookdelivery"
	"parley/internal/desk/action"
	"parley/internal/desk/administration"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// RerunInput is a run to make again.
type RerunInput struct{ RunID, IdempotencyKey string }

var errNothing = fault.New(fault.Conflict, "There is nothing to run again: only what a trigger ran and was refused, and a webhook or a change of a record in the CRM that was not delivered.")

// Rerun makes a run again that the viewer of ctx sees, once for an idempotency key: what a
// trigger ran and was refused, as things are now, or the delivery of a webhook or to the CRM
// that failed.
func (s *Service) Rerun(ctx context.Context, in RerunInput) (*Run, error) {
	v := viewer.FromContext(ctx)
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	if !v.Can(viewer.TakeAction) {
		return nil, fault.New(fault.Forbidden, "Taking actions needs the permission TAKE_ACTION. Ask an administrator.")
	}
	if err := idempotency.CheckKey(in.IdempotencyKey); err != nil {
		return nil, err
	}
	key, _ := s.IDs.Decode(publicid.CrmActionRun, in.RunID)
	var id int64
	err := s.Store.Write(withDepth(ctx, 0), func(ctx context.Context, tx *store.Tx) (err error) {
		id, _, err = idempotency.Do(ctx, tx, "rerunCrmAction", in.IdempotencyKey, in, func() (int64, error) { return s.rerun(ctx, tx, key) })
		return err
	})
	if errors.Is(err, errNotMet) {
		err = fault.New(fault.Conflict, "The action's conditions do not hold any more, so it did not run.")
	}
	var refused *RefusedError
	if errors.As(err, &refused) {
		err = fault.New(fault.Conflict, "%s", refused.Reasons[0].Message)
	}
	if err != nil {
		return nil, err
	}
	runs, err := s.RunsByKey(ctx, []int64{id})
	if err == nil && runs[id] == nil {
		err = fault.Missing("run")
	}
	return runs[id], err
}

func (s *Service) rerun(ctx context.Context, tx *store.Tx, key int64) (int64, error) {
	was, err := tx.Ent.CrmActionRun.Query().Where(crmactionrun.ID(key)).Only(ctx)
	if ent.IsNotFound(err) {
		return 0, fault.At("input.runId", fault.Missing("run"))
	}
	if err != nil {
		return 0, err
	}
	if action.Outcome(was.Outcome) == action.Done {
		return key, s.redeliver(ctx, tx, key)
	}
	a := s.Directory.CrmAction(was.ActionID)
	if was.Trigger == "" || a == nil || !a.Active {
		return 0, errNothing
	}
	o := &order{
		action: a, rights: object.Everything, agent: viewer.FromContext(ctx).AgentID, trigger: action.Trigger(was.Trigger), cause: rand.Text(), rerunOf: key, message: was.MessageID,
	}
	if was.ConversationID != nil {
		o.conversation = *was.ConversationID
	}
	if o.trigger == action.RecordChanged {
		o.conversation, o.record = 0, was.RecordID
	}
	made, err := s.perform(viewer.AsSystem(ctx, "actions"), tx, o)
	if err != nil {
		return 0, err
	}
	return made.run, nil
}

// redeliver begins the tries of a failed delivery anew: of a webhook with the id it had.
func (s *Service) redeliver(ctx context.Context, tx *store.Tx, run int64) error {
	ctx = viewer.AsSystem(ctx, "actions")
	n, err := tx.Ent.WebhookDelivery.Update().Where(webhookdelivery.RunID(run), webhookdelivery.Status(string(action.Failed))).
		SetStatus(string(action.Pending)).SetTries(0).SetDueAt(tx.Now).Save(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		tx.Enqueue(deliver{Run: run}, nil)
		return nil
	}
	queued, err := s.Syncs.Requeue(ctx, tx, run)
	if err == nil && !queued {
		err = errNothing
	}
	return err
}
