package composer

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"parley/ent"
	entcomponent "parley/ent/component"
	"parley/ent/componentversion"
	"parley/internal/channel"
	"parley/internal/desk/action"
	"parley/internal/desk/administration"
	"parley/internal/desk/component"
	"parley/internal/desk/journal"
	"parley/internal/ground/fault"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
	"parley/internal/ground/word"
)

const mostDescription = 1000

// CreateInput is a new component.
type CreateInput struct {
	Name, DeveloperName string

	Kind           component.Kind
	Description    *string
	Design         component.Design
	IdempotencyKey string
}

// UpdateInput is what changes of a component; a nil field stays as it is.
type UpdateInput struct {
	ID          string
	Name        *string
	Description *string
	Design      *component.Design
	IsArchived  *bool
}

// CloneInput is a component to copy.
type CloneInput struct{ ID, Name, DeveloperName, IdempotencyKey string }

// Create makes a component, once for an idempotency key.
func (s *Service) Create(ctx context.Context, in CreateInput) (*Component, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	text := description(in.Description)
	if err := cmp.Or(clean(&in.Name, &text), in.check(), s.checked(ctx, in.Kind, &in.Design)); err != nil {
		return nil, err
	}
	return s.create(ctx, "createComponent", in.IdempotencyKey, in, func(context.Context, *store.Tx) (*CreateInput, error) {
		in.Description = &text
		return &in, nil
	})
}

// Clone makes a component that says what another says, once for an idempotency key.
func (s *Service) Clone(ctx context.Context, in CloneInput) (*Component, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	key, _ := s.IDs.Decode(publicid.Component, in.ID)
	if err := cmp.Or(clean(&in.Name, nil), component.CheckName("input.developerName", in.DeveloperName)); err != nil {
		return nil, err
	}
	return s.create(ctx, "cloneComponent", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (*CreateInput, error) {
		row, err := held(ctx, tx, key)
		if err != nil {
			return nil, err
		}
		d, err := s.version(ctx, tx.Ent, key, row.Version)
		if err != nil {
			return nil, err
		}
		if err := s.checked(ctx, component.Kind(row.Kind), d); err != nil {
			return nil, err
		}
		return &CreateInput{Name: in.Name, DeveloperName: in.DeveloperName, Kind: component.Kind(row.Kind), Description: &row.Description, Design: *d}, nil
	})
}

func (in *CreateInput) check() error {
	if in.Kind.Known() == channel.OtherComponent {
		return fault.Input("input.kind", "There is no kind %q of components.", in.Kind)
	}
	return component.CheckName("input.developerName", in.DeveloperName)
}

func (s *Service) create(ctx context.Context, mutation, key string, in any, make func(context.Context, *store.Tx) (*CreateInput, error)) (*Component, error) {
	if err := idempotency.CheckKey(key); err != nil {
		return nil, err
	}
	var made int64
	err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		ctx = journal.Within(ctx, tx)
		made, _, err = idempotency.Do(ctx, tx, mutation, key, in, func() (int64, error) {
			c, err := make(ctx, tx)
			if err != nil {
				return 0, err
			}
			return s.insert(ctx, tx, c)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	found, err := s.ByKey(ctx, []int64{made})
	if err == nil && found[made] == nil {
		return nil, fault.Missing("component") // a repeat, and it was deleted in between
	}
	return found[made], err
}

func (s *Service) insert(ctx context.Context, tx *store.Tx, in *CreateInput) (int64, error) {
	n, err := tx.Ent.Component.Query().Count(ctx)
	if err != nil {
		return 0, err
	}
	if n >= component.MostComponents {
		return 0, fault.New(fault.LimitExceeded, "The organisation has %d components, which is the limit. Delete one that was never used, or change an archived one.", n)
	}
	taken, err := tx.Ent.Component.Query().Where(entcomponent.DeveloperNameEqualFold(in.DeveloperName)).Select(entcomponent.FieldDeveloperName).Strings(ctx)
	if err != nil {
		return 0, err
	}
	if err := administration.Unused("input.developerName", in.DeveloperName, taken); err != nil {
		return 0, err
	}
	row, err := tx.Ent.Component.Create().SetName(in.Name).SetNameKey(word.Title(in.Name)).SetDeveloperName(in.DeveloperName).SetKind(string(in.Kind)).
		SetDescription(*in.Description).SetVersion(1).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	if err != nil {
		return 0, err
	}
	return row.ID, s.add(ctx, tx, row.ID, 1, &in.Design)
}

// add adds a version, and notes the images that it uses.
func (s *Service) add(ctx context.Context, tx *store.Tx, key int64, number int, d *component.Design) error {
	if err := s.Pictures.Use(viewer.AsSystem(ctx, "components"), tx, key, d.Images()); err != nil {
		return err
	}
	return tx.Ent.ComponentVersion.Create().SetComponentID(key).SetNumber(number).SetDesign(d).
		SetAuthorID(viewer.FromContext(ctx).AgentID).SetCreatedAt(tx.Now).Exec(viewer.AsSystem(ctx, "components"))
}

// Update changes a component. Nothing happens when nothing changes.
func (s *Service) Update(ctx context.Context, in UpdateInput) (*Component, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	if err := clean(in.Name, in.Description); err != nil {
		return nil, err
	}
	key, _ := s.IDs.Decode(publicid.Component, in.ID)
	err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		ctx = journal.Within(ctx, tx)
		row, err := held(ctx, tx, key)
		if err != nil {
			return err
		}
		if in.IsArchived != nil && *in.IsArchived {
			if err := s.unsaid(in.ID); err != nil {
				return err
			}
		}
		version, err := s.revise(ctx, tx, row, in.Design)
		if err != nil {
			return err
		}
		if version == row.Version && !administration.Differs(in.Name, row.Name) && !administration.Differs(in.Description, row.Description) && !administration.Differs(in.IsArchived, row.Archived) {
			return nil
		}
		update := tx.Ent.Component.UpdateOne(row).SetVersion(version).SetNillableName(in.Name).SetNillableDescription(in.Description).
			SetNillableArchived(in.IsArchived).SetUpdatedAt(tx.Now)
		if in.Name != nil {
			update.SetNameKey(word.Title(*in.Name))
		}
		return update.Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, in.ID)
}

// revise adds a version that says something else, and returns the number of the newest.
func (s *Service) revise(ctx context.Context, tx *store.Tx, row *ent.Component, d *component.Design) (int, error) {
	if d == nil {
		return row.Version, nil
	}
	if err := s.checked(ctx, component.Kind(row.Kind), d); err != nil {
		return 0, err
	}
	before, err := s.version(ctx, tx.Ent, row.ID, row.Version)
	if err != nil || administration.Same(before, d) {
		return row.Version, err
	}
	if err := s.stillSaid(row, d); err != nil {
		return 0, err
	}
	return row.Version + 1, s.add(ctx, tx, row.ID, row.Version+1, d)
}

// Delete removes a component of which no message was made, with its versions, and returns
// its id.
func (s *Service) Delete(ctx context.Context, id string) (*string, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	key, _ := s.IDs.Decode(publicid.Component, id)
	err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := held(ctx, tx, key)
		if err != nil {
			return err
		}
		if row.Used {
			return errUsed
		}
		if err := s.unsaid(id); err != nil {
			return err
		}
		versions := tx.Ent.ComponentVersion.Delete().Where(componentversion.ComponentID(key))
		if _, err := versions.Exec(viewer.AsSystem(ctx, "components")); err != nil {
			return err
		}
		err = tx.Ent.Component.DeleteOne(row).Where(entcomponent.Used(false)).Exec(journal.Within(ctx, tx))
		if ent.IsNotFound(err) { // it was sent at the same time
			return errUsed
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &id, nil
}

var errUsed = fault.New(fault.Conflict, "Messages were made of this component, so it stays. Archive it instead.")

// held reads a component to change.
func held(ctx context.Context, tx *store.Tx, key int64) (*ent.Component, error) {
	row, err := tx.Ent.Component.Get(ctx, key)
	if ent.IsNotFound(err) {
		return nil, fault.At("input.id", fault.Missing("component"))
	}
	return row, err
}

// checked makes the texts of a design fit for storage, and refuses one that no component
// of the kind can have.
func (s *Service) checked(ctx context.Context, kind component.Kind, d *component.Design) error {
	d.Clean()
	for i := range d.Translations {
		locale, err := administration.CleanLocale(fmt.Sprintf("input.design.translations.%d.locale", i), d.Translations[i].Locale)
		if err == nil && locale == "" {
			err = fault.Input(fmt.Sprintf("input.design.translations.%d.locale", i), "Give a language tag, such as de.")
		}
		if err != nil {
			return err
		}
		d.Translations[i].Locale = locale
	}
	if err := d.Check(kind, s.types()); err != nil {
		return err
	}
	if d.Options != nil && d.Options.ProviderURL != "" {
		return action.CheckWebhookURL("input.design.options.providerUrl", "The provider", d.Options.ProviderURL, s.Local)
	}
	if kind != component.AutoResponse {
		return nil
	}
	compiled, err := d.Compile(kind, s.types())
	if err != nil {
		return err
	}
	return s.within(ctx, compiled)
}

func description(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// clean makes a name and a description fit for storage, those that there are.
func clean(name, description *string) error {
	if name != nil {
		cleaned, err := administration.CleanName("input.name", *name)
		if err != nil {
			return err
		}
		*name = cleaned
	}
	if description == nil {
		return nil
	}
	*description = strings.TrimSpace(channel.CleanText(*description))
	if n := utf8.RuneCountInString(*description); n > mostDescription {
		return fault.Input("input.description", "Use at most %d characters, not %d.", mostDescription, n)
	}
	return nil
}
