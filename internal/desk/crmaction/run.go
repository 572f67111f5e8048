package crmaction

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/desk/action"
	"parley/internal/desk/conversation"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// RunInput is an action to take in a conversation.
type RunInput struct {
	ActionID, ConversationID string

	Values         []ValueInput
	DryRun         *bool
	IdempotencyKey string
}

// ValueInput is what an agent gives for a parameter that asks for it.
type ValueInput struct{ Key, Value string }

// Ran is what a run did or, of a dry run, would do.
type Ran struct {
	Run          *Run // nil of a dry run
	Changes      []*FieldChange
	Requests     []*Request
	OpenURL      *string
	Record       *conversation.Record // that was created, changed or linked; nil for none
	Conversation *conversation.Row
}

// FieldChange is a field that a run writes.
type FieldChange struct {
	ObjectType    string
	Definition    *object.Field
	before, after object.Value
}

// Field is the field's name.
func (c *FieldChange) Field() string { return c.Definition.Name }

// Label is what agents call it.
func (c *FieldChange) Label() string { return c.Definition.Label }

// Before is the value before, nil for a blank one.
func (c *FieldChange) Before() *string { return textOf(c.before) }

// After is the value after, nil for a blank one.
func (c *FieldChange) After() *string { return textOf(c.after) }

// Request is a call of a webhook, or a write to the CRM, that a run asks for.
type Request struct{ Method, URL, Body string }

// RefusedError is why an action was not taken: every reason together.
type RefusedError struct{ Reasons []*action.Reason }

// Error implements error.
func (e *RefusedError) Error() string { return "action refused: " + e.Reasons[0].Message }

// errUndo ends a dry run: all that it wrote is undone.
var errUndo = errors.New("a dry run is undone")

// Run takes an action in a conversation that the viewer of ctx sees, once for an
// idempotency key. A refusal is a *RefusedError. A dry run does the same and undoes it.
func (s *Service) Run(ctx context.Context, in RunInput) (*Ran, error) {
	if err := idempotency.CheckKey(in.IdempotencyKey); err != nil {
		return nil, err
	}
	o, err := s.ordered(ctx, &in)
	if err != nil {
		return nil, err
	}
	var made *result
	var id int64
	var repeated bool
	spending := quota.Spend(ctx, s.Runs)
	perform := func(ctx context.Context, tx *store.Tx) (_ int64, err error) {
		if err := spending.Take(); err != nil {
			return 0, err
		}
		if made, err = s.perform(ctx, tx, o); err != nil {
			return 0, err
		}
		return made.run, nil
	}
	err = s.Store.Write(withDepth(ctx, 0), func(ctx context.Context, tx *store.Tx) (err error) {
		if o.dry {
			if _, err = perform(ctx, tx); err == nil {
				err = errUndo
			}
			return err
		}
		id, repeated, err = idempotency.Do(ctx, tx, "runCrmAction", in.IdempotencyKey, in, func() (int64, error) { return perform(ctx, tx) })
		return err
	})
	switch {
	case errors.Is(err, errUndo):
		return s.ran(ctx, made, true)
	case err != nil:
		spending.Return()
		return nil, err
	case repeated:
		return s.repeated(ctx, o, id)
	}
	return s.ran(ctx, made, false)
}

// ordered reads the input.
func (s *Service) ordered(ctx context.Context, in *RunInput) (*order, error) {
	v := viewer.FromContext(ctx)
	key, _ := s.IDs.Decode(publicid.CrmAction, in.ActionID)
	a := s.Directory.CrmAction(key)
	if a == nil || !s.sees(v, a) {
		return nil, fault.At("input.actionId", fault.Missing("action"))
	}
	if a.Mode != action.Manual || !a.Active {
		return nil, fault.At("input.actionId", fault.New(fault.Conflict, "The action is switched off, or only triggers run it. Choose one of availableActions."))
	}
	o := &order{action: a, values: map[string]string{}, places: map[string]string{}, rights: s.Directory.RecordRights(v), key: in.IdempotencyKey, agent: v.AgentID, dry: in.DryRun != nil && *in.DryRun}
	if o.conversation, _ = s.IDs.Decode(publicid.Conversation, in.ConversationID); o.conversation == 0 {
		return nil, fault.At("input.conversationId", fault.Missing("conversation"))
	}
	if n := len(in.Values); n > action.MostParameters {
		return nil, fault.Input("input.values", "Give at most %d values, not %d.", action.MostParameters, n)
	}
	for i, value := range in.Values {
		at := fmt.Sprintf("input.values.%d", i)
		p := a.Parameter(value.Key, "")
		if p == nil || !p.Asked {
			return nil, fault.Input(at+".key", "The action asks for no value with this key. Its parameters say what it asks for.")
		}
		if _, twice := o.values[value.Key]; twice {
			return nil, fault.Input(at+".key", "%s is there twice. Give it once.", value.Key)
		}
		if n := utf8.RuneCountInString(value.Value); n > action.MostValue {
			return nil, fault.Input(at+".value", "Use at most %d characters, not %d.", action.MostValue, n)
		}
		o.values[value.Key], o.places[value.Key] = channel.CleanText(value.Value), at+".value"
	}
	return o, nil
}

// repeated answers a repeat: with the first run, and the address if there is one, which
// is made again from what the records hold now.
func (s *Service) repeated(ctx context.Context, o *order, id int64) (*Ran, error) {
	ran := &Ran{Changes: []*FieldChange{}, Requests: []*Request{}}
	if o.action.Kind == action.OpenURL {
		again := *o
		again.dry = true
		err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			made, err := s.perform(ctx, tx, &again)
			if err != nil {
				return err
			}
			ran.OpenURL = made.url
			return errUndo
		})
		if !errors.Is(err, errUndo) {
			return nil, err
		}
	}
	runs, err := s.RunsByKey(viewer.AsSystem(ctx, "runs"), []int64{id}) // the agent's own, by their key
	if err != nil {
		return nil, err
	}
	if ran.Run = runs[id]; ran.Run == nil {
		return nil, fault.Missing("run")
	}
	return ran, s.show(ctx, ran, ran.Run.record, o.conversation)
}

// ran is what a run made, read again after its commit.
func (s *Service) ran(ctx context.Context, made *result, dry bool) (*Ran, error) {
	ran := &Ran{Changes: made.changes, Requests: made.requests, OpenURL: made.url}
	if !dry {
		ran.Run = s.runOf(made.row)
	}
	return ran, s.show(ctx, ran, made.record, made.conversation)
}

// show reads the conversation and the record as the viewer of ctx sees them now.
func (s *Service) show(ctx context.Context, ran *Ran, record, conversation int64) error {
	rows, err := s.Conversations.ByKey(ctx, []int64{conversation})
	if err != nil {
		return err
	}
	ran.Conversation = rows[conversation]
	if record == 0 {
		return nil
	}
	records, err := s.Conversations.Records(ctx, []int64{record})
	ran.Record = records[record]
	return err
}
