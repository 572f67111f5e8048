package conversation

import (
	"context"

	"parley/internal/desk/feed"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// Action is what can be done with many conversations at once.
type Action string

// The actions.
const (
	MarkingRead   Action = "MARK_READ"
	MarkingUnread Action = "MARK_UNREAD"
	Assigning     Action = "ASSIGN"
	// Linking has rules link what is anchored to no record; package linking does it.
	Linking Action = "LINK"
	// UndoingLinks takes back what an operation of Linking did; package linking does it.
	UndoingLinks Action = "UNDO_LINK"
	// OtherAction is one that a newer version has begun, and that this one does not
	// know. It is never done here.
	OtherAction Action = "OTHER"
)

// Known is the action, OtherAction when it is not known.
func (a Action) Known() Action {
	switch a {
	case MarkingRead, MarkingUnread, Assigning, Linking, UndoingLinks:
		return a
	}
	return OtherAction
}

// Task is an action with what it needs to know.
type Task struct {
	Action Action
	// Confirmed says that a colleague's read state may change.
	Confirmed bool
	// Assignee is who gets the conversations; 0 for nobody.
	Assignee int64
}

// Links reports whether the task is about links, which package linking sets and takes.
func (t Task) Links() bool { return t.Action == Linking || t.Action == UndoingLinks }

// Assigning is the task of giving conversations to an agent, or to nobody (nil).
// It needs AssignConversation.
func (d *Service) Assigning(ctx context.Context, agentID *string) (Task, error) {
	t := Task{Action: Assigning, Assignee: d.ownerOf(agentID)}
	return t, d.May(ctx, t)
}

// May decides what does not depend on the conversation: nil when the viewer of
// ctx may do the task at all.
func (d *Service) May(ctx context.Context, t Task) error {
	if t.Links() && !rule.Administers(viewer.FromContext(ctx)) {
		return fault.New(fault.Forbidden, "Linking many conversations needs the permission CONFIGURE_MESSAGING. Ask an administrator.")
	}
	if t.Action != Assigning {
		return nil
	}
	if !viewer.FromContext(ctx).Can(viewer.AssignConversation) {
		return fault.New(fault.Forbidden, "Assigning needs the permission ASSIGN_CONVERSATION. Ask an administrator.")
	}
	if t.Assignee == 0 {
		return nil
	}
	agent := d.Directory.Agent(t.Assignee)
	if agent == nil {
		return &fault.Error{Code: fault.NotFound, Field: "input.agentId", Message: "No such agent."}
	}
	if agent.Kind == viewer.Service {
		return fault.Input("input.agentId", "A service account cannot own conversations. Choose a person.")
	}
	if !agent.IsActive {
		return &fault.Error{Code: fault.Conflict, Field: "input.agentId", Message: "This agent is no longer active. Choose another."}
	}
	return nil
}

// Do does the task with a conversation that the viewer of ctx sees and, by May,
// may do it with. Reading reaches the inbound ordinal upTo. It is pure: an event
// without a cause says that there was nothing to change.
func (t Task) Do(ctx context.Context, row *Row, upTo int64) (feed.Event, error) {
	switch t.Action {
	case Assigning:
		return t.assign(row), nil
	case Linking, UndoingLinks:
		return feed.Event{}, nil
	case MarkingRead, MarkingUnread:
	default:
		return feed.Event{}, fault.New(fault.Conflict, "This version of Parley does not know the action %s.", t.Action)
	}
	if err := mayMark(ctx, row, t); err != nil {
		return feed.Event{}, err
	}
	if t.Action == MarkingUnread {
		if row.IsUnread {
			return feed.Event{}, nil
		}
		row.MarkUnread()
		return feed.Event{Cause: feed.ConversationUnread}, nil
	}
	wasRead, wasUnread := row.ReadCount, row.IsUnread
	row.MarkRead(upTo)
	if row.ReadCount == wasRead && row.IsUnread == wasUnread {
		return feed.Event{}, nil
	}
	return feed.Event{Cause: feed.ConversationRead}, nil
}

func (t Task) assign(row *Row) feed.Event {
	owner, assigned := row.OwnerID, row.Assigned
	row.Assign(t.Assignee)
	if row.OwnerID == owner && row.Assigned == assigned {
		return feed.Event{}
	}
	return feed.Event{Cause: feed.ConversationAssigned}
}

// MarkableBy reports whether v, who sees the conversation, may change its read
// state; a colleague's only with a confirmation.
func (r *Row) MarkableBy(v *viewer.Viewer) bool {
	return r.ReadBelongsTo(v.AgentID) || v.Can(viewer.ViewTeamInbox)
}

// mayMark decides whether the viewer may change the read state: their own or
// nobody's freely, a colleague's only with ViewTeamInbox and confirmed.
func mayMark(ctx context.Context, row *Row, t Task) error {
	v := viewer.FromContext(ctx)
	switch {
	case v.IsService && t.Action == MarkingRead:
		return fault.New(fault.Forbidden, "A service account cannot mark conversations as read: that is for people to do.")
	case row.ReadBelongsTo(v.AgentID):
		return nil
	case !row.MarkableBy(v):
		return fault.New(fault.Forbidden, "Only its owner, or a holder of VIEW_TEAM_INBOX, may change the read state of this conversation.")
	case !t.Confirmed:
		return fault.New(fault.ConfirmationNeeded, "A colleague owns this conversation, and their read state would change. Repeat with confirmForOwner: true if you intend that.")
	}
	return nil
}
