package crmaction

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/ent/crmactionrun"
	"parley/ent/predicate"
	"parley/ent/webhookdelivery"
	"parley/internal/desk/action"
	"parley/internal/desk/directory"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/cursor"
	"parley/internal/ground/page"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// Run is a run in the log.
type Run struct {
	Key       int64
	Outcome   action.Outcome
	CreatedAt clock.Time

	action, conversation, record, agent, rerunOf int64
	trigger                                      action.Trigger
	code, problem                                string
	service                                      *Service
}

// IsNode marks a GraphQL Node.
func (*Run) IsNode() {}

// ID is the opaque id.
func (r *Run) ID() string { return r.service.IDs.Encode(publicid.CrmActionRun, r.Key) }

// ActionName is what the action is called now.
func (r *Run) ActionName() string {
	if a := r.service.Directory.CrmAction(r.action); a != nil {
		return a.Name
	}
	return ""
}

// Actor is who ran it: an agent, or the system for a trigger.
func (r *Run) Actor() *directory.Actor {
	if a := r.service.Directory.Actor(r.agent); a != nil {
		return a
	}
	return directory.System()
}

// Trigger is what ran it, nil for an agent.
func (r *Run) Trigger() *action.Trigger {
	if r.trigger == "" {
		return nil
	}
	t := r.trigger.Known()
	return &t
}

// Problem is why it was refused, nil otherwise.
func (r *Run) Problem() *Problem {
	if r.problem == "" {
		return nil
	}
	return &Problem{r.code, r.problem}
}

// RerunOf is the id of the run that was run again by this one, nil for none.
func (r *Run) RerunOf() *string {
	if r.rerunOf == 0 {
		return nil
	}
	id := r.service.IDs.Encode(publicid.CrmActionRun, r.rerunOf)
	return &id
}

// Problem is why a run was refused.
type Problem struct{ Code, Message string }

const runPlace cursor.Kind = "runs"

// Cursor is its place in the list.
func (r *Run) Cursor() string { return r.service.Cursors.Seal(runPlace, r.Key) }

func (s *Service) runOf(row *ent.CrmActionRun) *Run {
	r := &Run{
		Key: row.ID, Outcome: action.Outcome(row.Outcome), CreatedAt: row.CreatedAt, action: row.ActionID, record: row.RecordID, agent: row.AgentID,
		rerunOf: row.RerunOf, trigger: action.Trigger(row.Trigger), code: row.Code, problem: row.Problem, service: s,
	}
	if row.ConversationID != nil {
		r.conversation = *row.ConversationID
	}
	return r
}

// RunFilter chooses runs; a nil field asks for nothing.
type RunFilter struct {
	ActionID, ConversationID *string

	Outcome *action.Outcome
}

// Page is a page of runs, newest first.
type Page = page.Page[*Run]

// Edge is a run in a page.
type Edge = page.Edge[*Run]

// RunsPage reads a page for the viewer of ctx: empty for one who is no administrator.
func (s *Service) RunsPage(ctx context.Context, f *RunFilter, w page.Window) (*Page, error) {
	query := s.Store.Ent.CrmActionRun.Query().Where(s.wanted(f)...)
	order := crmactionrun.ByID(entsql.OrderDesc())
	if w.Backward {
		order = crmactionrun.ByID()
	}
	if w.Cursor != "" {
		var key int64
		if err := w.Place(s.Cursors.Sealer, runPlace, "runs", &key); err != nil {
			return nil, err
		}
		if w.Backward {
			query.Where(crmactionrun.IDGT(key))
		} else {
			query.Where(crmactionrun.IDLT(key))
		}
	}
	rows, err := query.Order(order).Limit(w.Size + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	nodes := make([]*Run, len(rows))
	for i, row := range rows {
		nodes[i] = s.runOf(row)
	}
	p := page.Of(nodes, w)
	return &p, nil
}

func (s *Service) wanted(f *RunFilter) (wanted []predicate.CrmActionRun) {
	if f == nil {
		return nil
	}
	if f.ActionID != nil {
		key, _ := s.IDs.Decode(publicid.CrmAction, *f.ActionID) // nothing has the key 0
		wanted = append(wanted, crmactionrun.ActionID(key))
	}
	if f.ConversationID != nil {
		key, _ := s.IDs.Decode(publicid.Conversation, *f.ConversationID)
		wanted = append(wanted, crmactionrun.ConversationID(key))
	}
	if f.Outcome != nil {
		wanted = append(wanted, crmactionrun.Outcome(string(*f.Outcome)))
	}
	return wanted
}

// RunsByKey reads runs by key, as far as the viewer of ctx sees them.
func (s *Service) RunsByKey(ctx context.Context, keys []int64) (map[int64]*Run, error) {
	rows, err := s.Store.Ent.CrmActionRun.Query().Where(crmactionrun.IDIn(keys...)).All(ctx)
	if err != nil {
		return nil, err
	}
	found := make(map[int64]*Run, len(rows))
	for _, row := range rows {
		found[row.ID] = s.runOf(row)
	}
	return found, nil
}

// ConversationKey is the key of the conversation it was in, 0 for none.
func (r *Run) ConversationKey() int64 { return r.conversation }

// RecordKey is the key of the record it was about, 0 for none.
func (r *Run) RecordKey() int64 { return r.record }

// RunKey is its key.
func (r *Run) RunKey() int64 { return r.Key }

// Delivery is the delivery of a webhook, or of a change to the CRM.
type Delivery struct {
	URL       string
	Status    action.Delivery
	Attempts  []*action.Attempt
	NextTryAt *clock.Time
}

func deliveryOf(address string, status action.Delivery, attempts []action.Attempt, due clock.Time) *Delivery {
	d := &Delivery{URL: address, Status: status, Attempts: make([]*action.Attempt, len(attempts))}
	for i := range attempts {
		d.Attempts[i] = &attempts[i]
	}
	if d.Status == action.Pending {
		d.NextTryAt = &due
	}
	return d
}

// DeliveriesOf are the deliveries of runs, which the viewer has in hand, by the keys of
// these: none for a viewer who is no administrator.
func (s *Service) DeliveriesOf(ctx context.Context, runs []int64) (map[int64]*Delivery, error) {
	found := make(map[int64]*Delivery, len(runs))
	if !rule.Administers(viewer.FromContext(ctx)) {
		return found, nil
	}
	rows, err := s.Store.Ent.WebhookDelivery.Query().Where(webhookdelivery.RunIDIn(runs...)).All(viewer.AsSystem(ctx, "edge"))
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		found[row.RunID] = deliveryOf(row.URL, action.Delivery(row.Status), row.Attempts, row.DueAt)
	}
	writes, err := s.Syncs.QueuedBy(ctx, runs)
	for run, w := range writes {
		found[run] = deliveryOf(w.Address, w.Status, w.Attempts, w.DueAt)
	}
	return found, err
}
