package merge

import (
	"context"
	"slices"

	"parley/ent"
	"parley/ent/messaginguser"
	"parley/internal/desk/administration"
	"parley/internal/desk/conversation"
	"parley/internal/desk/journal"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Unmerge undoes the merge by which a messaging user became part of another, and returns
// them. Those who had been merged into them before come with them. One who never
// was merged, or is no longer, stays as they are. What was written meanwhile stays where it is.
func (s *Service) Unmerge(ctx context.Context, id string) (*conversation.MessagingUser, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	var key int64
	err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		u, err := s.named(ctx, tx, "input.id", id)
		if err != nil {
			return err
		}
		key = u.ID
		if err := oneAtATime(ctx, tx, u.ChannelID); err != nil {
			return err
		}
		whole, err := s.party(ctx, tx, u)
		if err != nil {
			return err
		}
		return s.unmerge(ctx, tx, whole, key)
	})
	if err != nil {
		return nil, err
	}
	return s.user(ctx, key)
}

func (s *Service) unmerge(ctx context.Context, tx *store.Tx, whole party, key int64) error {
	part, rest := whole.split(key)
	if part.user == nil {
		return noMerge(whole)
	}
	if tx.Now.Sub(part.user.MergedAt) > Undoable {
		return fault.New(fault.Conflict, "This merge is older than %d days and can no longer be undone.", Undoable/(24*60*60*1e9))
	}
	own := whole.ownConsent()
	if err := s.Conversations.Unmerge(ctx, tx, whole.thread, part.thread); err != nil {
		return err
	}
	if err := rest.setConsent(ctx, tx, own); err != nil {
		return err
	}
	if err := part.setConsent(ctx, tx, part.user.ConsentStatus); err != nil {
		return err
	}
	system := viewer.AsSystem(ctx, "merge")
	err := tx.Ent.MessagingUser.UpdateOne(part.user).ClearMergedInto().ClearMergedWith().Exec(system)
	if err != nil {
		return err
	}
	if err := tx.Ent.MessagingUser.Update().Where(messaginguser.IDIn(keysOf(part.others)...)).SetMergedInto(key).Exec(system); err != nil {
		return err
	}
	from := nameOf(whole.user)
	return note(ctx, tx, journal.Unmerged, part.user, rule.Change{Before: &from, Lost: []int64{whole.user.ID}})
}

// noMerge is why a messaging user who is merged into nobody stays as they are: an error
// when others were merged into them, because somebody meant one of these. One whose own
// merge was undone, which MergedAt tells, is named by a repeat of that.
func noMerge(whole party) error {
	if len(whole.others) == 0 || whole.user.MergedAt != 0 {
		return nil
	}
	return fault.At("input.id", fault.New(fault.Conflict, "Others were merged into this messaging user, and they are merged into nobody. Name one of the others: mergedFrom lists them."))
}

// split parts a messaging user, with those who were merged into them, from the rest. The
// part has nobody if the user is not merged into the other.
func (p *party) split(key int64) (part, rest party) {
	rest = party{user: p.user, thread: p.thread}
	leaving := []int64{key}
	for more := true; more; { // until nobody else was merged with one who leaves
		more = false
		for _, u := range p.others {
			if !slices.Contains(leaving, u.ID) && slices.Contains(leaving, *u.MergedWith) {
				leaving, more = append(leaving, u.ID), true
			}
		}
	}
	for _, u := range p.others {
		switch {
		case u.ID == key:
			part.user = u
		case slices.Contains(leaving, u.ID):
			part.others = append(part.others, u)
		default:
			rest.others = append(rest.others, u)
		}
	}
	for _, r := range p.thread.Earlier {
		switch {
		case r.MessagingUserID == key:
			part.thread.Row = r
		case slices.Contains(leaving, r.MessagingUserID):
			part.thread.Earlier = append(part.thread.Earlier, r)
		}
	}
	return part, rest
}

func keysOf(users []*ent.MessagingUser) []int64 {
	keys := make([]int64, len(users))
	for i, u := range users {
		keys[i] = u.ID
	}
	return keys
}
