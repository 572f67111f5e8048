package switchboard

import (
	"cmp"
	"context"
	"fmt"

	"parley/ent"
	entchannel "parley/ent/channel"
	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/component"
	"parley/internal/desk/directory"
	"parley/internal/desk/message"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// CreateChannelInput is a new channel.
type CreateChannelInput struct {
	ProviderAccountID string
	Type              channel.Type
	Address           string
	Name              string
	DeveloperName     *string
	Country           *string
	QueueID           *string
	RequiredConsent   *channel.Consent
	MemberIDs         []string
	Limits            *channel.SendLimits
	IdempotencyKey    string
}

// UpdateChannelInput is what changes of a channel; a nil field stays as it is.
type UpdateChannelInput struct {
	ID              string
	Name            *string
	DeveloperName   *string              // empty for none
	QueueID         *string              // empty for no queue
	RequiredConsent *channel.Consent     // empty for none
	Limits          *channel.SendLimits  // in place of those it has
	AutoResponses   []component.Response // in place of those it has; nil leaves them
}

// DeactivateChannelInput names a channel to deactivate, or to see what that would do.
type DeactivateChannelInput struct {
	ID     string
	DryRun *bool // nil for false
}

// CreateChannel makes an active channel, once for an idempotency key.
func (s *Service) CreateChannel(ctx context.Context, in CreateChannelInput) (*directory.Channel, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	at, name, required, err := s.checkNew(&in)
	if err != nil {
		return nil, err
	}
	account, err := s.account(in.ProviderAccountID, in.Type)
	if err != nil {
		return nil, err
	}
	key, err := administration.Create(ctx, s.Directory, "createChannel", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (int64, error) {
		create := tx.Ent.Channel.Create().SetProviderAccountID(account.ID).SetType(at.kind).SetAddress(at.address).SetCountry(at.country).
			SetName(name).SetNillableDeveloperName(in.DeveloperName).SetRequiredConsent(required).SetCreatedAt(tx.Now)
		if in.Limits != nil {
			create.SetSendLimits(*in.Limits)
		}
		return s.create(ctx, tx, create, at, &in)
	})
	if err != nil {
		return nil, err
	}
	return s.channel(key)
}

// checkNew returns place, name and required consent as they are stored.
func (s *Service) checkNew(in *CreateChannelInput) (at place, name string, required channel.Consent, err error) {
	if name, err = administration.CleanName("input.name", in.Name); err != nil {
		return at, "", "", err
	}
	if at, err = placeOf(in.Type, in.Address, in.Country, s.Directory.Organization()); err != nil {
		return at, "", "", err
	}
	if required = leastConsent(in.Type); in.RequiredConsent != nil {
		required = *in.RequiredConsent
	}
	return at, name, required, cmp.Or(checkDeveloperName(in.DeveloperName), checkConsent(in.Type, required), checkLimits(in.Limits))
}

// Check refuses what can become no channel of a new account at a carrier, and writes
// nothing.
func (s *Service) Check(in CreateChannelInput, provider string) error {
	at, _, _, err := s.checkNew(&in)
	if err == nil {
		err = carries(provider, s.Providers[provider], in.Type)
	}
	if err != nil {
		return err
	}
	var channels []*ent.Channel
	for _, c := range s.Directory.Channels() {
		row := &ent.Channel{ProviderAccountID: c.Account.ID, Name: c.Name, Type: c.Type, Address: c.Address, Active: c.IsActive}
		if own := c.CountryCode(); own != nil {
			row.Country = *own
		}
		channels = append(channels, row)
	}
	return cmp.Or(administration.Room(len(channels), mostChannels, "channels"), at.free(0, channels))
}

func carries(name string, provider channel.Provider, t channel.Type) error {
	switch {
	case provider == nil:
		return fault.Input("input.providerAccountId", "This account has no carrier that this version knows. Choose another account.")
	case !channel.Carries(provider, t):
		return fault.Input("input.type", "The carrier %s has no channels of type %s. Choose another type or account.", name, t)
	}
	return nil
}

func (s *Service) create(ctx context.Context, tx *store.Tx, create *ent.ChannelCreate, at place, in *CreateChannelInput) (int64, error) {
	channels, err := tx.Ent.Channel.Query().All(ctx)
	if err != nil {
		return 0, err
	}
	account, _ := create.Mutation().ProviderAccountID()
	name, _ := create.Mutation().DeveloperName()
	if err := cmp.Or(administration.Room(len(channels), mostChannels, "channels"), at.free(account, channels), unusedDeveloperName(name, channels)); err != nil {
		return 0, err
	}
	members, err := s.agentKeys(ctx, tx, "input.memberIds", in.MemberIDs)
	if err != nil {
		return 0, err
	}
	if in.QueueID != nil {
		queue, err := s.queueKey(ctx, tx, *in.QueueID)
		if err != nil {
			return 0, err
		}
		create.SetQueueID(queue)
	}
	row, err := create.AddMemberIDs(members...).Save(ctx)
	if err != nil {
		return 0, err
	}
	return row.ID, nil
}

// account finds a provider account that carries channels of type t.
func (s *Service) account(id string, t channel.Type) (*directory.Account, error) {
	const field = "input.providerAccountId"
	key, _ := s.IDs.Decode(publicid.Account, id)
	account := s.Directory.AccountBy(key)
	if account == nil {
		return nil, fault.At(field, fault.Missing("provider account"))
	}
	return account, carries(account.Provider, s.Providers[account.Provider], t)
}

// UpdateChannel changes a channel. Nothing happens when nothing changes.
func (s *Service) UpdateChannel(ctx context.Context, in UpdateChannelInput) (*directory.Channel, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	if err := cmp.Or(administration.CleanNameIn("input.name", &in.Name), checkDeveloperName(in.DeveloperName), checkLimits(in.Limits)); err != nil {
		return nil, err
	}
	if err := s.checkResponses(ctx, &in); err != nil {
		return nil, err
	}
	return s.change(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.Channel) (bool, error) {
		return s.update(ctx, tx, row, &in)
	})
}

// checkResponses refuses what the channel cannot say by itself.
func (s *Service) checkResponses(ctx context.Context, in *UpdateChannelInput) error {
	key, _ := s.IDs.Decode(publicid.Channel, in.ID)
	ch := s.Directory.Channel(key)
	if ch == nil { // the write says so
		return nil
	}
	if err := component.CheckResponses(ch.Capabilities(), in.AutoResponses); err != nil {
		return err
	}
	for i := range in.AutoResponses {
		if r := &in.AutoResponses[i]; r.ComponentID != nil {
			if err := s.Composer.CheckResponse(ctx, fmt.Sprintf("input.autoResponses.%d", i), r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) update(ctx context.Context, tx *store.Tx, row *ent.Channel, in *UpdateChannelInput) (changed bool, err error) {
	update := tx.Ent.Channel.UpdateOne(row).SetNillableName(in.Name)
	changed = administration.Differs(in.Name, row.Name)
	if administration.Differs(in.DeveloperName, row.DeveloperName) {
		others, err := tx.Ent.Channel.Query().Where(entchannel.IDNEQ(row.ID)).All(ctx)
		if err == nil {
			err = unusedDeveloperName(*in.DeveloperName, others)
		}
		if err != nil {
			return false, err
		}
		changed = true
		update.SetDeveloperName(*in.DeveloperName)
	}
	if administration.Differs(in.RequiredConsent, row.RequiredConsent) {
		if err := checkConsent(row.Type, *in.RequiredConsent); err != nil {
			return false, err
		}
		changed = true
		update.SetRequiredConsent(*in.RequiredConsent)
	}
	if administration.Differs(in.Limits, row.SendLimits) {
		changed = true
		update.SetSendLimits(*in.Limits)
		if before := row.SendLimits.PerSecond; before > 0 && before != in.Limits.PerSecond {
			tx.Enqueue(message.RepaceChannel{ChannelID: row.ID}, nil)
		}
	}
	if len(in.AutoResponses)+len(row.AutoResponses) > 0 && in.AutoResponses != nil && !administration.Same(in.AutoResponses, row.AutoResponses) {
		changed = true
		update.SetAutoResponses(in.AutoResponses)
	}
	moved, err := s.move(ctx, tx, row, update, in.QueueID)
	if err != nil || !changed && !moved {
		return false, err
	}
	return true, update.Exec(ctx)
}

// move sends new conversations to another queue, or to none for the empty id.
func (s *Service) move(ctx context.Context, tx *store.Tx, row *ent.Channel, update *ent.ChannelUpdateOne, id *string) (changes bool, err error) {
	switch {
	case id == nil:
		return false, nil
	case *id == "":
		update.ClearQueue()
		return row.QueueID != nil, nil
	}
	queue, err := s.queueKey(ctx, tx, *id)
	update.SetQueueID(queue)
	return row.QueueID == nil || *row.QueueID != queue, err
}

// AddChannelMembers lets agents send from a channel. Those who may keep that.
func (s *Service) AddChannelMembers(ctx context.Context, in MembersInput) (*directory.Channel, error) {
	return s.changeMembers(ctx, in, join)
}

// RemoveChannelMembers keeps agents from starting conversations from a channel.
func (s *Service) RemoveChannelMembers(ctx context.Context, in MembersInput) (*directory.Channel, error) {
	return s.changeMembers(ctx, in, leave)
}

func (s *Service) changeMembers(ctx context.Context, in MembersInput, do func(update *ent.ChannelUpdateOne, agents, members []int64) (changes bool)) (*directory.Channel, error) {
	if err := cmp.Or(administration.Admitted(ctx), in.check()); err != nil {
		return nil, err
	}
	return s.change(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.Channel) (bool, error) {
		agents, members, err := s.members(ctx, tx, in, row.QueryMembers())
		update := tx.Ent.Channel.UpdateOne(row)
		if err != nil || !do(update, agents, members) {
			return false, err
		}
		return true, update.Exec(ctx)
	})
}

// ActivateChannel lets messages be sent from a channel again.
func (s *Service) ActivateChannel(ctx context.Context, id string) (*directory.Channel, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	return s.change(ctx, id, func(ctx context.Context, tx *store.Tx, row *ent.Channel) (bool, error) {
		if row.Active {
			return false, nil
		}
		others, err := tx.Ent.Channel.Query().Where(entchannel.IDNEQ(row.ID), entchannel.Address(row.Address)).All(ctx)
		if err != nil {
			return false, err
		}
		at := place{row.Type, row.Address, row.Country}
		if err := at.free(row.ProviderAccountID, others); err != nil {
			return false, fault.At("input.id", err)
		}
		return true, tx.Ent.Channel.UpdateOne(row).SetActive(true).Exec(ctx)
	})
}

// DeactivateChannel keeps messages from being sent from a channel, and returns how many
// wait to be sent from it: they fail. A dry run changes nothing.
func (s *Service) DeactivateChannel(ctx context.Context, in DeactivateChannelInput) (*directory.Channel, int64, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, 0, err
	}
	var unsent int64
	c, err := s.change(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.Channel) (_ bool, err error) {
		if unsent, err = message.Unsent(ctx, tx, row.ID); err != nil || !row.Active || in.DryRun != nil && *in.DryRun {
			return false, err
		}
		return true, tx.Ent.Channel.UpdateOne(row).SetActive(false).Exec(ctx)
	})
	return c, unsent, err
}

// change changes the channel with an id.
func (s *Service) change(ctx context.Context, id string, do func(context.Context, *store.Tx, *ent.Channel) (changed bool, err error)) (*directory.Channel, error) {
	key, _ := s.IDs.Decode(publicid.Channel, id)
	err := administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := tx.Ent.Channel.Get(ctx, key)
		if ent.IsNotFound(err) {
			return false, fault.At("input.id", fault.Missing("channel"))
		}
		if err != nil {
			return false, err
		}
		return do(ctx, tx, row)
	})
	if err != nil {
		return nil, err
	}
	return s.channel(key)
}

// channel is the channel as colleagues see it now.
func (s *Service) channel(key int64) (*directory.Channel, error) {
	if c := s.Directory.Channel(key); c != nil {
		return c, nil
	}
	return nil, fault.Missing("channel")
}
