package live

import (
	"cmp"
	"context"
	"slices"

	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/presence"
	"parley/internal/ground/viewer"
)

// AgentPresence is an agent who is in a conversation.
type AgentPresence struct {
	Agent *directory.Agent
	State presence.State
}

// Presence is who else is in a conversation.
type Presence struct {
	ConversationID string
	Agents         []*AgentPresence
}

// TypingInput says that the viewer is typing, or no more.
type TypingInput struct {
	ConversationID string
	IsTyping       bool
}

// SetTyping tells those who look at a conversation that the viewer of ctx is
// typing, for some seconds, or no more.
func (d *Streams) SetTyping(ctx context.Context, in TypingInput) error {
	row, err := d.visible(ctx, in.ConversationID)
	if err == nil {
		d.Board.Type(row.Key, viewer.FromContext(ctx).AgentID, in.IsTyping)
	}
	return err
}

// room is one viewer's look at who is in a conversation.
type room struct {
	desk     *Streams
	id       string
	key      int64
	agent    int64
	announce bool
	from     int64 // the viewer was let in at this position of the log
}

// Presence streams who else is in a conversation (its public id), with announce
// as one of them. It ends with NOT_FOUND when the viewer may no longer see it.
func (d *Streams) Presence(ctx context.Context, id string, announce bool, end End) (<-chan *Presence, error) {
	from := d.Hub.Position()
	row, err := d.visible(ctx, id)
	if err != nil {
		return nil, err
	}
	r := &room{d, id, row.Key, viewer.FromContext(ctx).AgentID, announce, from}
	frames := make(chan *Presence, 1)
	go func() {
		defer close(frames)
		inside, leave := context.WithCancelCause(ctx)
		go func() { leave(r.untilHidden(inside)) }()
		r.tell(inside, frames)
		if ctx.Err() == nil {
			end(context.Cause(inside))
		}
	}()
	return frames, nil
}

// untilHidden returns why the viewer may no longer see the conversation.
func (r *room) untilHidden(ctx context.Context) error {
	reader := r.desk.Hub.Follow(r.from, []feed.Key{{Fact: feed.ByConversation, ID: r.key}}, func(e *feed.Event) bool {
		if e.Cause == feed.DirectoryChanged {
			return e.MayMoveRights(r.agent)
		}
		return e.ConversationID == r.key && (e.Before == nil || e.After == nil || e.Before.Subject() != e.After.Subject())
	})
	defer reader.Close()
	for {
		if _, err := reader.Next(ctx); err != nil {
			return err
		}
		if _, err := r.desk.visible(ctx, r.id); err != nil {
			return err
		}
	}
}

// tell gives frames until ctx ends.
func (r *room) tell(ctx context.Context, frames chan<- *Presence) {
	watch := r.desk.Board.Watch(r.key)
	defer watch.Close()
	if r.announce {
		defer r.desk.Board.View(r.key, r.agent)()
	}
	var told []presence.Agent
	for first := true; ; first = false {
		if others := r.others(); first || !slices.Equal(others, told) {
			if told = others; !give(ctx, frames, r.frame(others)) {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-watch.Changed:
		}
	}
}

func (r *room) others() []presence.Agent {
	return slices.DeleteFunc(r.desk.Board.Agents(r.key), func(a presence.Agent) bool { return a.Key == r.agent })
}

func (r *room) frame(others []presence.Agent) *Presence {
	p := &Presence{ConversationID: r.id, Agents: []*AgentPresence{}}
	for _, a := range others {
		if agent := r.desk.Directory.Agent(a.Key); agent != nil { // not read yet when it is new
			p.Agents = append(p.Agents, &AgentPresence{agent, a.State})
		}
	}
	slices.SortStableFunc(p.Agents, func(a, b *AgentPresence) int { return cmp.Compare(a.Agent.Name, b.Agent.Name) })
	return p
}
