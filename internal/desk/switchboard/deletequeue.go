package switchboard

import (
	"context"
	"fmt"
	"strings"

	"parley/ent"
	entchannel "parley/ent/channel"
	entconversation "parley/ent/conversation"
	entquicktext "parley/ent/quicktext"
	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/desk/journal"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// DeleteQueueInput is a queue to delete.
type DeleteQueueInput struct {
	ID string
	// MoveToID is where its conversations and quick texts go; nil refuses a queue that has any.
	MoveToID *string
	DryRun   *bool
}

// InQueue is what a queue holds.
type InQueue struct{ Conversations, QuickTexts int64 }

const (
	// mostMoved is how many conversations a request moves. An operator's command moves all.
	mostMoved = 2_000
	// movedAtOnce is how many a transaction moves.
	movedAtOnce = 100
)

// DeleteQueue deletes a queue that no channel feeds, and returns what was in it. What is
// in it goes to another queue before, in transactions of its own: cut off, it leaves a
// queue that holds less.
func (s *Service) DeleteQueue(ctx context.Context, in DeleteQueueInput) (*InQueue, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	if err := s.Directory.Refresh(ctx); err != nil { // another process may have changed it just now
		return nil, err
	}
	key, _ := s.IDs.Decode(publicid.Queue, in.ID)
	q := s.Directory.Queue(key)
	if q == nil {
		return nil, fault.At("input.id", fault.Missing("queue"))
	}
	held, err := inQueue(ctx, s.Store.Ent, key)
	if err != nil || in.DryRun != nil && *in.DryRun {
		return &held, err
	}
	if feeding := q.Channels(); len(feeding) > 0 {
		return nil, fedBy(feeding)
	}
	to, err := s.destination(in, held)
	if err != nil {
		return nil, err
	}
	if to != nil {
		if err := s.empty(ctx, key, to.Key); err != nil {
			return nil, err
		}
	}
	if err := s.deleteEmpty(ctx, q, held, to); err != nil {
		return nil, err
	}
	return &held, nil
}

func inQueue(ctx context.Context, client *ent.Client, key int64) (held InQueue, err error) {
	ctx = viewer.AsSystem(ctx, "queues")
	conversations, err := client.Conversation.Query().Where(entconversation.QueueID(key)).Count(ctx)
	if err != nil {
		return held, err
	}
	texts, err := client.QuickText.Query().Where(entquicktext.QueueID(key)).Count(ctx)
	return InQueue{int64(conversations), int64(texts)}, err
}

// mostFeeding is how many channels a refusal names.
const mostFeeding = 5

func fedBy(channels []*directory.Channel) error {
	var names []string
	for _, c := range channels[:min(len(channels), mostFeeding)] {
		names = append(names, c.Name)
	}
	return fault.New(fault.Conflict, "Channels whose new conversations go to this queue: %d, such as %s. Give them another queue, or none, first.", len(channels), strings.Join(names, ", "))
}

// destination is where what a queue holds goes; nil where it holds nothing.
func (s *Service) destination(in DeleteQueueInput, held InQueue) (*directory.Queue, error) {
	if in.MoveToID == nil {
		if held != (InQueue{}) {
			return nil, fault.New(fault.Conflict, "The queue holds conversations: %d, and quick texts: %d. Say by moveToId which queue they go to.", held.Conversations, held.QuickTexts)
		}
		return nil, nil
	}
	key, _ := s.IDs.Decode(publicid.Queue, *in.MoveToID)
	to := s.Directory.Queue(key)
	switch {
	case to == nil:
		return nil, fault.At("input.moveToId", fault.Missing("queue"))
	case *in.MoveToID == in.ID:
		return nil, fault.Input("input.moveToId", "Give another queue than the one that is deleted.")
	}
	return to, nil
}

// empty moves what is in a queue to another.
func (s *Service) empty(ctx context.Context, from, to int64) error {
	operator := viewer.FromContext(ctx).System != ""
	for moved, n := 0, movedAtOnce; n == movedAtOnce; moved += n {
		if moved >= mostMoved && !operator {
			left, err := inQueue(ctx, s.Store.Ent, from)
			if err != nil {
				return err
			}
			if left.Conversations == 0 {
				break
			}
			return fault.New(fault.LimitExceeded, "%d conversations were moved, as many as one request may. There are more: send it again.", moved)
		}
		err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			n, err = s.Conversations.Requeue(ctx, tx, from, to, movedAtOnce)
			return err
		})
		if err != nil {
			return err
		}
	}
	return s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return s.Texts.Requeue(ctx, tx, from, to) })
}

// deleteEmpty deletes a queue that is empty, unless something has come into it meanwhile.
func (s *Service) deleteEmpty(ctx context.Context, q *directory.Queue, held InQueue, to *directory.Queue) error {
	return administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		still, err := inQueue(ctx, tx.Ent, q.Key)
		if err != nil {
			return false, err
		}
		fed, err := tx.Ent.Channel.Query().Where(entchannel.QueueID(q.Key)).Exist(ctx)
		if err != nil {
			return false, err
		}
		if fed || still != (InQueue{}) {
			return false, fault.New(fault.Conflict, "Something came into the queue just now. Try again.")
		}
		if to != nil && held != (InQueue{}) {
			e := journal.Entry{
				Action: journal.Updated, SubjectType: ent.TypeQueue, SubjectKey: q.Key, SubjectName: q.Name,
				Detail: fmt.Sprintf("Its conversations (%d) and quick texts (%d) went to %s.", held.Conversations, held.QuickTexts, to.Name),
			}
			if err := e.Write(ctx, tx); err != nil {
				return false, err
			}
		}
		err = tx.Ent.Queue.DeleteOneID(q.Key).Exec(ctx)
		if ent.IsNotFound(err) {
			err = fault.At("input.id", fault.Missing("queue"))
		}
		return true, err
	})
}
