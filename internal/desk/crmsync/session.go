package crmsync

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/internal/connector"
	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/quota"
)

// describedFor is how long it is remembered what objects a CRM has.
const describedFor = time.Hour

// session is a connector's session, with what its CRM has. A connection's jobs take turns,
// so that one at a time uses it.
type session struct {
	connector.Session
	of        string // the fingerprint of credentials and settings
	objects   map[string]*connector.Object
	described clock.Time
}

// session is that of a connection among some, which keep their tokens between runs.
func (s *Service) session(c *Connection, among *sync.Map) (*session, error) {
	of := s.connector(c.kind)
	switch {
	case of == nil:
		return nil, errUnknownKind
	case c.unreadable != nil:
		return nil, fault.New(fault.Conflict, "%s", *c.LastError())
	}
	settings, err := json.Marshal(c.settings)
	if err != nil {
		return nil, err
	}
	fingerprint := s.Directory.Fingerprint(c.kind, slices.Concat(c.set.Current, settings))
	if held, ok := among.Load(c.Key); ok && held.(*session).of == fingerprint {
		return held.(*session), nil
	}
	opened, err := of.Open(c.settings, c.set.Current)
	if err != nil {
		return nil, err
	}
	x := &session{Session: opened, of: fingerprint}
	among.Store(c.Key, x)
	return x, nil
}

var errUnknownKind = fault.New(fault.Conflict, "This version does not know the kind of the connection. Update Parley.")

// describe reads what the CRM has of the objects of a connection, if it is not known.
func (x *session) describe(ctx context.Context, types []connector.Type, now clock.Time) error {
	if x.objects != nil && now < x.described.Add(describedFor) {
		return nil
	}
	objects := map[string]*connector.Object{}
	for i := range types {
		o, err := x.Describe(ctx, objectOf(&types[i]))
		if err != nil {
			return err
		}
		objects[types[i].ObjectType] = o
	}
	x.objects, x.described = objects, now
	return nil
}

// mapped is an object type with the CRM's fields that its own come from.
type mapped struct {
	connector.Type
	def    *directory.ObjectType
	object *connector.Object
	from   map[string]string // the CRM's field, by name of the object type's
}

// mapped maps an object type. A field that has no like in the CRM stays as it is.
func (s *Service) mapped(t connector.Type, o *connector.Object) (*mapped, *fault.Error) {
	m := &mapped{Type: t, def: s.Directory.ObjectType(t.ObjectType), object: o, from: map[string]string{}}
	if m.def == nil {
		return nil, fault.New(fault.Conflict, "%s is no object type any more.", t.ObjectType)
	}
	named := map[string]string{}
	for _, f := range o.Fields {
		named[strings.ToLower(f.Name)] = f.Name
	}
	for i := range m.def.Fields {
		f := &m.def.Fields[i]
		if from := named[strings.ToLower(f.Name)]; from != "" && !f.Retired {
			m.from[f.Name] = from
		}
	}
	for _, given := range t.Fields {
		if f := m.def.Field(given.Field); f == nil || f.Retired {
			continue
		}
		from := named[strings.ToLower(given.From)]
		if from == "" {
			return nil, fault.New(fault.Conflict, "The CRM's %s has no field %s, or its user may not read it. Correct the mapping, or give the user the right.", o.Name, given.From)
		}
		m.from[given.Field] = from
	}
	return m, nil
}

// fields are the CRM's that are read, each once.
func (m *mapped) fields() []string {
	return slices.Compact(slices.Sorted(maps.Values(m.from)))
}

// value is a field's as package crm reads it. Where a reference can be to several types,
// the id says to which.
func (m *mapped) value(field, text string, objects map[string]*connector.Object) string {
	f := m.def.Field(field)
	if text == "" || f.Kind != object.Reference || len(f.Targets) < 2 {
		return text
	}
	for objectType, o := range objects {
		if o.Prefix != "" && strings.HasPrefix(text, o.Prefix) && slices.Contains(f.Targets, objectType) {
			return objectType + "/" + text
		}
	}
	return text
}

// testTime bounds a test.
const testTime = 20 * time.Second

// Tested is what a test found.
type Tested struct {
	IsOK     bool
	Message  string  // in plain words
	WhatToDo *string // nil when nothing is to be done
	// ObjectTypes are those of the connection as the CRM has them.
	ObjectTypes []*TestedType
}

// TestedType is an object type as the CRM has it.
type TestedType struct {
	ObjectType string
	// Mapped are the fields that come from the CRM, Unmapped those that stay as they are.
	Mapped, Unmapped []string
}

// Test asks the CRM whether a connection works, and reads no record. A webhook's can only
// be tested by its CRM.
func (s *Service) Test(ctx context.Context, id string) (*Tested, error) {
	c, err := s.admitted(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := quota.Spend(ctx, s.Tests).Take(); err != nil {
		return nil, err
	}
	if Kind(c.kind) == Webhook {
		return &Tested{IsOK: c.unreadable == nil, Message: "Only its CRM can test a webhook: have it post a batch.", ObjectTypes: []*TestedType{}}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	t := &Tested{IsOK: true, Message: "The CRM accepts the credentials.", ObjectTypes: []*TestedType{}}
	if err := s.test(ctx, c, t); err != nil {
		do := "Correct it, then test again."
		t.IsOK, t.Message, t.WhatToDo = false, said(err), &do
	}
	return t, nil
}

func (s *Service) test(ctx context.Context, c *Connection, t *Tested) error {
	of := s.connector(c.kind)
	if of == nil || c.unreadable != nil {
		_, err := s.session(c, &s.sessions)
		return err
	}
	opened, err := of.Open(c.settings, c.set.Current) // not one that works already
	if err != nil {
		return err
	}
	x := &session{Session: opened}
	if err := x.describe(ctx, c.settings.Types, s.Store.Clock.Now()); err != nil {
		return err
	}
	for _, of := range c.settings.Types {
		m, problem := s.mapped(of, x.objects[of.ObjectType])
		if problem != nil {
			return problem
		}
		if of.Key != "" && !slices.ContainsFunc(m.object.Fields, func(f connector.Field) bool { return f.IsKey && strings.EqualFold(f.Name, of.Key) }) {
			return fault.New(fault.Conflict, "The CRM's %s has no external-id field %s, or its user may not read it. Make one there, or correct externalIdField.", m.object.Name, of.Key)
		}
		tested := &TestedType{ObjectType: of.ObjectType, Mapped: []string{}, Unmapped: []string{}}
		for i := range m.def.Fields {
			f := &m.def.Fields[i]
			switch {
			case f.Retired:
			case m.from[f.Name] != "":
				tested.Mapped = append(tested.Mapped, f.Name)
			default:
				tested.Unmapped = append(tested.Unmapped, f.Name)
			}
		}
		t.ObjectTypes = append(t.ObjectTypes, tested)
	}
	return nil
}

// admitted is the connection with an id, for an administrator.
func (s *Service) admitted(ctx context.Context, id string) (*Connection, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	c, err := s.ByID(ctx, id)
	if err != nil {
		return nil, fault.At("input.id", err)
	}
	return c, nil
}

// said is an error of a session in plain words.
func said(err error) string {
	var is *fault.Error
	var limited *connector.LimitedError
	switch {
	case errors.As(err, &is):
		return plain(is.Message)
	case errors.As(err, &limited):
		return "The CRM takes no more calls for now, because its limit is reached. Parley goes on by itself."
	case errors.Is(err, connector.ErrRefused):
		return plain(err.Error())
	}
	// One answer, whatever is at the address: nobody is to explore a network by it.
	return "The CRM cannot be reached, or does not answer as it should. Check the address, and that the server can reach it over the public internet. Parley tries again by itself."
}
