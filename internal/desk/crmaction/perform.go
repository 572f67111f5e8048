package crmaction

import (
	"cmp"
	"context"
	"errors"

	"parley/ent"
	"parley/internal/desk/action"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/formula"
	"parley/internal/desk/match"
	"parley/internal/desk/message"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// order is an action to run, with where and for whom.
type order struct {
	action       *directory.CrmAction
	conversation int64             // 0 for the newest of the record
	record       int64             // the record that changed; 0 for the conversation's
	values       map[string]string // that the agent gave
	places       map[string]string // where in the input, by key
	rights       *object.Rights
	agent        int64          // who asked for it; 0 for nobody
	trigger      action.Trigger // what set it off; empty for an agent
	message      int64          // the answer that set it off; 0 for none
	depth        int
	cause        string // a trigger's: the action runs once for it
	rerunOf      int64
	key          string // the idempotency key
	dry          bool
}

// result is what a run made.
type result struct {
	run          int64
	row          *ent.CrmActionRun
	conversation int64
	record       int64
	changes      []*FieldChange
	requests     []*Request
	url          *string
}

// Why a trigger's run did not begin. Neither is logged.
var (
	errNotMet  = errors.New("the conditions do not hold")
	errAlready = errors.New("the action ran for this already")
)

// turn is one run under way.
type turn struct {
	*order
	*result

	service *Service
	tx      *store.Tx
	row     *conversation.Row       // locked; nil for none
	subject *crm.Holding            // the record; nil for none, or of a type that is not defined
	kind    string                  // object type of the record; empty for none
	read    map[string]action.Found // parameters, by key
	linked  *conversation.Record
	answer  map[string]string // fields of what a customer chose
}

// perform runs an action in the write tx: all of it, or none with an error.
func (s *Service) perform(ctx context.Context, tx *store.Tx, o *order) (*result, error) {
	t := &turn{order: o, result: &result{changes: []*FieldChange{}, requests: []*Request{}}, service: s, tx: tx}
	for _, step := range []func(context.Context) error{t.load, t.admit, t.readAnswer, t.prepare, t.limit, t.claim, t.act, t.line, t.finish} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return t.result, nil
}

// load reads and locks the conversation, and reads the record.
func (t *turn) load(ctx context.Context) (err error) {
	s := t.service
	if t.action.Target("x") != "" { // it writes a record
		if err := s.Records.Lock(ctx, t.tx); err != nil {
			return err
		}
	}
	if t.order.conversation == 0 {
		if t.result.conversation, err = s.Conversations.LatestOf(ctx, t.tx, t.order.record); err != nil {
			return err
		}
	} else {
		t.result.conversation = t.order.conversation
	}
	record := t.order.record
	if t.result.conversation != 0 {
		if t.row, err = s.lock(ctx, t.tx, t.result.conversation, t.trigger != ""); err != nil {
			return err
		}
		t.result.conversation = t.row.Key
		if record == 0 {
			record, t.kind = t.row.RecordID, t.row.Type
		}
	}
	if record == 0 {
		return nil
	}
	held, err := s.Records.Hold(ctx, t.tx, []int64{record})
	if t.subject = held[record]; t.subject != nil {
		t.kind = t.subject.ObjectType
	}
	return err
}

// lock loads a conversation: a trigger's also if it was merged into another meanwhile.
func (s *Service) lock(ctx context.Context, tx *store.Tx, key int64, current bool) (*conversation.Row, error) {
	if current {
		return s.Conversations.LoadCurrent(ctx, tx, key)
	}
	return s.Conversations.Load(ctx, tx, key)
}

// admit refuses what may not be run here.
func (t *turn) admit(ctx context.Context) error {
	v := viewer.FromContext(ctx)
	c := action.Case{MayAct: v.Can(viewer.TakeAction), Rights: t.rights, ObjectType: t.kind, Types: t.service.Directory.Defined}
	if t.subject == nil && t.action.NeedsRecord() { // of a type that is not defined, or gone
		c.ObjectType = ""
	}
	if t.trigger != "" && !t.action.Concerns(t.kind) {
		return errNotMet
	}
	if known, err := t.known(ctx); err != nil || known {
		return cmp.Or(err, errNotMet)
	}
	if reasons := t.action.Judge(c); len(reasons) > 0 {
		return &RefusedError{reasons}
	}
	return nil
}

// known reports whether the customer whom nobody knew has a record meanwhile, or a rule is
// about to link one.
func (t *turn) known(ctx context.Context) (bool, error) {
	switch {
	case t.trigger != action.UnknownSender:
		return false, nil
	case t.kind != "" || t.row == nil || t.service.WouldLink == nil:
		return t.kind != "", nil
	}
	return t.service.WouldLink(ctx, t.tx, t.row)
}

// limit refuses what runs too often, or is set off by too many others.
func (t *turn) limit(ctx context.Context) error {
	if t.depth >= action.MostDepth {
		return fault.New(fault.LimitExceeded, "Actions set each other off: this one would be number %d in a row, and at most %d follow from each other. Correct their conditions.", t.depth+1, action.MostDepth)
	}
	n, err := t.service.recent(ctx, t.tx, t.action.Key, t.countedBy())
	if err != nil {
		return err
	}
	if n >= action.MostRuns {
		return fault.New(fault.LimitExceeded, "The action ran %d times in an hour here, which is the limit. Wait, or correct its conditions.", action.MostRuns)
	}
	return nil
}

// countedBy is what runs are counted by.
func (t *turn) countedBy() int64 {
	if t.subject != nil {
		return t.subject.Key
	}
	return -t.result.conversation
}

// prepare reads what the parameters and the conditions ask for, and decides these.
func (t *turn) prepare(ctx context.Context) error {
	var wants []*want
	params := map[string]*want{}
	for _, key := range t.action.Keys() {
		p := t.action.Parameter(key, t.kind)
		if p == nil || p.Source != action.Field {
			continue
		}
		params[key] = &want{object: p.Object, path: action.PathOf(p.Value)}
		wants = append(wants, params[key])
	}
	var conditions []condition
	for i := range t.action.Conditions {
		if c := &t.action.Conditions[i]; c.Counts(t.kind) {
			asked := condition{Condition: c}
			for _, p := range c.Reads(t.service.Directory.Defined) {
				asked.wants = append(asked.wants, &want{object: p.Object, path: p.Path})
			}
			conditions, wants = append(conditions, asked), append(wants, asked.wants...)
		}
	}
	if err := t.service.follow(ctx, t.tx, t.row, t.subject, wants); err != nil {
		return err
	}
	for _, w := range wants {
		if w.object == action.AnswerObject {
			w.found = t.ofAnswer(w.path[0])
		}
	}
	if err := t.decide(conditions); err != nil {
		return err
	}
	t.read = map[string]action.Found{}
	for _, key := range t.action.Keys() {
		at, err := t.valueOf(key, params[key])
		if err != nil {
			return err
		}
		t.read[key] = at
	}
	return nil
}

// condition is one that is asked, with what it reads.
type condition struct {
	*action.Condition
	wants []*want
}

// decide returns errNotMet unless all conditions hold for what they read.
func (t *turn) decide(conditions []condition) error {
	d := t.service.Directory
	env := formula.Environment{Now: t.tx.Now.Std(), Zone: d.Organization().Zone(), Rates: d.Rates()}
	for _, c := range conditions {
		read := make([]action.Found, len(c.wants))
		for i, w := range c.wants {
			read[i] = w.found
		}
		met, err := c.Met(d.Defined, read, env)
		if err != nil {
			return err
		}
		if !met {
			return errNotMet
		}
	}
	return nil
}

// valueOf is the value of a parameter: what its path found, what the agent gave, or what
// is written.
func (t *turn) valueOf(key string, w *want) (action.Found, error) {
	if w != nil {
		return w.found, nil
	}
	p := t.action.Parameter(key, t.kind)
	if p == nil { // it reads a field of other object types
		return action.Found{}, nil
	}
	given, is := t.values[key]
	if is {
		return action.Found{Value: object.Value{Text: given}}, nil
	}
	if p.Asked && p.Value == "" {
		return action.Found{}, fault.Input("input.values", "The action needs a value for %s. Give it, or an empty one.", key)
	}
	return action.Found{Value: object.Value{Text: p.Value}}, nil
}

// line adds the line to the conversation, if there is one, and ties it to a record that
// was linked: one event.
func (t *turn) line(ctx context.Context) error {
	if t.row == nil {
		return nil
	}
	s, v := t.service, viewer.FromContext(ctx)
	if len(t.changes) > 0 { // the record's conversations followed it, this one too
		row, err := s.lock(ctx, t.tx, t.row.Key, true)
		if err != nil {
			return err
		}
		t.row = row
	}
	var customer string
	if t.linked != nil {
		var err error
		if customer, err = s.Conversations.OwnName(ctx, t.tx, t.row.MessagingUserID); err != nil {
			return err
		}
	}
	return s.Conversations.Apply(ctx, t.tx, t.row, func(ctx context.Context, row *conversation.Row) (feed.Event, error) {
		if t.linked != nil {
			link := conversation.RecordLink{Record: t.linked, Reason: string(match.Acted), Agent: v.AgentID}
			if err := s.Conversations.Link(ctx, t.tx, row, customer, link); err != nil {
				return feed.Event{}, err
			}
		}
		said, err := s.Messages.Insert(ctx, t.tx, row, message.New{Source: sourceOf(v), Author: v.AgentID, Content: content.ActionContent{
			Text: "The action “" + t.action.Name + "” was taken.", ActionName: t.action.Name, Performs: t.action.Kind,
		}})
		return feed.Event{Cause: feed.MessageAdded, MessageID: said.Key, IdempotencyKey: t.key}, err
	})
}

func sourceOf(v *viewer.Viewer) content.Source {
	switch {
	case v.System != "":
		return content.Automation
	case v.IsService:
		return content.API
	}
	return content.Desk
}
