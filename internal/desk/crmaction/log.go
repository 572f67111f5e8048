package crmaction

import (
	"context"
	"database/sql"
	"errors"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/ent/crmactionrun"
	"parley/ent/webhookdelivery"
	"parley/internal/desk/action"
	"parley/internal/ground/fault"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// keptRuns is how long the log of runs goes back.
const keptRuns = 90 * 24 * time.Hour

// recent is how often an action ran in the last hour with a subject, refusals included.
func (s *Service) recent(ctx context.Context, tx *store.Tx, action, subject int64) (n int, err error) {
	err = tx.Query(ctx, countRuns.With(action, subject, int64(tx.Now.Add(-time.Hour))), func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n, err
}

var (
	countRuns = store.Fixed("SELECT COUNT(*) FROM crm_action_runs WHERE action_id = ? AND subject_id = ? AND created_at > ?")
	insertRun = store.Fixed(`INSERT INTO crm_action_runs (action_id, conversation_id, record_id, subject_id, agent_id, "trigger", outcome, code, problem, depth, cause, rerun_of, message_id, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (cause, action_id) DO NOTHING RETURNING id`)
	nameRecord = store.Fixed("UPDATE crm_action_runs SET record_id = ? WHERE id = ?")
)

// claim writes the run to the log. A trigger's that is there already is errAlready.
func (t *turn) claim(ctx context.Context) error {
	t.result.row = &ent.CrmActionRun{
		ActionID: t.action.Key, SubjectID: t.countedBy(), AgentID: t.agent, Trigger: string(t.trigger), Outcome: string(action.Done),
		Depth: t.depth, RerunOf: t.rerunOf, MessageID: t.message, CreatedAt: t.tx.Now,
	}
	if t.cause != "" {
		t.result.row.Cause = &t.cause
	}
	if t.row != nil {
		t.result.row.ConversationID = &t.row.Key
	}
	if t.subject != nil {
		t.result.row.RecordID, t.result.record = t.subject.Key, t.subject.Key
	}
	if err := insert(ctx, t.tx, t.result.row); err != nil {
		return err
	}
	t.run = t.result.row.ID
	return nil
}

func insert(ctx context.Context, tx *store.Tx, r *ent.CrmActionRun) error {
	q := insertRun.With(r.ActionID, r.ConversationID, r.RecordID, r.SubjectID, r.AgentID, r.Trigger, r.Outcome, r.Code, r.Problem, r.Depth, r.Cause, r.RerunOf, r.MessageID, int64(r.CreatedAt))
	if err := tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&r.ID) }); err != nil {
		return err
	}
	if r.ID == 0 {
		return errAlready
	}
	return nil
}

// finish names the record that the run made or chose.
func (t *turn) finish(ctx context.Context) error {
	if t.result.record == t.result.row.RecordID {
		return nil
	}
	t.result.row.RecordID = t.result.record
	_, err := t.tx.Exec(ctx, nameRecord.With(t.result.record, t.run))
	return err
}

// refusalOf is what the log says of a run that was refused, false for an error that is
// no refusal.
func refusalOf(err error) (code, problem string, is bool) {
	var refused *RefusedError
	var f *fault.Error
	switch {
	case errors.As(err, &refused):
		return string(refused.Reasons[0].Code), refused.Reasons[0].Message, true
	case errors.As(err, &f):
		return string(f.Code), f.Message, true
	}
	return "", "", false
}

// logRefusal writes to the log that a trigger's run was refused: each time, until the
// limit of runs is passed, and then no more.
func (s *Service) logRefusal(ctx context.Context, o *order, code, problem string) error {
	err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		r := &ent.CrmActionRun{
			ActionID: o.action.Key, RecordID: o.record, SubjectID: o.record, AgentID: o.agent, Trigger: string(o.trigger), Outcome: string(action.Refused),
			Code: code, Problem: problem, Depth: o.depth, RerunOf: o.rerunOf, MessageID: o.message, CreatedAt: tx.Now, Cause: &o.cause,
		}
		conversation := o.conversation
		if conversation == 0 {
			var err error
			if conversation, err = s.Conversations.LatestOf(ctx, tx, o.record); err != nil {
				return err
			}
		}
		if conversation != 0 {
			row, err := s.Conversations.LoadCurrent(ctx, tx, conversation)
			if err != nil {
				return err
			}
			r.ConversationID = &row.Key
			if r.RecordID == 0 {
				r.RecordID, r.SubjectID = row.RecordID, row.RecordID
			}
		}
		if r.SubjectID == 0 {
			r.SubjectID = -conversation
		}
		if n, err := s.recent(ctx, tx, r.ActionID, r.SubjectID); err != nil || n > action.MostRuns {
			return err
		}
		return insert(ctx, tx, r)
	})
	if errors.Is(err, errAlready) || fault.CodeOf(err) == fault.NotFound { // logged before, or nothing is left to log it of
		return nil
	}
	return err
}

// forgetBatch is how many runs a write removes.
const forgetBatch = 1_000

// forget removes old runs with their deliveries.
func (s *Service) forget(ctx context.Context) error {
	ctx = viewer.AsSystem(ctx, "actions")
	for {
		n := 0
		err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			before := tx.Now.Add(-keptRuns)
			old, err := tx.Ent.CrmActionRun.Query().Where(crmactionrun.CreatedAtLT(before)).Order(crmactionrun.ByCreatedAt(entsql.OrderAsc())).Limit(forgetBatch).IDs(ctx)
			if n = len(old); err != nil || n == 0 {
				return err
			}
			if _, err := tx.Ent.WebhookDelivery.Delete().Where(webhookdelivery.RunIDIn(old...)).Exec(ctx); err != nil {
				return err
			}
			_, err = tx.Ent.CrmActionRun.Delete().Where(crmactionrun.IDIn(old...)).Exec(ctx)
			return err
		})
		if err != nil || n < forgetBatch || job.Stopping(ctx) {
			return err
		}
	}
}
