// Package objecttype is the administration of the types of CRM records: which fields they
// have, and which of these conversations use. What a definition may say, package object
// knows; package administration says how every change is made.
//
// Agents see the object types whose records their permission sets let them read, with the
// fields that they may read. Administrators and holders of MANAGE_RECORDS see all.
package objecttype

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	entobject "parley/ent/objecttype"
	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/desk/object"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Service has the use cases. All fields are required.
type Service struct {
	Directory *directory.Directory
	IDs       *publicid.Codec

	// Reindex enqueues, in the transaction of a changed definition, the work that reads
	// the records of the object type with the name again.
	Reindex func(ctx context.Context, tx *store.Tx, name string) error
}

// ObjectType is an object type as a viewer sees it.
type ObjectType struct {
	ID          string
	Name        string
	Label       string
	PluralLabel string
	Icon        string
	Description string
	Access      object.Access // the viewer's, to its records
	Fields      []*Field      // in the order of the definition
	Messaging   *Messaging
	Related     []object.Mapping // those whose every step the viewer may read
}

// IsNode marks a GraphQL Node.
func (*ObjectType) IsNode() {}

// Field is a field as a viewer sees it.
type Field struct {
	object.Field

	Access object.Access // the viewer's
}

// FieldKind is the kind, OTHER for one that only a newer version knows.
func (f *Field) FieldKind() object.Kind { return f.Kind.Known() }

// Messaging is the messaging configuration as a viewer sees it. Fields that they may not
// read are nil, or left out.
type Messaging struct {
	Name, Owner, Country, OptedOut, OptedIn *string
	Phones                                  []*Phone
}

// Phone is a field of phone numbers.
type Phone struct {
	Field        string
	ChannelTypes []channel.Type // empty for every type
}

// ObjectTypes are those that the viewer of ctx sees, by name.
func (s *Service) ObjectTypes(ctx context.Context) []*ObjectType {
	v, types := viewer.FromContext(ctx), []*ObjectType{}
	for _, t := range s.Directory.ObjectTypes() {
		if seen := s.seen(v, t); seen != nil {
			types = append(types, seen)
		}
	}
	return types
}

// Named is the object type with a name, as the CRM writes it; NOT_FOUND if the viewer of
// ctx sees none.
func (s *Service) Named(ctx context.Context, name string) (*ObjectType, error) {
	t, err := administration.Find(ctx, s.Directory, "object type", func() *directory.ObjectType { return s.Directory.ObjectType(name) })
	if err != nil {
		return nil, err
	}
	return s.one(ctx, t)
}

// ByKey is the object type with a key; NOT_FOUND if the viewer of ctx sees none.
func (s *Service) ByKey(ctx context.Context, key int64) (*ObjectType, error) {
	return s.one(ctx, s.Directory.ObjectTypeByKey(key))
}

func (s *Service) one(ctx context.Context, t *directory.ObjectType) (*ObjectType, error) {
	if t != nil {
		if seen := s.seen(viewer.FromContext(ctx), t); seen != nil {
			return seen, nil
		}
	}
	return nil, fault.Missing("object type")
}

// seen is an object type as v sees it, nil if they do not.
func (s *Service) seen(v *viewer.Viewer, t *directory.ObjectType) *ObjectType {
	rights, all := s.Directory.RecordRights(v), rule.Defines(v)
	access := rights.Object(t.Name).Known()
	if !all && !access.Includes(object.Read) {
		return nil
	}
	seen := &ObjectType{
		ID: t.ID, Name: t.Name, Label: t.Label, PluralLabel: cmp.Or(t.PluralLabel, t.Label), Icon: t.Icon, Description: t.Description,
		Access: access, Fields: []*Field{}, Related: []object.Mapping{},
	}
	readable := map[string]bool{}
	for i := range t.Fields {
		f := &t.Fields[i]
		access := rights.Field(&t.Definition, f).Known()
		if all || access.Includes(object.Read) {
			readable[f.Name] = true
			seen.Fields = append(seen.Fields, &Field{*f, access})
		}
	}
	seen.Messaging = messagingOf(&t.Messaging, readable)
	for _, m := range t.Related {
		if all || rights.Walks(m.Path, s.Directory.Definition) {
			seen.Related = append(seen.Related, m)
		}
	}
	return seen
}

func messagingOf(m *object.Messaging, readable map[string]bool) *Messaging {
	field := func(name string) *string {
		if !readable[name] {
			return nil
		}
		return &name
	}
	seen := &Messaging{
		Name: field(m.Name), Owner: field(m.Owner), Country: field(m.Country), OptedOut: field(m.OptedOut), OptedIn: field(m.OptedIn), Phones: []*Phone{},
	}
	for _, p := range m.Phones {
		if !readable[p.Field] {
			continue
		}
		phone := &Phone{Field: p.Field, ChannelTypes: []channel.Type{}}
		for _, t := range p.ChannelTypes {
			phone.ChannelTypes = append(phone.ChannelTypes, t.Known())
		}
		seen.Phones = append(seen.Phones, phone)
	}
	return seen
}

// Install writes the standard object types of whose names there is none. It changes no
// definition that is there.
func Install(ctx context.Context, s *store.Store) error {
	ctx = viewer.AsSystem(ctx, "standard object types")
	standard := object.Standard()
	names := make([]string, len(standard))
	for i, d := range standard {
		names[i] = d.Name
	}
	have, err := s.Ent.ObjectType.Query().Where(entobject.NameIn(names...)).Count(ctx)
	if err != nil || have == len(standard) {
		return err
	}
	return s.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, d := range standard {
			if err := install(ctx, tx, d); err != nil {
				return fmt.Errorf("write the standard object type %s: %w", d.Name, err)
			}
		}
		return nil
	})
}

func install(ctx context.Context, tx *store.Tx, d *object.Definition) error {
	fields, err := json.Marshal(d.Fields)
	if err != nil {
		return err
	}
	messaging, err := json.Marshal(d.Messaging)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, tx.Builder().Insert("object_types").
		Columns("name", "label", "plural_label", "icon", "description", "fields", "messaging").
		Values(d.Name, d.Label, d.PluralLabel, d.Icon, d.Description, string(fields), string(messaging)).
		OnConflict(entsql.ConflictColumns("name"), entsql.DoNothing()))
	return err
}
