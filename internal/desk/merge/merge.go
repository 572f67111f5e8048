// Package merge makes one customer of two messaging users of a channel, and undoes it.
//
// A merge moves nothing. The messaging user with the lower key wins, whichever was named
// first; the other, and whoever was merged into them before, are marked as merged into
// the winner. Their conversations stay where they are, with their messages, and are read
// as earlier stretches of the winner's (package conversation). What carriers bring for
// their identifiers goes on in the winner's conversation.
package merge

import (
	"cmp"
	"context"
	"slices"
	"time"

	"parley/ent"
	"parley/ent/messaginguser"
	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/conversation"
	"parley/internal/desk/journal"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Service has the use cases. All fields are required.
type Service struct {
	Store         *store.Store
	IDs           *publicid.Codec
	Conversations *conversation.Service
}

// Undoable is how long after a merge it can be undone.
const Undoable = 30 * 24 * time.Hour

// Input names the two messaging users to merge, in either order.
type Input struct {
	IDs            []string
	IdempotencyKey string
}

// Merge makes one customer of two, and returns whom both are now. Two who are one
// already stay as they are.
func (s *Service) Merge(ctx context.Context, in Input) (*conversation.MessagingUser, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	if err := idempotency.CheckKey(in.IdempotencyKey); err != nil {
		return nil, err
	}
	if len(in.IDs) != 2 || in.IDs[0] == in.IDs[1] {
		return nil, fault.Input("input.ids", "Give the ids of 2 different messaging users.")
	}
	in.IDs = slices.Sorted(slices.Values(in.IDs)) // in either order it is the same request
	var winner int64
	err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		winner, _, err = idempotency.Do(ctx, tx, "mergeMessagingUsers", in.IdempotencyKey, in, func() (int64, error) {
			return s.merge(ctx, tx, in)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.user(ctx, winner)
}

// user reads whom the viewer of ctx has just changed.
func (s *Service) user(ctx context.Context, key int64) (*conversation.MessagingUser, error) {
	users, err := s.Conversations.Users(ctx, []int64{key})
	if err == nil && users[key] == nil {
		err = fault.Missing("messaging user")
	}
	return users[key], err
}

func (s *Service) merge(ctx context.Context, tx *store.Tx, in Input) (int64, error) {
	var both [2]*ent.MessagingUser
	for i, id := range in.IDs {
		u, err := s.named(ctx, tx, "input.ids", id)
		if err != nil {
			return 0, err
		}
		both[i] = u
	}
	if both[0].ChannelID != both[1].ChannelID {
		return 0, fault.Input("input.ids", "These messaging users are on different channels. Give two of the same channel.")
	}
	if err := oneAtATime(ctx, tx, both[0].ChannelID); err != nil {
		return 0, err
	}
	winner, err := s.party(ctx, tx, both[0])
	if err != nil {
		return 0, err
	}
	loser, err := s.party(ctx, tx, both[1])
	switch {
	case err != nil:
		return 0, err
	case winner.user.ID == loser.user.ID:
		return winner.user.ID, nil
	case winner.user.ID > loser.user.ID:
		winner, loser = loser, winner
	}
	if len(winner.others)+len(loser.others)+1 > conversation.MostMerged {
		return 0, fault.New(fault.Conflict, "At most %d messaging users can be merged into one. Undo a merge first.", conversation.MostMerged)
	}
	if err := s.Conversations.Merge(ctx, tx, winner.thread, loser.thread, in.IdempotencyKey); err != nil {
		return 0, err
	}
	own, loserOwn := winner.ownConsent(), loser.ownConsent()
	loser.user.ConsentStatus = loserOwn
	winner.others = append(append(winner.others, loser.user), loser.others...)
	if err := winner.setConsent(ctx, tx, own); err != nil {
		return 0, err
	}
	if err := join(viewer.AsSystem(ctx, "merge"), tx, winner.user, loser.user, loserOwn); err != nil {
		return 0, err
	}
	into := nameOf(winner.user)
	return winner.user.ID, note(ctx, tx, journal.Merged, loser.user, rule.Change{After: &into, Gained: []int64{winner.user.ID}})
}

// join points the loser, and those who were merged into them, to the winner.
func join(ctx context.Context, tx *store.Tx, winner, loser *ent.MessagingUser, loserOwn channel.Consent) error {
	err := tx.Ent.MessagingUser.UpdateOne(loser).SetMergedInto(winner.ID).SetMergedWith(winner.ID).SetMergedAt(tx.Now).
		SetConsentStatus(loserOwn).SetOwnConsent("").Exec(ctx)
	if err != nil {
		return err
	}
	err = tx.Ent.MessagingUser.Update().Where(messaginguser.MergedInto(loser.ID)).SetMergedInto(winner.ID).Exec(ctx)
	if err != nil || winner.MergedAt == 0 {
		return err
	}
	return tx.Ent.MessagingUser.UpdateOneID(winner.ID).SetMergedAt(0).Exec(ctx) // its own undone merge is past now
}

// note writes to the audit what became of a messaging user's being merged into another.
func note(ctx context.Context, tx *store.Tx, action journal.Action, u *ent.MessagingUser, change rule.Change) error {
	change.Field, change.Of = "mergedInto", subjectType
	e := journal.Entry{Action: action, SubjectType: subjectType, SubjectKey: u.ID, SubjectName: nameOf(u), Changes: []rule.Change{change}}
	return e.Write(ctx, tx)
}

const subjectType = "MessagingUser"

func nameOf(u *ent.MessagingUser) string { return cmp.Or(u.Name, u.Address) }

// named finds a messaging user whom the viewer of ctx sees.
func (s *Service) named(ctx context.Context, tx *store.Tx, field, id string) (*ent.MessagingUser, error) {
	missing := fault.Missing("messaging user")
	missing.Field = field
	key, ok := s.IDs.Decode(publicid.MessagingUser, id)
	if !ok {
		return nil, missing
	}
	u, err := tx.Ent.MessagingUser.Query().Where(messaginguser.ID(key)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, missing
	}
	return u, err
}

// oneAtATime waits for whoever else merges on the channel: two merges that know nothing
// of each other could make a circle.
func oneAtATime(ctx context.Context, tx *store.Tx, channelKey int64) error {
	if !tx.Locks() {
		return nil
	}
	_, err := tx.Exec(ctx, lockChannel.With(channelKey))
	return err
}

// It leaves the channel to whoever writes to it at the same time.
var lockChannel = store.Fixed("SELECT id FROM channels WHERE id = ? FOR NO KEY UPDATE")

// party is a customer with those who are merged into them, and their thread, locked.
type party struct {
	user   *ent.MessagingUser
	others []*ent.MessagingUser // in the order of their keys
	thread conversation.Thread
}

// party reads whom a messaging user was merged into, or is.
func (s *Service) party(ctx context.Context, tx *store.Tx, u *ent.MessagingUser) (p party, err error) {
	system := viewer.AsSystem(ctx, "merge")
	if p.user, err = tx.Ent.MessagingUser.Get(system, u.ID); err != nil { // as it is now, under the lock
		return p, err
	}
	if into := p.user.MergedInto; into != nil {
		if p.user, err = tx.Ent.MessagingUser.Get(system, *into); err != nil {
			return p, err
		}
	}
	key, err := p.user.QueryConversation().OnlyID(system)
	if ent.IsNotFound(err) {
		return p, fault.New(fault.Conflict, "%s has no conversation yet and cannot be merged. Try again once they have one.", nameOf(p.user))
	}
	if err != nil {
		return p, err
	}
	if p.thread, err = s.Conversations.LoadThread(ctx, tx, key); err != nil {
		return p, err
	}
	// After the conversation is locked, nobody gives consent any more.
	if p.user, err = tx.Ent.MessagingUser.Get(system, p.user.ID); err != nil {
		return p, err
	}
	p.others, err = tx.Ent.MessagingUser.Query().Where(messaginguser.MergedInto(p.user.ID)).Order(messaginguser.ByID()).All(system)
	return p, err
}

// ownConsent is what the customer gave by themselves: what counted before others were
// merged into them, unless they gave another since.
func (p *party) ownConsent() channel.Consent {
	if len(p.others) > 0 && p.user.ConsentStatus == together(p.user.OwnConsent, p.others) {
		return p.user.OwnConsent
	}
	return p.user.ConsentStatus
}

// together is the consent of a customer whose own is given with that of the others:
// whoever opted out has; else their own counts, or, where they were only prompted, the
// first answer that another gave.
func together(own channel.Consent, others []*ent.MessagingUser) channel.Consent {
	for _, u := range others {
		if u.ConsentStatus == channel.OptOut {
			return channel.OptOut
		}
	}
	for _, u := range others {
		if own != channel.Pending {
			break
		}
		own = u.ConsentStatus
	}
	return own
}

// setConsent writes the consent of the customer whose own is given.
func (p *party) setConsent(ctx context.Context, tx *store.Tx, own channel.Consent) error {
	slices.SortFunc(p.others, func(a, b *ent.MessagingUser) int { return int(a.ID - b.ID) })
	update := tx.Ent.MessagingUser.UpdateOne(p.user).SetConsentStatus(together(own, p.others)).SetOwnConsent(own)
	if len(p.others) == 0 {
		update.SetOwnConsent("")
	}
	return update.Exec(viewer.AsSystem(ctx, "merge"))
}
