package conversation_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"

	"parley/ent"
	"parley/ent/messaginguser"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/merge"
	"parley/internal/desk/message"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// worker does a desk's work at random: customers write, agents send, note, read,
// mark unread and assign, customers are merged and separated, and memberships change.
type worker struct {
	w    *world
	name string
	rng  *rand.Rand
	step int
	// customers is how many there are; each writes to each number in turn.
	customers int
}

func (k *worker) key() string {
	k.step++
	return fmt.Sprint(k.name, "-", k.step)
}

// do does one thing. A refusal is as good as a success.
func (k *worker) do() error {
	err := k.any()
	var f *fault.Error
	var refused *message.RefusedError
	if errors.As(err, &f) && f.Code != fault.Internal || errors.As(err, &refused) {
		return nil
	}
	return err
}

func (k *worker) any() error {
	switch n := k.rng.IntN(24); {
	case n < 7:
		return k.receive()
	case n < 11:
		return k.send()
	case n < 12:
		return k.note()
	case n < 15:
		return k.mark()
	case n < 19:
		return k.assign()
	case n < 22:
		return k.merge()
	case n < 23:
		return k.unmerge()
	}
	return k.membership()
}

// receive posts a signed inbound, sometimes of somebody who wrote to another
// number before.
func (k *worker) receive() error {
	to := []string{parleytest.Sales, parleytest.Direct, parleytest.Support, number(0), number(3), number(5)}
	key := k.key()
	req := k.w.Inbound(channel.Inbound{
		EventID: key, ProviderID: key, Text: key, To: to[k.rng.IntN(len(to))],
		From: fmt.Sprintf("+1202555%04d", 100+k.rng.IntN(k.customers)),
	})
	if answer := k.w.Answer(req); answer.Code != http.StatusOK {
		return fmt.Errorf("webhook: %d %s", answer.Code, answer.Body)
	}
	return nil
}

// agent is one of the agents, as they are now.
func (k *worker) agent() context.Context {
	names := []string{"amy", "bo", "cy", "sue", "ada"}
	v, err := k.w.Directory.Viewer(names[k.rng.IntN(len(names))])
	if err != nil {
		panic(err)
	}
	return viewer.NewContext(context.Background(), v)
}

// conversations are a few of those the agent sees.
func (k *worker) conversations(ctx context.Context) ([]string, error) {
	page, err := k.w.Conversations.List(ctx, conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: 50}, conversation.Selected{})
	if err != nil || len(page.Nodes) == 0 {
		return nil, err
	}
	var ids []string
	for range 1 + k.rng.IntN(4) {
		ids = append(ids, page.Nodes[k.rng.IntN(len(page.Nodes))].ID())
	}
	return ids, nil
}

func (k *worker) send() error {
	ctx := k.agent()
	ids, err := k.conversations(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	_, err = k.w.Messenger.Send(ctx, message.SendInput{
		ConversationID: ids[0], Text: "Yes", IdempotencyKey: k.key(), ConfirmForOwner: k.rng.IntN(4) == 0,
	})
	return err
}

func (k *worker) note() error {
	ctx := k.agent()
	ids, err := k.conversations(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	_, err = k.w.Messenger.AddNote(ctx, message.NoteInput{ConversationID: ids[0], Text: "Note", IdempotencyKey: k.key()})
	return err
}

func (k *worker) mark() error {
	ctx := k.agent()
	ids, err := k.conversations(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	confirmed := k.rng.IntN(2) == 0
	if k.rng.IntN(2) == 0 {
		_, err = k.w.Conversations.MarkUnread(ctx, ids, confirmed)
		return err
	}
	var items []*conversation.MarkItem
	for _, id := range ids {
		items = append(items, &conversation.MarkItem{ID: id})
	}
	_, err = k.w.Conversations.MarkRead(ctx, items, confirmed)
	return err
}

func (k *worker) assign() error {
	ctx := k.agent()
	ids, err := k.conversations(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	to := []string{"amy", "bo", "cy", "dee", "sue", ""}[k.rng.IntN(6)]
	if to == "" {
		_, err = k.w.Conversations.Assign(ctx, ids, nil)
		return err
	}
	_, err = k.w.Conversations.Assign(ctx, ids, ptr(k.w.Conversations.IDs.Encode(publicid.Agent, k.w.agent[to])))
	return err
}

// merge merges two customers of one channel.
func (k *worker) merge() error {
	ctx := k.w.Context("ada")
	page, err := k.w.Conversations.List(ctx, conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: 50}, conversation.Selected{})
	if err != nil || len(page.Nodes) == 0 {
		return err
	}
	one, other := page.Nodes[k.rng.IntN(len(page.Nodes))], page.Nodes[k.rng.IntN(len(page.Nodes))]
	_, err = k.w.Schema.Merger.Merge(ctx, merge.Input{IDs: []string{k.user(one.MessagingUserID), k.user(other.MessagingUserID)}, IdempotencyKey: k.key()})
	return err
}

func (k *worker) user(key int64) string {
	return k.w.Conversations.IDs.Encode(publicid.MessagingUser, key)
}

// unmerge separates one of those who were merged into others.
func (k *worker) unmerge() error {
	keys, err := k.w.Store.Ent.MessagingUser.Query().Where(messaginguser.MergedIntoNotNil()).IDs(system())
	if err != nil || len(keys) == 0 {
		return err
	}
	_, err = k.w.Schema.Merger.Unmerge(k.w.Context("ada"), k.user(keys[k.rng.IntN(len(keys))]))
	return err
}

// membership gives dee a number and a queue, or takes them away.
func (k *worker) membership() error {
	return k.w.Directory.Change(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		update := tx.Ent.Agent.UpdateOneID(k.w.agent["dee"]).ClearChannels().ClearQueues()
		if k.rng.IntN(2) == 0 {
			update = tx.Ent.Agent.UpdateOneID(k.w.agent["dee"]).ClearChannels().AddChannelIDs(k.w.numbers[5]).AddQueueIDs(k.w.second)
		}
		err := update.Exec(ctx)
		if ent.IsConstraintError(err) {
			return fault.New(fault.Conflict, "dee is in the queue already")
		}
		return err
	})
}
