package crmaction

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"parley/ent/record"
	"parley/internal/desk/action"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/crmsync"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// act does what the action is for.
func (t *turn) act(ctx context.Context) error {
	switch t.action.Kind {
	case action.CreateRecord:
		return t.create(ctx)
	case action.UpdateRecord:
		return t.write(ctx, t.subject.Name)
	case action.LinkRecord:
		return t.link(ctx)
	case action.OpenURL:
		built, err := t.action.BuildURL(func(key string) string { return text(t.read[key].Value) })
		t.url = &built
		return err
	case action.CallWebhook:
		return t.webhook(ctx)
	}
	return fault.New(fault.Conflict, "This version does not know what the action performs.")
}

func (t *turn) create(ctx context.Context) error {
	fresh := crm.NewName(t.action.Target(t.kind))
	if err := t.write(ctx, fresh); err != nil {
		return err
	}
	if t.row == nil || t.read[action.LinkConversation].Value.Text != "true" {
		return nil
	}
	held, err := t.service.Records.Hold(ctx, t.tx, []int64{t.record()})
	if err != nil {
		return err
	}
	t.linked = &conversation.Record{Key: t.record(), ObjectType: fresh.ObjectType}
	if h := held[t.record()]; h != nil {
		t.linked.Name = h.Title
	}
	return nil
}

func (t *turn) record() int64 { return t.result.record }

// write writes the record of a name.
func (t *turn) write(ctx context.Context, to crm.Name) error {
	in := &crm.RecordInput{ObjectType: to.ObjectType, ExternalID: to.ExternalID}
	for _, key := range t.action.Writes() {
		v := t.read[key].Value
		in.Fields = append(in.Fields, &crm.FieldInput{Name: key, Text: &v.Text, Choices: v.List})
	}
	outlet, err := t.service.Syncs.WritesTo(ctx, t.tx, to.ObjectType)
	if err != nil {
		return err
	}
	edit, err := t.service.Records.Change(ctx, t.tx, t.rights, in, outlet != nil)
	if err != nil {
		return t.placed(err, in.Fields)
	}
	t.result.record = edit.Key
	for _, f := range edit.Fields {
		t.changes = append(t.changes, &FieldChange{to.ObjectType, f.Definition, f.Before, f.After})
	}
	if outlet == nil || edit.Outcome == crm.Unchanged {
		return nil
	}
	change := crmsync.Change{To: outlet, Run: t.run, Depth: t.depth, ObjectType: to.ObjectType, Edit: edit}
	address, body, err := change.Request()
	if err != nil {
		return err
	}
	t.requests = append(t.requests, &Request{toCRM, address, body})
	return t.service.Syncs.Queue(ctx, t.tx, change)
}

// placed is the error of a record's change at the value that the agent gave for its
// field, or at the values together if the action itself states it. Of a trigger's run it
// leaves the value out: that was read with all rights, and whoever reads the log may not.
func (t *turn) placed(err error, fields []*crm.FieldInput) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Field == "" {
		return err
	}
	const all = "input.values"
	for i, in := range fields {
		if f.Field != fmt.Sprintf("%s.%d", crm.ChangedFields, i) {
			continue
		}
		if t.trigger != "" {
			return fault.At(all, fault.New(f.Code, "What the action has for %s is no value that this field takes. Correct the parameter, or what it reads.", in.Name))
		}
		return fault.At(cmp.Or(t.places[in.Name], all), err)
	}
	return fault.At(all, err)
}

// toCRM stands in for the method of HTTP, which differs from CRM to CRM.
const toCRM = "WRITE"

// link finds the record that the conversation is to be of: one that whoever runs the
// action may read.
func (t *turn) link(ctx context.Context) error {
	if t.row == nil {
		return fault.New(fault.Conflict, "There is no conversation to link.")
	}
	wanted := text(t.read[action.RecordID].Value)
	which := record.ID(0)
	if key, ok := t.service.IDs.Decode(publicid.Record, wanted); ok {
		which = record.ID(key)
	} else if objectType, id, ok := strings.Cut(wanted, "/"); ok {
		which = record.And(record.ObjectType(objectType), record.ExternalID(id))
	}
	found, err := t.tx.Ent.Record.Query().Where(which, record.Stub(false), record.DeletedAt(0), record.MergedInto(0)).Limit(1).
		Select(record.FieldID, record.FieldObjectType, record.FieldName).All(ctx)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fault.At(cmp.Or(t.places[action.RecordID], "input.values"), fault.Missing("record"))
	}
	t.result.record = found[0].ID
	t.linked = &conversation.Record{Key: found[0].ID, ObjectType: found[0].ObjectType, Name: found[0].Name}
	return nil
}

// text is a value as addresses and webhooks have it.
func text(v object.Value) string {
	if v.List != nil {
		return strings.Join(v.List, ";")
	}
	return v.Text
}

func textOf(v object.Value) *string {
	if v.IsBlank() {
		return nil
	}
	is := text(v)
	return &is
}

// want is a path from the record, or from the conversation.
type want struct {
	object string
	path   action.Path

	at    *crm.Holding
	found action.Found
}

// follow finds what paths lead to: a statement for each lookup of the longest.
func (s *Service) follow(ctx context.Context, tx *store.Tx, row *conversation.Row, subject *crm.Holding, wants []*want) error {
	for _, w := range wants {
		switch {
		case w.object == action.ConversationObject:
			w.found = ofConversation(row, w.path[0])
		case subject != nil && subject.ObjectType == w.object:
			w.at = subject
		}
	}
	for step := 0; ; step++ {
		next := map[*want]crm.Name{}
		var names []crm.Name
		for _, w := range wants {
			if w.at == nil {
				continue
			}
			at := s.field(w.at, w.path[step])
			if w.at = nil; step == len(w.path)-1 {
				w.found = at
			} else if objectType, id := at.Value.Target(); id != "" {
				next[w] = crm.Name{ObjectType: objectType, ExternalID: id}
				names = append(names, next[w])
			}
		}
		if len(names) == 0 {
			return nil
		}
		held, err := s.Records.HoldNamed(ctx, tx, names)
		if err != nil {
			return err
		}
		for w, name := range next {
			w.at = held[name]
		}
	}
}

// field is what a record holds in a field.
func (s *Service) field(h *crm.Holding, name string) action.Found {
	f := s.Directory.Defined(h.ObjectType).Field(name) // Hold holds what is defined
	if f == nil || f.Retired {
		return action.Found{}
	}
	return action.Found{Field: f, Value: h.Value(f.Name)}
}

func ofConversation(row *conversation.Row, field string) action.Found {
	f := action.Types(nil).WithBeside()(action.ConversationObject).Field(field)
	if f == nil || row == nil {
		return action.Found{}
	}
	values := map[string]string{"Name": row.Name(), "Address": row.Address}
	if c := row.Channel(); c != nil {
		values["ChannelName"], values["ChannelAddress"] = c.Name, c.Address
	}
	return action.Found{Field: f, Value: object.Value{Text: values[f.Name]}}
}

// payload is the body of a webhook, by Standard Webhooks.
type payload struct {
	Type      string      `json:"type"`
	Timestamp string      `json:"timestamp"`
	Data      payloadData `json:"data"`
}

type payloadData struct {
	Run            string            `json:"run"`
	Action         string            `json:"action"`
	Trigger        action.Trigger    `json:"trigger,omitempty"`
	ConversationID string            `json:"conversationId,omitempty"`
	ObjectType     string            `json:"objectType,omitempty"`
	ExternalID     string            `json:"externalId,omitempty"`
	Parameters     map[string]string `json:"parameters"`
}

// webhook adds the delivery of a call, with its job.
func (t *turn) webhook(ctx context.Context) error {
	s := t.service
	data := payloadData{Run: s.IDs.Encode(publicid.CrmActionRun, t.run), Action: t.action.DeveloperName, Trigger: t.trigger, Parameters: map[string]string{}}
	if t.row != nil {
		data.ConversationID = t.row.ID()
	}
	if t.subject != nil {
		data.ObjectType, data.ExternalID = t.subject.ObjectType, t.subject.ExternalID
	}
	for key, at := range t.read {
		if key != action.Address {
			data.Parameters[key] = text(at.Value)
		}
	}
	body, err := json.Marshal(payload{"crm_action.run", t.tx.Now.String(), data})
	if err != nil {
		return err
	}
	if n := len(body); n > action.MostBody {
		return fault.New(fault.LimitExceeded, "The webhook's body would have %d bytes, and at most %d are sent. Leave parameters out.", n, action.MostBody)
	}
	address := t.read[action.Address].Value.Text
	t.requests = append(t.requests, &Request{"POST", address, string(body)})
	return s.addDelivery(ctx, t.tx, t.run, address, string(body))
}
