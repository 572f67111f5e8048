package staff

import (
	"cmp"
	"context"

	"parley/ent/agent"
	entchannel "parley/ent/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// CreateServiceInput is a new service account.
type CreateServiceInput struct {
	Username         string
	Name             string
	PermissionSetIDs []string
	ChannelIDs       []string
	IdempotencyKey   string
}

// CreateServiceAccount makes an active service account, once for an idempotency key. It
// has the role STANDARD, and what sets and channels add.
func (s *Service) CreateServiceAccount(ctx context.Context, in CreateServiceInput) (*directory.Agent, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	name, err := administration.CleanName("input.name", in.Name)
	if err = cmp.Or(checkUsername("input.username", in.Username), err); err != nil {
		return nil, err
	}
	key, err := administration.Create(ctx, s.Directory, "createServiceAccount", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (int64, error) {
		if err := vacant(ctx, tx, in.Username); err != nil {
			return 0, err
		}
		sets, err := s.setKeys(ctx, tx, in.PermissionSetIDs)
		if err != nil {
			return 0, err
		}
		channels, err := s.channelKeys(ctx, tx, in.ChannelIDs)
		if err != nil {
			return 0, err
		}
		v := viewer.FromContext(ctx)
		if err := cmp.Or(mayGive(ctx, viewer.Standard.Defaults()), s.mayGiveSets(ctx, tx, sets), administration.SeesAll(v, channels, nil)); err != nil {
			return 0, err
		}
		row, err := tx.Ent.Agent.Create().SetUsername(in.Username).SetName(name).SetRole(viewer.Standard).SetKind(viewer.Service).
			AddPermissionSetIDs(sets...).AddChannelIDs(channels...).SetCreatedAt(tx.Now).Save(ctx)
		if err != nil {
			return 0, err
		}
		return row.ID, nil
	})
	if err != nil {
		return nil, err
	}
	return s.agent(ctx, key)
}

// ServiceAccounts are all service accounts, by name; none for a viewer who is no
// administrator.
func (s *Service) ServiceAccounts(ctx context.Context) []*directory.Agent {
	if !rule.Administers(viewer.FromContext(ctx)) {
		return []*directory.Agent{}
	}
	return s.Directory.ServiceAccounts()
}

// vacant refuses one agent more than there may be, and a username that is taken.
func vacant(ctx context.Context, tx *store.Tx, username string) error {
	usernames, err := tx.Ent.Agent.Query().Select(agent.FieldUsername).Strings(ctx)
	if err != nil {
		return err
	}
	return cmp.Or(administration.Room(len(usernames), mostAgents, "agents"), administration.Unused("input.username", username, usernames))
}

// channelKeys are the keys of channels by their ids, each once and ascending.
func (s *Service) channelKeys(ctx context.Context, tx *store.Tx, ids []string) ([]int64, error) {
	keys, err := administration.Keys(s.IDs, publicid.Channel, "input.channelIds", ids)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	n, err := tx.Ent.Channel.Query().Where(entchannel.IDIn(keys...)).Count(ctx)
	if err == nil && n < len(keys) {
		err = fault.At("input.channelIds", fault.Missing("channel"))
	}
	return keys, err
}
