// Package crmsync brings the records of CRMs to Parley, and what actions change of them back.
// Administrators set up a connection:
// to one whose CRM posts changes, signed, to a webhook, or to one whose API Parley reads by
// a connector. Either way changes go through package crm, each decided by its time in the
// CRM, so that they may come twice and in any order; what cannot be taken is kept with the
// reason and does not affect its neighbours.
package crmsync

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/ent"
	"parley/ent/crmconnection"
	entsync "parley/ent/crmsync"
	"parley/internal/connector"
	"parley/internal/desk/administration"
	"parley/internal/desk/credential"
	"parley/internal/desk/crm"
	"parley/internal/desk/directory"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
	"parley/internal/ground/vault"
	"parley/internal/ground/viewer"
)

// Service has the use cases. All fields but Tests are required.
type Service struct {
	Store      *store.Store
	Directory  *directory.Directory
	IDs        *publicid.Codec
	Vault      *vault.Vault
	Records    *crm.Service
	Connectors []connector.Connector
	PublicURL  func() string
	// Loopback lets connections call this machine and private networks, also unencrypted;
	// for development.
	Loopback bool
	Tests    *quota.Quota // how often an administrator may test; nil for any
	// Changes counts what connections brought; nil counts nothing. Make it with NewChanges.
	Changes *prometheus.CounterVec
	// Writes counts tries to write to CRMs; nil counts nothing. Make it with NewWrites.
	Writes *prometheus.CounterVec
	// Pauses are the times between the tries of a write; action.DefaultPauses by default.
	Pauses []time.Duration
	// CallFor is how long the calls of a try to write may take together; a minute by default.
	CallFor time.Duration
	// Page is how many records of a CRM are read together; 500 by default.
	Page int

	sessions sync.Map // of connections that are read, by key
	writers  sync.Map // of connections that are written to, by key
	writing  sync.Mutex
}

// Kind is what a connection is to.
type Kind string

// The kinds.
const (
	Webhook    Kind = "WEBHOOK"
	Salesforce Kind = "SALESFORCE"
	OtherKind  Kind = "OTHER" // one that only a newer version knows
)

// State is what a connection does.
type State string

// The states.
const (
	Paused     State = "PAUSED"
	CatchingUp State = "CATCHING_UP"
	UpToDate   State = "UP_TO_DATE"
	Failing    State = "FAILING"
)

// Connection is a connection as administrators see it.
type Connection struct {
	Key          int64
	ConnectionID string // the last element of its webhook URL
	Name         string
	IsActive     bool
	CreatedAt    clock.Time
	// Taken and Rejected count changes, ever.
	Taken, Rejected int64
	// PendingWrites and FailedWrites count what is on its way to the CRM and what did not get
	// there, 10,000 at most.
	PendingWrites, FailedWrites int64

	kind                 string
	settings             connector.Settings
	progress             []connector.Progress
	set                  credential.Set
	unreadable           error
	problem              string
	problemAt, changedAt clock.Time
	dueAt                clock.Time
	service              *Service
}

// IsNode marks a GraphQL Node.
func (*Connection) IsNode() {}

// ID is the opaque id.
func (c *Connection) ID() string { return c.service.IDs.Encode(publicid.CrmConnection, c.Key) }

// Kind is what it is to.
func (c *Connection) Kind() Kind {
	if Kind(c.kind) == Webhook || c.service.connector(c.kind) != nil {
		return Kind(c.kind)
	}
	return OtherKind
}

// WebhookURL is where its CRM posts changes; nil for a connection that Parley reads.
func (c *Connection) WebhookURL() *string {
	if Kind(c.kind) != Webhook {
		return nil
	}
	address := c.service.PublicURL() + "/webhooks/crm/" + url.PathEscape(c.ConnectionID)
	return &address
}

// Address is where the CRM is called; empty for a webhook.
func (c *Connection) Address() string { return c.settings.Address }

// APIVersion is the version of the CRM's API; empty for the connector's own.
func (c *Connection) APIVersion() string { return c.settings.Version }

// Fingerprint tells credentials apart; nil when they cannot be read.
func (c *Connection) Fingerprint() *string {
	if c.unreadable != nil {
		return nil
	}
	return table.Optional(c.service.Directory.Fingerprint(c.kind, c.set.Current))
}

// PreviousValidUntil is until when webhooks signed by the secret before are taken; nil when
// there is none.
func (c *Connection) PreviousValidUntil() *clock.Time {
	if len(c.set.Previous) == 0 || c.service.Store.Clock.Now() >= c.set.PreviousUntil {
		return nil
	}
	return &c.set.PreviousUntil
}

// State is what it does.
func (c *Connection) State() State {
	switch {
	case !c.IsActive:
		return Paused
	case c.problem != "" || c.unreadable != nil:
		return Failing
	case Kind(c.kind) == Webhook:
		return UpToDate
	}
	for _, o := range c.ObjectTypes() {
		if o.CaughtUpAt() == nil {
			return CatchingUp
		}
	}
	return UpToDate
}

// LastError is what went wrong last and what to do, in plain words; nil when all is well.
func (c *Connection) LastError() *string {
	switch {
	case errors.Is(c.unreadable, vault.ErrLocked):
		return table.Optional("The key that its credentials are encrypted with is missing. Ask an operator to run parley key list, or set the credentials again.")
	case c.unreadable != nil:
		return table.Optional("Its stored credentials cannot be read. Set them again, or renew the secret.")
	}
	return table.Optional(c.problem)
}

// LastErrorAt is when that was; nil when all is well.
func (c *Connection) LastErrorAt() *clock.Time { return table.Optional(c.problemAt) }

// NextTryAt is when the CRM is read next; nil for a webhook and while paused.
func (c *Connection) NextTryAt() *clock.Time {
	if !c.IsActive || Kind(c.kind) == Webhook {
		return nil
	}
	return table.Optional(c.dueAt)
}

// LastChangeAt is when a change was taken last; nil for never.
func (c *Connection) LastChangeAt() *clock.Time { return table.Optional(c.changedAt) }

// connector is the connector of a kind, nil if this version has none.
func (s *Service) connector(kind string) connector.Connector {
	for _, c := range s.Connectors {
		if c.Kind() == kind {
			return c
		}
	}
	return nil
}

// List are all connections, by name; none for a viewer who is no administrator.
func (s *Service) List(ctx context.Context) ([]*Connection, error) {
	return s.connections(ctx, s.Store.Ent.CrmConnection.Query())
}

// ByKey reads connections by key, as far as the viewer of ctx sees them.
func (s *Service) ByKey(ctx context.Context, keys []int64) (map[int64]*Connection, error) {
	list, err := s.connections(ctx, s.Store.Ent.CrmConnection.Query().Where(crmconnection.IDIn(keys...)))
	found := make(map[int64]*Connection, len(list))
	for _, c := range list {
		found[c.Key] = c
	}
	return found, err
}

// ByID reads a connection: NOT_FOUND where there is none, and for a viewer who is no
// administrator.
func (s *Service) ByID(ctx context.Context, id string) (*Connection, error) {
	key, _ := s.IDs.Decode(publicid.CrmConnection, id)
	return s.byKey(ctx, key)
}

func (s *Service) byKey(ctx context.Context, key int64) (*Connection, error) {
	found, err := s.ByKey(ctx, []int64{key})
	if err == nil && found[key] == nil {
		err = fault.Missing("connection")
	}
	return found[key], err
}

func (s *Service) connections(ctx context.Context, query *ent.CrmConnectionQuery) ([]*Connection, error) {
	if !rule.Administers(viewer.FromContext(ctx)) {
		return []*Connection{}, nil
	}
	rows, err := query.Order(crmconnection.ByName(), crmconnection.ByID()).All(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]int64, len(rows))
	for i, row := range rows {
		keys[i] = row.ID
	}
	syncs, err := s.Store.Ent.CrmSync.Query().Where(entsync.ConnectionIDIn(keys...)).All(viewer.AsSystem(ctx, "progress of connections that the viewer has"))
	if err != nil {
		return nil, err
	}
	list := make([]*Connection, len(rows))
	for i, row := range rows {
		list[i] = s.connection(row)
		if at := slices.IndexFunc(syncs, func(x *ent.CrmSync) bool { return x.ConnectionID == row.ID }); at >= 0 {
			list[i].add(syncs[at])
		}
	}
	return list, s.countWrites(ctx, list)
}

func (s *Service) connection(row *ent.CrmConnection) *Connection {
	c := &Connection{
		Key: row.ID, ConnectionID: row.Key, Name: row.Name, IsActive: row.Active, CreatedAt: row.CreatedAt,
		kind: row.Kind, settings: row.Settings, service: s,
	}
	c.set, c.unreadable = credential.UnsealAt(s.Vault, row.Sealed, place(row.Key))
	return c
}

// add adds how far a connection has come.
func (c *Connection) add(x *ent.CrmSync) {
	c.progress, c.dueAt, c.changedAt, c.Taken, c.Rejected = x.Progress, x.DueAt, x.ChangedAt, x.Taken, x.Rejected
	c.problem, c.problemAt = x.Problem, x.ProblemAt
}

// secrets are those that sign its webhooks, newest first.
func (c *Connection) secrets(now clock.Time) (secrets []string) {
	for _, document := range []json.RawMessage{c.set.Current, c.set.Previous} {
		var held struct{ Secret string }
		if len(document) == 0 || json.Unmarshal(document, &held) != nil || held.Secret == "" {
			continue
		}
		if len(secrets) == 0 || now < c.set.PreviousUntil {
			secrets = append(secrets, held.Secret)
		}
	}
	return secrets
}

// place binds what is sealed to its table, column and row.
func place(connectionID string) string { return "crm_connections/sealed/" + connectionID }

// Kinds are what connections can be to, with what each asks for; none for a viewer who is
// no administrator.
func (s *Service) Kinds(ctx context.Context) []Kind {
	if !rule.Administers(viewer.FromContext(ctx)) {
		return nil
	}
	kinds := []Kind{Webhook}
	for _, c := range s.Connectors {
		kinds = append(kinds, Kind(c.Kind()))
	}
	return kinds
}

// find is the row with an id, for a change.
func (s *Service) find(ctx context.Context, tx *store.Tx, id string) (*ent.CrmConnection, error) {
	key, _ := s.IDs.Decode(publicid.CrmConnection, id)
	row, err := tx.Ent.CrmConnection.Get(ctx, key)
	if ent.IsNotFound(err) {
		return nil, fault.At("input.id", fault.Missing("connection"))
	}
	return row, err
}

// change changes the connection with an id.
func (s *Service) change(ctx context.Context, id string, do func(context.Context, *store.Tx, *ent.CrmConnection) (bool, error)) (*Connection, error) {
	var key int64
	err := administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := s.find(ctx, tx, id)
		if err != nil {
			return false, err
		}
		key = row.ID
		return do(ctx, tx, row)
	})
	if err != nil {
		return nil, err
	}
	return s.byKey(ctx, key)
}
