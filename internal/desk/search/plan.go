package search

import (
	"context"

	"parley/internal/desk/conversation"
)

// plan is where a search looks. It follows from the viewer's rights and from the
// conversations that they see, and from nothing else. On a channel that is searched
// although only a part of it is seen, hidden matches cost time, and nothing else.
type plan struct {
	// indexed says that the index is read.
	indexed bool
	// channels are those whose part of it is read; nil for the whole.
	channels []int64
	// few are conversations that are read whole, the newest first. They are not on
	// the channels. Earlier are those merged into them.
	few     []*conversation.Row
	earlier map[int64][]*conversation.Row
}

// plan decides where to look. What the viewer sees whole is looked up in the index;
// so is everything on a channel where they see much, while of a channel where they
// see a few conversations only these are read.
func (r *run) plan(ctx context.Context) (p plan, err error) {
	if r.scope.Seen("c") == nil && r.scope.InView("c") == nil {
		return plan{indexed: true}, nil // all there is
	}
	shares, err := r.Conversations.Shares(ctx, r.scope)
	if err != nil {
		return p, err
	}
	total, beside := int64(0), int64(0)
	for _, s := range shares {
		if total += s.Conversations; !s.Whole {
			beside += s.Conversations
		}
	}
	if total <= int64(r.ways.few) || !r.scope.Counted() {
		if ok, err := r.few(ctx, r.scope, &p); ok || err != nil {
			return p, err
		}
	}
	if beside, err = r.beside(ctx, beside, &p); err != nil {
		return p, err
	}
	p.channels = indexed(shares, beside > 0)
	p.indexed = len(p.channels) > 0
	if beside > 0 || r.scope.Seen("c") == nil {
		p.widen(len(r.Directory.Channels()))
	}
	return p, nil
}

// indexed are the channels that the viewer sees whole, or all that they see something of.
func indexed(shares []conversation.Share, all bool) (channels []int64) {
	for _, s := range shares {
		if all || s.Whole {
			channels = append(channels, s.Channel)
		}
	}
	return channels
}

// beside has the plan read the conversations outside the channels that the viewer sees
// whole, if they are few, and returns how many are left.
func (r *run) beside(ctx context.Context, left int64, p *plan) (int64, error) {
	if left == 0 || left > int64(r.ways.few) {
		return left, nil
	}
	if ok, err := r.few(ctx, r.scope.Beside(), p); !ok || err != nil {
		return left, err
	}
	return 0, nil
}

// widen reads the index of all channels in place of that of many.
func (p *plan) widen(channels int) {
	if n := len(p.channels); n*n > channels {
		p.channels = nil
	}
}

// few has the plan read the conversations of a scope whole, if they and their messages
// are few.
func (r *run) few(ctx context.Context, s *conversation.Scope, p *plan) (bool, error) {
	rows, ok, err := r.Conversations.Few(ctx, s, r.ways.few)
	messages := int64(0)
	for _, row := range rows {
		messages += row.MessageCount()
	}
	if !ok || messages > int64(r.ways.messages) || err != nil {
		return false, err
	}
	p.few = rows
	p.earlier, err = r.Conversations.Earlier(ctx, rows)
	return true, err
}
