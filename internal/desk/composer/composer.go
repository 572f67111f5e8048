// Package composer has the use cases of messaging components: administrators design them,
// and agents prepare them for a customer, look at them and send them. What a design may
// say, and how it is filled in, package component knows.
//
// A component has versions that never change. Preparing does all reading at once and
// freezes what it read in a sealed token; previews and sends are pure over that.
package composer

import (
	"context"

	"parley/ent"
	"parley/ent/componentversion"
	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/object"
	"parley/internal/desk/picture"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
	"parley/internal/ground/vault"
	"parley/internal/ground/webhook"
)

// Service is the use cases. All fields are required.
type Service struct {
	Store         *store.Store
	Directory     *directory.Directory
	IDs           *publicid.Codec
	Cursors       *feed.Cursors
	Conversations *conversation.Service
	Records       *crm.Service
	Pictures      *picture.Service
	Providers     map[string]channel.Provider // by name
	Vault         *vault.Vault
	// Call posts to a provider; it is bounded in time, and reaches what it may.
	Call webhook.Caller
	// Local lets providers be on this machine, for development.
	Local bool
	// Calls is how often a component's provider is asked, by the component's key; nil for
	// any.
	Calls *quota.Callers
}

// Component is one as it was read.
type Component struct {
	Key                              int64
	Name, DeveloperName, Description string
	Version                          int
	IsArchived, IsUsed               bool
	CreatedAt, UpdatedAt             clock.Time

	kind    component.Kind
	service *Service
}

// IsNode marks a GraphQL Node.
func (*Component) IsNode() {}

// ID is the opaque id.
func (c *Component) ID() string { return c.service.IDs.Encode(publicid.Component, c.Key) }

// Kind is what it is for.
func (c *Component) Kind() component.Kind { return c.kind.Known() }

func (s *Service) of(row *ent.Component) *Component {
	return &Component{
		Key: row.ID, Name: row.Name, DeveloperName: row.DeveloperName, Description: row.Description, Version: row.Version,
		IsArchived: row.Archived, IsUsed: row.Used, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, kind: component.Kind(row.Kind), service: s,
	}
}

// Designs are what the newest versions of components say, in one statement.
func (s *Service) Designs(ctx context.Context, of []*Component) ([]*Design, error) {
	keys, newest := make([]int64, len(of)), make(map[int64]int, len(of))
	for i, c := range of {
		keys[i], newest[c.Key] = c.Key, c.Version
	}
	rows, err := s.Store.Ent.ComponentVersion.Query().Where(componentversion.ComponentIDIn(keys...), isNewest).All(ctx)
	found := make(map[int64]*Design, len(rows))
	for _, row := range rows {
		found[row.ComponentID] = (*Design)(row.Design)
	}
	out := make([]*Design, len(of))
	for i, c := range of {
		if out[i] = found[c.Key]; out[i] == nil && err == nil {
			return nil, fault.Missing("component") // deleted in between
		}
	}
	return out, err
}

// Images are the images of the file store that designs use, in one statement.
func (s *Service) Images(ctx context.Context, of []*Design) ([][]*picture.Image, error) {
	used := make([][]component.Used, len(of))
	for i, d := range of {
		used[i] = (*component.Design)(d).Images()
	}
	return s.Pictures.Of(ctx, used)
}

// version reads what the newest version of a component says.
func (s *Service) version(ctx context.Context, client *ent.Client, key int64, number int) (*component.Design, error) {
	row, err := client.ComponentVersion.Query().Where(componentversion.ComponentID(key), componentversion.Number(number)).Only(ctx)
	if err != nil {
		return nil, err
	}
	return row.Design, nil
}

// types are the object types as designs know them.
func (s *Service) types() component.Types {
	return func(name string) *object.Definition { return s.Directory.Definition(name) }
}
