package crmaction

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/ent"
	"parley/ent/crmaction"
	"parley/internal/channel"
	"parley/internal/desk/action"
	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
	"parley/internal/ground/webhook"
)

// CreateInput is a new action.
type CreateInput struct {
	Name, DeveloperName string

	Performs       action.Kind
	Type           action.Mode
	Description    *string
	IsActive       *bool
	ObjectTypes    []string
	Parameters     []action.Parameter
	Trigger        *action.Trigger
	Conditions     []action.Condition
	IdempotencyKey string
}

// UpdateInput is what changes of an action; a nil field stays as it is.
type UpdateInput struct {
	ID          string
	Name        *string
	Description *string
	IsActive    *bool
	ObjectTypes []string
	Parameters  []action.Parameter
	Trigger     *action.Trigger
	Conditions  []action.Condition
}

// Create defines an action, once for an idempotency key. One that calls a webhook comes
// with the secret that its calls are signed with, which is never shown again.
func (s *Service) Create(ctx context.Context, in CreateInput) (made *CrmAction, secret *string, err error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, nil, err
	}
	d := &action.Definition{DeveloperName: in.DeveloperName, Kind: in.Performs, Mode: in.Type, Active: true}
	change := UpdateInput{
		Name: &in.Name, Description: in.Description, IsActive: in.IsActive, ObjectTypes: in.ObjectTypes,
		Parameters: in.Parameters, Trigger: in.Trigger, Conditions: in.Conditions,
	}
	if err := cmp.Or(change.clean(), s.apply(ctx, &change, d)); err != nil {
		return nil, nil, err
	}
	key, err := administration.Create(ctx, s.Directory, "createCrmAction", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (int64, error) {
		names, err := tx.Ent.CrmAction.Query().Select(crmaction.FieldDeveloperName).Strings(ctx)
		if err != nil {
			return 0, err
		}
		if err := cmp.Or(administration.Room(len(names), action.MostActions, "actions"), administration.Unused("input.developerName", d.DeveloperName, names)); err != nil {
			return 0, err
		}
		create := tx.Ent.CrmAction.Create().SetName(d.Name).SetDeveloperName(d.DeveloperName).SetPerforms(string(d.Kind)).SetType(string(d.Mode)).
			SetDescription(d.Description).SetActive(d.Active).SetObjectTypes(d.ObjectTypes).SetParameters(d.Parameters).
			SetTrigger(string(d.Trigger)).SetConditions(d.Conditions)
		if secret = nil; d.Kind == action.CallWebhook {
			fresh := webhook.NewSecret()
			sealed, err := webhook.Secrets{Current: fresh}.Seal(s.Vault, place(d.DeveloperName))
			if err != nil {
				return 0, err
			}
			create.SetSealed(sealed)
			secret = &fresh
		}
		row, err := create.Save(ctx)
		if err != nil {
			return 0, err
		}
		return row.ID, nil
	})
	if err != nil {
		return nil, nil, err
	}
	made, err = s.ByKey(ctx, key)
	return made, secret, err
}

// Update changes an action. Nothing happens when nothing changes.
func (s *Service) Update(ctx context.Context, in UpdateInput) (*CrmAction, error) {
	if err := cmp.Or(administration.Admitted(ctx), in.clean()); err != nil {
		return nil, err
	}
	return s.change(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.CrmAction) (bool, error) {
		before := directory.ActionOf(row)
		d := before
		if err := s.apply(ctx, &in, &d); err != nil || administration.Same(&d, &before) {
			return false, err
		}
		return true, tx.Ent.CrmAction.UpdateOne(row).SetName(d.Name).SetDescription(d.Description).SetActive(d.Active).
			SetObjectTypes(d.ObjectTypes).SetParameters(d.Parameters).SetTrigger(string(d.Trigger)).SetConditions(d.Conditions).Exec(ctx)
	})
}

// change changes an action by its id, as do says.
func (s *Service) change(ctx context.Context, id string, do func(context.Context, *store.Tx, *ent.CrmAction) (bool, error)) (*CrmAction, error) {
	key, _ := s.IDs.Decode(publicid.CrmAction, id)
	err := administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := tx.Ent.CrmAction.Get(ctx, key)
		if ent.IsNotFound(err) {
			return false, fault.At("input.id", fault.Missing("action"))
		}
		if err != nil {
			return false, err
		}
		return do(ctx, tx, row)
	})
	if err != nil {
		return nil, err
	}
	return s.ByKey(ctx, key)
}

var errNotTheirs = fault.New(fault.Forbidden, "A trigger runs an AUTOMATIC action for whoever defined it, so it may read and write only what you may: you lack rights on some of these records or fields. Ask an administrator who holds MANAGE_RECORDS.")

// apply changes a definition, whose texts are clean, for the administrator of ctx. An
// action that is switched off needs nothing to be right.
func (s *Service) apply(ctx context.Context, in *UpdateInput, d *action.Definition) error {
	administration.Set(&d.Name, in.Name)
	administration.Set(&d.Description, in.Description)
	administration.Set(&d.Active, in.IsActive)
	administration.Set(&d.Trigger, in.Trigger)
	setList(&d.ObjectTypes, in.ObjectTypes)
	setList(&d.Parameters, in.Parameters)
	setList(&d.Conditions, in.Conditions)
	if !d.Active && in.IsActive != nil && in.ID != "" {
		return nil
	}
	if err := d.Check(s.Directory.Defined, s.Local); err != nil {
		return err
	}
	if d.Mode == action.Automatic && !d.Within(s.Directory.RecordRights(viewer.FromContext(ctx)), s.Directory.Defined) {
		return errNotTheirs
	}
	return nil
}

// setList replaces a list if there is another, and leaves none nil.
func setList[T any](is *[]T, to []T) {
	if to != nil || *is == nil {
		*is = append([]T{}, to...)
	}
}

// clean makes the texts fit for storage.
func (in *UpdateInput) clean() error {
	if err := administration.CleanNameIn("input.name", &in.Name); err != nil {
		return err
	}
	if in.Description != nil {
		clean, err := cleanText("input.description", *in.Description, object.MostText)
		if err != nil {
			return err
		}
		in.Description = &clean
	}
	for _, list := range []struct {
		field string
		n     int
		most  int
	}{
		{"objectTypes", len(in.ObjectTypes), action.MostTypes},
		{"parameters", len(in.Parameters), action.MostParameters},
		{"conditions", len(in.Conditions), action.MostConditions},
	} {
		if list.n > list.most {
			return fault.Input("input."+list.field, "Give at most %d, not %d.", list.most, list.n)
		}
	}
	return in.cleanLists()
}

func (in *UpdateInput) cleanLists() (err error) {
	in.Parameters = slices.Clone(in.Parameters)
	for i := range in.Parameters {
		at, p := fmt.Sprintf("input.parameters.%d", i), &in.Parameters[i]
		if p.Label, err = administration.CleanName(at+".label", p.Label); err != nil {
			return err
		}
		if p.Value, err = cleanText(at+".value", p.Value, action.MostValue); err != nil {
			return err
		}
	}
	in.Conditions = slices.Clone(in.Conditions)
	for i := range in.Conditions {
		c := &in.Conditions[i]
		if c.Value, err = cleanText(fmt.Sprintf("input.conditions.%d.value", i), c.Value, action.MostValue); err != nil {
			return err
		}
		if c.Path, err = cleanText(fmt.Sprintf("input.conditions.%d.field", i), c.Path, action.MostValue); err != nil {
			return err
		}
	}
	return nil
}

func cleanText(at, text string, most int) (string, error) {
	clean := strings.TrimSpace(channel.CleanText(text))
	if n := utf8.RuneCountInString(clean); n > most {
		return "", fault.Input(at, "Use at most %d characters, not %d.", most, n)
	}
	return clean, nil
}
