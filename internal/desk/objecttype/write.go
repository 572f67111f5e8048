package objecttype

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/ent"
	entobject "parley/ent/objecttype"
	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// mostIcon is how many characters the name of an icon has.
const mostIcon = 80

// CreateInput is a new object type.
type CreateInput struct {
	Name           string
	Label          string
	PluralLabel    *string
	Icon           *string
	Description    *string
	Fields         []object.Field
	Messaging      *object.Messaging
	Related        []object.Mapping
	IdempotencyKey string
}

// UpdateInput is what changes of an object type; a nil field stays as it is.
type UpdateInput struct {
	ID          string
	Label       *string
	PluralLabel *string
	Icon        *string
	Description *string
	Fields      []object.Field    // to change, or to add; those that are not named stay
	Messaging   *object.Messaging // in place of what it is
	Related     []object.Mapping  // in place of what they are; none of them for an empty list
}

// Create defines an object type, once for an idempotency key.
func (s *Service) Create(ctx context.Context, in CreateInput) (*ObjectType, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	update := UpdateInput{Label: &in.Label, PluralLabel: in.PluralLabel, Icon: in.Icon, Description: in.Description, Fields: in.Fields, Messaging: in.Messaging, Related: in.Related}
	d := &object.Definition{Name: in.Name, Fields: []object.Field{}}
	if err := cmp.Or(update.clean(), update.apply(d, s.Directory.Definitions())); err != nil {
		return nil, err
	}
	key, err := administration.Create(ctx, s.Directory, "createObjectType", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (int64, error) {
		names, err := tx.Ent.ObjectType.Query().Select(entobject.FieldName).Strings(ctx)
		if err != nil {
			return 0, err
		}
		if err := cmp.Or(administration.Room(len(names), object.MostTypes, "object types"), administration.Unused("input.name", d.Name, names)); err != nil {
			return 0, err
		}
		row, err := tx.Ent.ObjectType.Create().SetName(d.Name).SetLabel(d.Label).SetPluralLabel(d.PluralLabel).SetIcon(d.Icon).
			SetDescription(d.Description).SetFields(d.Fields).SetMessaging(d.Messaging).SetRelated(d.Related).Save(ctx)
		if err != nil {
			return 0, err
		}
		return row.ID, nil
	})
	if err != nil {
		return nil, err
	}
	return s.ByKey(ctx, key)
}

// Update changes an object type. Nothing happens when nothing changes.
func (s *Service) Update(ctx context.Context, in UpdateInput) (*ObjectType, error) {
	if err := cmp.Or(administration.Admitted(ctx), in.clean()); err != nil {
		return nil, err
	}
	key, _ := s.IDs.Decode(publicid.ObjectType, in.ID)
	err := administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := tx.Ent.ObjectType.Get(ctx, key)
		if ent.IsNotFound(err) {
			return false, fault.At("input.id", fault.Missing("object type"))
		}
		if err != nil {
			return false, err
		}
		return s.update(ctx, tx, row, &in)
	})
	if err != nil {
		return nil, err
	}
	return s.ByKey(ctx, key)
}

func (s *Service) update(ctx context.Context, tx *store.Tx, row *ent.ObjectType, in *UpdateInput) (bool, error) {
	before := directory.Definition(row)
	d := before.Clone()
	if err := in.apply(d, s.Directory.Definitions()); err != nil {
		return false, err
	}
	if same(d, &before) {
		return false, nil
	}
	if err := s.checkRevealed(ctx, d, &before); err != nil {
		return false, err
	}
	if d.Reindexes(&before) {
		if err := s.Reindex(ctx, tx, row.Name); err != nil {
			return false, err
		}
	}
	return true, tx.Ent.ObjectType.UpdateOne(row).SetLabel(d.Label).SetPluralLabel(d.PluralLabel).SetIcon(d.Icon).
		SetDescription(d.Description).SetFields(d.Fields).SetMessaging(d.Messaging).SetRelated(d.Related).Exec(ctx)
}

// checkRevealed refuses to open a sensitive field to others by whoever may not read it.
func (s *Service) checkRevealed(ctx context.Context, d, before *object.Definition) error {
	rights := s.Directory.RecordRights(viewer.FromContext(ctx))
	for i := range before.Fields {
		if f := &before.Fields[i]; f.Sensitive && !d.Fields[i].Sensitive && !rights.Field(before, f).Includes(object.Read) {
			return &fault.Error{
				Code: fault.Forbidden, Field: "input.fields",
				Message: fmt.Sprintf("You may not read the sensitive field %q, so you cannot open it to others. Ask someone who may read it.", f.Name),
			}
		}
	}
	return nil
}

// same compares definitions as they are stored.
func same(a, b *object.Definition) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// apply changes a definition, whose texts are clean. The other object types are as this
// process knows them: what mappings may name never goes away.
func (in *UpdateInput) apply(d *object.Definition, types map[string]*object.Definition) error {
	for _, text := range []struct{ to, from *string }{
		{&d.Label, in.Label}, {&d.PluralLabel, in.PluralLabel}, {&d.Icon, in.Icon}, {&d.Description, in.Description},
	} {
		if text.from != nil {
			*text.to = *text.from
		}
	}
	if err := d.Amend(in.Fields); err != nil {
		return err
	}
	if in.Messaging != nil {
		d.Messaging = *in.Messaging
		d.Messaging.Phones = slices.Clone(in.Messaging.Phones)
	}
	if err := d.Check(); err != nil || in.Related == nil {
		return err
	}
	d.Related = make([]object.Mapping, len(in.Related))
	for i, m := range in.Related {
		d.Related[i] = object.Mapping{Label: m.Label, Path: slices.Clone(m.Path)}
	}
	types[d.Name] = d
	return d.CheckMappings(types)
}

// clean makes the texts fit for storage.
func (in *UpdateInput) clean() error {
	if len(in.Fields) > object.MostFields {
		return fault.Input("input.fields", "Give at most %d fields, not %d.", object.MostFields, len(in.Fields))
	}
	err := cmp.Or(
		administration.CleanNameIn("input.label", &in.Label), cleanText("input.pluralLabel", &in.PluralLabel, object.MostLabel),
		cleanText("input.icon", &in.Icon, mostIcon), cleanText("input.description", &in.Description, object.MostText))
	if err != nil {
		return err
	}
	in.Fields = slices.Clone(in.Fields)
	for i := range in.Fields {
		if err := cleanField(fmt.Sprintf("input.fields.%d", i), &in.Fields[i]); err != nil {
			return err
		}
	}
	return in.cleanMappings()
}

func (in *UpdateInput) cleanMappings() (err error) {
	in.Related = slices.Clone(in.Related)
	for i := range in.Related {
		m := &in.Related[i]
		if m.Label, err = administration.CleanName(fmt.Sprintf("input.relatedConversationMappings.%d.label", i), m.Label); err != nil {
			return err
		}
	}
	return nil
}

func cleanField(at string, f *object.Field) (err error) {
	if f.Label, err = administration.CleanName(at+".label", f.Label); err != nil {
		return err
	}
	description := &f.Description
	if err := cleanText(at+".description", &description, object.MostText); err != nil {
		return err
	}
	f.Description, f.Currency = *description, strings.ToUpper(f.Currency)
	if n := len(f.Choices); n > object.MostChoices {
		return fault.Input(at+".choices", "Give at most %d choices, not %d.", object.MostChoices, n)
	}
	f.Choices = slices.Clone(f.Choices)
	for i, choice := range f.Choices {
		if f.Choices[i], err = administration.CleanName(fmt.Sprintf("%s.choices.%d", at, i), choice); err != nil {
			return err
		}
	}
	return nil
}

// cleanText makes a text fit for storage that an input may leave out, or leave empty.
func cleanText(at string, text **string, most int) error {
	if *text == nil {
		return nil
	}
	clean := strings.TrimSpace(channel.CleanText(**text))
	if n := utf8.RuneCountInString(clean); n > most {
		return fault.Input(at, "Use at most %d characters, not %d.", most, n)
	}
	*text = &clean
	return nil
}
