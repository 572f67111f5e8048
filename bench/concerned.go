package main

import (
	"context"
	"errors"
	"fmt"

	"parley/app"
	"parley/internal/desk/conversation"
	"parley/internal/desk/live"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

const (
	// concerned subscribers are told of every event.
	concerned = 10
	// bystanders have streams open, too, which no event concerns.
	bystanders = 9990
)

// concern compares an event that concerns ten of ten streams to one that concerns
// ten of ten thousand: from the write until all ten have their frame. The streams
// are those of package live, without sockets.
func (s *settings) concern(ctx context.Context, r *report) error {
	return s.withApp(ctx, func(ctx context.Context, a *app.App) error {
		return running(ctx, a, func() error {
			desk := &bustle{App: a}
			if err := desk.prepare(ctx); err != nil {
				return err
			}
			defer desk.leave()
			few, many, err := s.turnsOf(ctx, desk)
			if err != nil {
				return err
			}
			c := desk.comparison()
			r.add(summary(c, fmt.Sprintf("of %d streams", concerned), few, few))
			r.add(summary(c, fmt.Sprintf("of %d streams", concerned+bystanders), many, few))
			return nil
		})
	})
}

func (s *settings) turnsOf(ctx context.Context, desk *bustle) (few, many []turn, err error) {
	c := desk.comparison()
	for round := range s.Rounds {
		one, err := s.turn(ctx, c, contender{"alone", desk.event}, round)
		if err != nil {
			return nil, nil, err
		}
		leave, err := desk.crowd(ctx)
		if err != nil {
			return nil, nil, err
		}
		other, err := s.turn(ctx, c, contender{"among many", desk.event}, round)
		leave()
		if err != nil {
			return nil, nil, err
		}
		few, many = append(few, one), append(many, other)
	}
	return few, many, nil
}

// bustle is a desk with streams.
type bustle struct {
	*app.App
	amy, bo context.Context
	mine    string   // a conversation of amy's
	others  []string // what bo sees
	frames  []<-chan *live.Change
	leave   context.CancelFunc
	read    bool
}

func (*bustle) comparison() comparison {
	return comparison{group: fmt.Sprintf("an event that concerns %d", concerned), clients: 1}
}

func (b *bustle) prepare(ctx context.Context) (err error) {
	ctx, b.leave = context.WithCancel(ctx)
	if b.amy, err = b.as(ctx, "amy"); err != nil {
		return err
	}
	if b.bo, err = b.as(ctx, "bo"); err != nil {
		return err
	}
	inbox := conversation.View{Kind: conversation.MyInbox}
	page, err := b.Conversations.List(b.amy, inbox, nil, nil, conversation.Window{Size: 1}, conversation.Selected{})
	if err != nil {
		return err
	}
	if len(page.Nodes) == 0 {
		return errors.New("amy has no conversation; seed more")
	}
	b.mine = b.Conversations.IDs.Encode(publicid.Conversation, page.Nodes[0].Key)
	if page, err = b.Conversations.List(b.bo, inbox, nil, nil, conversation.Window{Size: 100}, conversation.Selected{}); err != nil {
		return err
	}
	for _, row := range page.Nodes {
		b.others = append(b.others, b.Conversations.IDs.Encode(publicid.Conversation, row.Key))
	}
	b.read = true
	if err := b.mark(); err != nil { // unread, whatever it was
		return err
	}
	for range concerned {
		frames, err := b.Schema.Live.Conversations(b.amy, inbox, nil, nil, func(error) {})
		if err != nil {
			return err
		}
		<-frames
		b.frames = append(b.frames, frames)
	}
	return nil
}

func (b *bustle) as(ctx context.Context, username string) (context.Context, error) {
	v, err := b.Directory.Viewer(username)
	return viewer.NewContext(ctx, v), err
}

// crowd opens the streams that no event concerns: half of them follow bo's inbox,
// half one conversation.
func (b *bustle) crowd(ctx context.Context) (leave context.CancelFunc, err error) {
	ctx, leave = context.WithCancel(ctx)
	ctx, err = b.as(ctx, "bo")
	for i := 0; i < bystanders && err == nil; i++ {
		if i%2 == 0 {
			err = opened(b.Schema.Live.Conversations(ctx, conversation.View{Kind: conversation.MyInbox}, nil, nil, func(error) {}))
		} else {
			err = opened(b.Schema.Live.Conversation(ctx, b.others[i%len(b.others)], nil, func(error) {}))
		}
	}
	return leave, err
}

// opened takes the first frame of a stream.
func opened[T any](frames <-chan T, err error) error {
	if err == nil {
		<-frames
	}
	return err
}

// event changes the conversation that is followed, and waits for the frames.
func (b *bustle) event(ctx context.Context, _ int) error {
	if err := b.mark(); err != nil {
		return err
	}
	for _, frames := range b.frames {
		select {
		case <-frames:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// mark marks the conversation as read and as unread in turn.
func (b *bustle) mark() error {
	var results []*conversation.Result
	var err error
	if b.read = !b.read; b.read {
		results, err = b.Conversations.MarkRead(b.amy, []*conversation.MarkItem{{ID: b.mine}}, true)
	} else {
		results, err = b.Conversations.MarkUnread(b.amy, []string{b.mine}, true)
	}
	if err == nil && results[0].Error != nil {
		err = results[0].Error
	}
	return err
}
