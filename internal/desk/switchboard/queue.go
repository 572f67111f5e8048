package switchboard

import (
	"cmp"
	"context"

	"parley/ent"
	entqueue "parley/ent/queue"
	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// CreateQueueInput is a new queue.
type CreateQueueInput struct {
	Name           string
	MemberIDs      []string
	IdempotencyKey string
}

// UpdateQueueInput is what changes of a queue; a nil field stays as it is.
type UpdateQueueInput struct {
	ID   string
	Name *string
}

// CreateQueue makes a queue, once for an idempotency key.
func (s *Service) CreateQueue(ctx context.Context, in CreateQueueInput) (*directory.Queue, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	name, err := administration.CleanName("input.name", in.Name)
	if err != nil {
		return nil, err
	}
	key, err := administration.Create(ctx, s.Directory, "createQueue", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (int64, error) {
		names, err := tx.Ent.Queue.Query().Select(entqueue.FieldName).Strings(ctx)
		if err != nil {
			return 0, err
		}
		if err := cmp.Or(administration.Room(len(names), mostQueues, "queues"), administration.Unused("input.name", name, names)); err != nil {
			return 0, err
		}
		members, err := s.agentKeys(ctx, tx, "input.memberIds", in.MemberIDs)
		if err != nil {
			return 0, err
		}
		row, err := tx.Ent.Queue.Create().SetName(name).AddMemberIDs(members...).Save(ctx)
		if err != nil {
			return 0, err
		}
		return row.ID, nil
	})
	if err != nil {
		return nil, err
	}
	return s.queue(ctx, key)
}

// UpdateQueue renames a queue. Nothing happens when nothing changes.
func (s *Service) UpdateQueue(ctx context.Context, in UpdateQueueInput) (*directory.Queue, error) {
	if err := cmp.Or(administration.Admitted(ctx), administration.CleanNameIn("input.name", &in.Name)); err != nil {
		return nil, err
	}
	return s.changeQueue(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.Queue) (bool, error) {
		if !administration.Differs(in.Name, row.Name) {
			return false, nil
		}
		others, err := tx.Ent.Queue.Query().Where(entqueue.IDNEQ(row.ID)).Select(entqueue.FieldName).Strings(ctx)
		if err == nil {
			err = administration.Unused("input.name", *in.Name, others)
		}
		if err != nil {
			return false, err
		}
		return true, tx.Ent.Queue.UpdateOne(row).SetName(*in.Name).Exec(ctx)
	})
}

// AddQueueMembers lets agents work a queue. Those who do go on.
func (s *Service) AddQueueMembers(ctx context.Context, in MembersInput) (*directory.Queue, error) {
	return s.changeQueueMembers(ctx, in, join)
}

// RemoveQueueMembers keeps agents from a queue and what waits in it.
func (s *Service) RemoveQueueMembers(ctx context.Context, in MembersInput) (*directory.Queue, error) {
	return s.changeQueueMembers(ctx, in, leave)
}

func (s *Service) changeQueueMembers(ctx context.Context, in MembersInput, do func(update *ent.QueueUpdateOne, agents, members []int64) (changes bool)) (*directory.Queue, error) {
	if err := cmp.Or(administration.Admitted(ctx), in.check()); err != nil {
		return nil, err
	}
	return s.changeQueue(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.Queue) (bool, error) {
		agents, members, err := s.members(ctx, tx, in, row.QueryMembers())
		update := tx.Ent.Queue.UpdateOne(row)
		if err != nil || !do(update, agents, members) {
			return false, err
		}
		return true, update.Exec(ctx)
	})
}

// changeQueue changes the queue with an id.
func (s *Service) changeQueue(ctx context.Context, id string, do func(context.Context, *store.Tx, *ent.Queue) (changed bool, err error)) (*directory.Queue, error) {
	key, _ := s.IDs.Decode(publicid.Queue, id)
	err := administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := tx.Ent.Queue.Get(ctx, key)
		if ent.IsNotFound(err) {
			return false, fault.At("input.id", fault.Missing("queue"))
		}
		if err != nil {
			return false, err
		}
		return do(ctx, tx, row)
	})
	if err != nil {
		return nil, err
	}
	return s.queue(ctx, key)
}

// queueKey is the key of an existing queue by its id.
func (s *Service) queueKey(ctx context.Context, tx *store.Tx, id string) (int64, error) {
	key, _ := s.IDs.Decode(publicid.Queue, id)
	exists, err := tx.Ent.Queue.Query().Where(entqueue.ID(key)).Exist(ctx)
	if err == nil && !exists {
		err = fault.At("input.queueId", fault.Missing("queue"))
	}
	return key, err
}

// queue is the queue as its members see it now.
func (s *Service) queue(ctx context.Context, key int64) (*directory.Queue, error) {
	return administration.Find(ctx, s.Directory, "queue", func() *directory.Queue { return s.Directory.Queue(key) })
}
