package crmsync

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"parley/ent"
	"parley/ent/crmconnection"
	entsync "parley/ent/crmsync"
	"parley/ent/recordwrite"
	"parley/internal/connector"
	"parley/internal/desk/account"
	"parley/internal/desk/administration"
	"parley/internal/desk/credential"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
	"parley/internal/ground/webhook"
)

// Bounds.
const (
	mostConnections = 50
	mostTypes       = 50
	mostMappings    = 200
	overlap         = 24 * time.Hour // in which a secret before still signs
)

// CreateInput is a new connection, which is paused.
type CreateInput struct {
	Name           string
	Kind           Kind
	ConnectionID   *string // nil for one that is drawn
	Address        *string
	APIVersion     *string
	ObjectTypes    []TypeInput
	Credentials    []account.CredentialInput
	IdempotencyKey string
}

// TypeInput is an object type that comes from a CRM.
type TypeInput struct {
	ObjectType string
	Object     *string // nil for the same name
	Mappings   []connector.Mapping
	// WritesBack has what actions change be written to the CRM; nil for no.
	WritesBack *bool `json:",omitempty"`
	// ExternalIDField is the CRM's field for Parley's id of a record; nil for none.
	ExternalIDField *string `json:",omitempty"`
}

// UpdateInput is what changes of a connection; nil leaves a field as it is.
type UpdateInput struct {
	ID          string
	Name        *string
	Address     *string
	APIVersion  *string
	ObjectTypes []TypeInput
	Credentials []account.CredentialInput
}

// Create makes a connection, once for an idempotency key. One of a webhook comes with its
// secret, which is never shown again.
func (s *Service) Create(ctx context.Context, in CreateInput) (made *Connection, secret *string, err error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, nil, err
	}
	row := &ent.CrmConnection{Kind: string(in.Kind)}
	if in.Kind != Webhook && s.connector(row.Kind) == nil {
		return nil, nil, fault.Input("input.kind", "There is no such kind. Choose one of: %s.", joined(s.Kinds(ctx)))
	}
	change := UpdateInput{Name: &in.Name, Address: in.Address, APIVersion: in.APIVersion, ObjectTypes: in.ObjectTypes, Credentials: in.Credentials}
	set := &credential.Set{}
	if err := s.apply(ctx, &change, row, set); err != nil {
		return nil, nil, err
	}
	if in.ConnectionID != nil {
		if err := account.CheckAccountID("input.connectionId", *in.ConnectionID); err != nil {
			return nil, nil, err
		}
	}
	key, err := administration.Create(ctx, s.Directory, "createCrmConnection", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (int64, error) {
		id, err := free(ctx, tx, row.Name, in.ConnectionID)
		if err != nil {
			return 0, err
		}
		if err := s.alone(ctx, tx, row); err != nil {
			return 0, err
		}
		if secret = nil; in.Kind == Webhook {
			secret = fresh(set)
		}
		sealed, err := set.SealAt(s.Vault, place(id))
		if err != nil {
			return 0, err
		}
		saved, err := tx.Ent.CrmConnection.Create().SetKey(id).SetName(row.Name).SetKind(row.Kind).SetSettings(row.Settings).SetSealed(sealed).SetCreatedAt(tx.Now).Save(ctx)
		if err != nil {
			return 0, err
		}
		return saved.ID, tx.Ent.CrmSync.Create().SetConnectionID(saved.ID).SetProgress([]connector.Progress{}).Exec(viewer.AsSystem(ctx, "sync"))
	})
	if err != nil {
		return nil, nil, err
	}
	made, err = s.byKey(ctx, key)
	return made, secret, err
}

func joined(kinds []Kind) string {
	texts := make([]string, len(kinds))
	for i, k := range kinds {
		texts[i] = string(k)
	}
	return strings.Join(texts, ", ")
}

// fresh gives a webhook's connection another secret.
func fresh(set *credential.Set) *string {
	secret := webhook.NewSecret()
	set.Current, _ = json.Marshal(map[string]string{"secret": secret}) // texts
	return &secret
}

// free is the last element of a new webhook URL, if there is room for a connection.
func free(ctx context.Context, tx *store.Tx, name string, wanted *string) (string, error) {
	rows, err := tx.Ent.CrmConnection.Query().Select(crmconnection.FieldKey, crmconnection.FieldName).All(ctx)
	if err != nil {
		return "", err
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Name
		if wanted != nil && row.Key == *wanted {
			return "", fault.Input("input.connectionId", "Another connection has this. Choose another, or leave it out.")
		}
	}
	if len(rows) >= mostConnections {
		return "", fault.New(fault.LimitExceeded, "The organisation has %d connections, which is the limit. Delete one first.", mostConnections)
	}
	if wanted == nil {
		drawn := strings.ToLower(rand.Text())
		wanted = &drawn
	}
	return *wanted, administration.Unused("input.name", name, names)
}

// Update changes a connection. Nothing happens when nothing changes.
func (s *Service) Update(ctx context.Context, in UpdateInput) (*Connection, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	return s.change(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.CrmConnection) (bool, error) {
		return s.update(ctx, tx, row, &in)
	})
}

func (s *Service) update(ctx context.Context, tx *store.Tx, row *ent.CrmConnection, in *UpdateInput) (bool, error) {
	before := *row
	set, err := credential.UnsealAt(s.Vault, row.Sealed, place(row.Key))
	if err != nil && len(in.Credentials) == 0 && Kind(row.Kind) != Webhook {
		return false, fault.New(fault.Conflict, "The connection's stored credentials cannot be read. Set its credentials too.")
	}
	if err := s.apply(ctx, in, row, &set); err != nil {
		return false, err
	}
	if row.Name == before.Name && administration.Same(row.Settings, before.Settings) && len(in.Credentials) == 0 {
		return false, nil
	}
	if err := cmp.Or(unusedBesides(ctx, tx, row), s.alone(ctx, tx, row)); err != nil {
		return false, err
	}
	update := tx.Ent.CrmConnection.UpdateOneID(row.ID).SetName(row.Name).SetSettings(row.Settings)
	if len(in.Credentials) > 0 {
		sealed, err := set.SealAt(s.Vault, place(row.Key))
		if err != nil {
			return false, err
		}
		update.SetSealed(sealed)
	}
	if err := update.Exec(ctx); err != nil {
		return false, err
	}
	if err := reread(ctx, tx, row.ID, before.Settings, row.Settings); err != nil {
		return false, err
	}
	return true, s.begin(ctx, tx, row.ID)
}

// reread has object types be read from the start that come from elsewhere, or by other
// fields, than before.
func reread(ctx context.Context, tx *store.Tx, key int64, before, after connector.Settings) error {
	ctx = viewer.AsSystem(ctx, "sync")
	row, err := tx.Ent.CrmSync.Query().Where(entsync.ConnectionID(key)).Only(ctx)
	if err != nil {
		return err
	}
	kept := slices.DeleteFunc(slices.Clone(row.Progress), func(p connector.Progress) bool {
		return before.Address != after.Address || !administration.Same(typeIn(before, p.ObjectType).Reads(), typeIn(after, p.ObjectType).Reads())
	})
	if len(kept) == len(row.Progress) {
		return nil
	}
	return tx.Ent.CrmSync.UpdateOne(row).SetProgress(kept).Exec(ctx)
}

// unusedBesides refuses a name that another connection has.
func unusedBesides(ctx context.Context, tx *store.Tx, row *ent.CrmConnection) error {
	others, err := tx.Ent.CrmConnection.Query().Where(crmconnection.IDNEQ(row.ID)).Select(crmconnection.FieldName).Strings(ctx)
	return cmp.Or(err, administration.Unused("input.name", row.Name, others))
}

// alone refuses object types that come from another CRM that is read: that one does not have
// the records of this, so that it would be asked about them and they would be deleted.
func (*Service) alone(ctx context.Context, tx *store.Tx, row *ent.CrmConnection) error {
	if Kind(row.Kind) == Webhook {
		return nil
	}
	others, err := tx.Ent.CrmConnection.Query().Where(crmconnection.IDNEQ(row.ID), crmconnection.KindNEQ(string(Webhook))).All(ctx)
	for _, other := range others {
		for i, t := range row.Settings.Types {
			if slices.ContainsFunc(other.Settings.Types, func(o connector.Type) bool { return o.ObjectType == t.ObjectType }) {
				return fault.Input(fmt.Sprintf("input.objectTypes.%d.objectType", i), "%s comes from %s already. Take it out of one of the two.", t.ObjectType, other.Name)
			}
		}
	}
	return err
}

// begin has a connection be looked at at once, as if it had not failed before.
func (*Service) begin(ctx context.Context, tx *store.Tx, key int64) error {
	return tx.Ent.CrmSync.Update().Where(entsync.ConnectionID(key)).SetDueAt(tx.Now).SetFailures(0).SetProblem("").SetProblemAt(0).Exec(viewer.AsSystem(ctx, "sync"))
}

var versionPattern = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,2})?$`)

// apply changes a row and its credentials, and refuses what cannot work.
func (s *Service) apply(ctx context.Context, in *UpdateInput, row *ent.CrmConnection, set *credential.Set) error {
	if err := administration.CleanNameIn("input.name", &in.Name); err != nil {
		return err
	}
	row.Name = *cmp.Or(in.Name, &row.Name)
	settings := row.Settings
	moved := administration.Differs(in.Address, settings.Address)
	settings.Address = *cmp.Or(in.Address, &settings.Address)
	settings.Version = *cmp.Or(in.APIVersion, &settings.Version)
	if settings.Version != "" && !versionPattern.MatchString(settings.Version) {
		return fault.Input("input.apiVersion", "Give a version such as 62.0.")
	}
	if in.ObjectTypes != nil || settings.Types == nil {
		types, err := s.types(in.ObjectTypes)
		if err != nil {
			return err
		}
		settings.Types = types
	}
	row.Settings = settings
	if Kind(row.Kind) == Webhook {
		return webhookOnly(in)
	}
	return s.applyCalled(ctx, in, row, set, moved)
}

// webhookOnly refuses what a webhook has no use for.
func webhookOnly(in *UpdateInput) error {
	switch {
	case in.Address != nil && *in.Address != "":
		return fault.Input("input.address", "A webhook is called by its CRM, and calls nobody. Leave this out.")
	case in.APIVersion != nil && *in.APIVersion != "":
		return fault.Input("input.apiVersion", "A webhook calls no API. Leave this out.")
	case slices.ContainsFunc(in.ObjectTypes, func(t TypeInput) bool { return t.WritesBack != nil && *t.WritesBack }):
		return fault.Input("input.objectTypes", "A webhook calls no API, so that nothing can be written to its CRM. Leave writesBack out; an action that calls a webhook can tell it.")
	case len(in.Credentials) > 0:
		return fault.Input("input.credentials", "A webhook's secret is drawn. Leave this out; renewCrmConnectionSecret draws another.")
	}
	return nil
}

// applyCalled is apply for a CRM that is called. Whoever changes the address gives the
// credentials too, so that nobody has them sent elsewhere who does not know them.
func (s *Service) applyCalled(ctx context.Context, in *UpdateInput, row *ent.CrmConnection, set *credential.Set, moved bool) error {
	of := s.connector(row.Kind)
	if of == nil {
		return fault.New(fault.Conflict, "This version does not know the kind of the connection. Update Parley.")
	}
	if row.Settings.Address == "" {
		return fault.Input("input.address", "Give the CRM's address, such as https://example.my.salesforce.com.")
	}
	if err := administration.CheckAddress(ctx, "input.address", row.Settings.Address, s.Loopback); err != nil {
		return err
	}
	if len(row.Settings.Types) == 0 {
		return fault.Input("input.objectTypes", "Name at least 1 object type that comes from the CRM.")
	}
	if len(in.Credentials) > 0 || len(set.Current) == 0 || moved {
		document, err := account.Document(of.Kind(), of.CredentialFields(), in.Credentials)
		if err != nil {
			return err
		}
		*set = credential.Set{Current: document}
	}
	if err := of.Check(row.Settings, set.Current); err != nil {
		return fault.Input("input.credentials", "%s", err)
	}
	return nil
}

// Delete removes a connection with what it kept. The records that came by it stay.
func (s *Service) Delete(ctx context.Context, id string) error {
	if err := administration.Admitted(ctx); err != nil {
		return err
	}
	return administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := s.find(ctx, tx, id)
		if err != nil {
			return false, err
		}
		pending, err := tx.Ent.RecordWrite.Query().Where(recordwrite.ConnectionID(row.ID), recordwrite.Open(true)).Exist(viewer.AsSystem(ctx, "sync"))
		if err != nil {
			return false, err
		}
		if pending {
			return false, fault.New(fault.Conflict, "Changes wait to be written to the CRM. Start the connection and wait until pendingWriteCount is 0, or have it write no object type, so that they fail visibly.")
		}
		return true, tx.Ent.CrmConnection.DeleteOne(row).Exec(ctx)
	})
}

// Start has a connection take changes.
func (s *Service) Start(ctx context.Context, id string) (*Connection, error) {
	return s.turn(ctx, id, true)
}

// Pause has a connection take no changes until it is started again: its webhooks are
// answered 503, so that the CRM posts them again, and its CRM is not read.
func (s *Service) Pause(ctx context.Context, id string) (*Connection, error) {
	return s.turn(ctx, id, false)
}

func (s *Service) turn(ctx context.Context, id string, on bool) (*Connection, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	return s.change(ctx, id, func(ctx context.Context, tx *store.Tx, row *ent.CrmConnection) (bool, error) {
		if row.Active == on {
			return false, nil
		}
		if err := tx.Ent.CrmConnection.UpdateOneID(row.ID).SetActive(on).Exec(ctx); err != nil {
			return false, err
		}
		return true, s.begin(ctx, tx, row.ID)
	})
}

// RenewSecret gives a webhook's connection another secret. Webhooks signed by the one
// before are taken for a day.
func (s *Service) RenewSecret(ctx context.Context, id string) (c *Connection, secret *string, err error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, nil, err
	}
	c, err = s.change(ctx, id, func(ctx context.Context, tx *store.Tx, row *ent.CrmConnection) (bool, error) {
		if Kind(row.Kind) != Webhook {
			return false, fault.At("input.id", fault.New(fault.Conflict, "Only a connection of the kind WEBHOOK has a secret. Update its credentials instead."))
		}
		was, _ := credential.UnsealAt(s.Vault, row.Sealed, place(row.Key)) // a lost one is replaced
		set := credential.Set{Previous: was.Current, PreviousUntil: tx.Now.Add(overlap)}
		secret = fresh(&set)
		sealed, err := set.SealAt(s.Vault, place(row.Key))
		if err != nil {
			return false, err
		}
		return true, tx.Ent.CrmConnection.UpdateOneID(row.ID).SetSealed(sealed).Exec(ctx)
	})
	if err != nil {
		return nil, nil, err
	}
	return c, secret, nil
}
