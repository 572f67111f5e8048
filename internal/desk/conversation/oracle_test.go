package conversation_test

import (
	"cmp"
	"slices"

	"github.com/stretchr/testify/require"

	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/clock"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// The oracle says the same as the product in the plainest way: a pass over all
// conversations with the domain's sentences as ifs.

func sees(v *viewer.Viewer, f *feed.Facts) bool {
	return v.Can(viewer.ViewAllData) ||
		v.Can(viewer.ViewTeamInbox) && f.Owner != 0 ||
		f.Owner == v.AgentID ||
		slices.Contains(v.Channels, f.Channel) ||
		slices.Contains(v.Queues, f.Queue)
}

// question is a view with a filter in the database's keys.
type question struct {
	kind    conversation.ViewKind
	channel int64
	agent   int64
	record  int64
	object  string

	unread, assigned         *bool
	filterObject             *string
	filterChannel, filterOwn *int64
	direction                *content.Direction
	from, before             *clock.Time
}

// known reports whether the viewer may know of the view at all.
func (q question) known(v *viewer.Viewer) bool {
	switch q.kind {
	case conversation.SenderID:
		return slices.Contains(v.Channels, q.channel) || v.Can(viewer.ViewAllData)
	case conversation.TeamInbox:
		return v.Can(viewer.ViewTeamInbox)
	}
	return true
}

func (q question) inView(v *viewer.Viewer, f *feed.Facts) bool {
	switch q.kind {
	case conversation.MyInbox:
		return f.Owner == v.AgentID && f.Inbound > 0
	case conversation.Sent:
		return slices.Contains(f.SentBy, v.AgentID)
	case conversation.SenderID:
		return f.Channel == q.channel
	case conversation.TeamInbox:
		return f.Owner == q.agent && f.Inbound > 0
	case conversation.Unassigned:
		return f.Owner == 0
	case conversation.ObjectType:
		return f.ObjectType == q.object
	case conversation.OfRecord:
		return f.Record == q.record
	}
	return true
}

func (q question) filtered(f *feed.Facts) bool {
	return (q.unread == nil || f.Unread == *q.unread) &&
		(q.assigned == nil || (f.Owner != 0) == *q.assigned) &&
		(q.filterObject == nil || f.ObjectType == *q.filterObject) &&
		(q.filterChannel == nil || f.Channel == *q.filterChannel) &&
		(q.filterOwn == nil || f.Owner == *q.filterOwn) &&
		(q.direction == nil || f.Direction == *q.direction) &&
		(q.from == nil || f.LastMessageAt >= *q.from) &&
		(q.before == nil || f.LastMessageAt < *q.before)
}

func (q question) holds(v *viewer.Viewer, f *feed.Facts) bool {
	return sees(v, f) && q.inView(v, f) && q.filtered(f)
}

// keys are the conversations that the question should list, newest first.
func (q question) keys(v *viewer.Viewer, all map[int64]*feed.Facts) []int64 {
	keys := []int64{}
	for k, f := range all {
		if q.holds(v, f) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b int64) int {
		return cmp.Or(cmp.Compare(all[b].LastMessageAt, all[a].LastMessageAt), cmp.Compare(b, a))
	})
	return keys
}

func (q question) counts(v *viewer.Viewer, all map[int64]*feed.Facts) conversation.Counts {
	var c conversation.Counts
	for _, f := range all {
		if !q.holds(v, f) {
			continue
		}
		c.Total++
		c.New += f.Inbound - f.Read
		if f.Unread {
			c.Unread++
		}
	}
	return c
}

// view and filter are the question as callers put it.
func (q question) view(w *world) conversation.View {
	subject := ""
	switch q.kind {
	case conversation.SenderID:
		subject = w.Conversations.IDs.Encode(publicid.Channel, q.channel)
	case conversation.TeamInbox:
		subject = w.Conversations.IDs.Encode(publicid.Agent, q.agent)
	case conversation.OfRecord:
		subject = w.Conversations.IDs.Encode(publicid.Record, q.record)
	case conversation.ObjectType:
		subject = q.object
	default:
		return conversation.View{Kind: q.kind}
	}
	return conversation.View{Kind: q.kind, Subject: &subject}
}

func (q question) filter(w *world) *conversation.Filter {
	f := &conversation.Filter{
		IsUnread: q.unread, ObjectType: q.filterObject, IsAssigned: q.assigned,
		LastMessageDirection: q.direction, LastMessageFrom: q.from, LastMessageBefore: q.before,
	}
	if q.filterChannel != nil {
		f.ChannelID = ptr(w.Conversations.IDs.Encode(publicid.Channel, *q.filterChannel))
	}
	if q.filterOwn != nil {
		f.OwnerID = ptr(w.Conversations.IDs.Encode(publicid.Agent, *q.filterOwn))
	}
	return f
}

// walk reads the whole list forward in pages of the size.
func (w *world) walk(v *viewer.Viewer, q question, size int) []int64 {
	w.T.Helper()
	ctx, keys, window := viewer.NewContext(w.T.Context(), v), []int64{}, conversation.Window{Size: size}
	for {
		page, err := w.Conversations.List(ctx, q.view(w), q.filter(w), nil, window, conversation.Selected{})
		require.NoError(w.T, err)
		for _, r := range page.Nodes {
			keys = append(keys, r.Key)
		}
		if !page.HasNextPage {
			return keys
		}
		window.Cursor = *page.PageInfo().EndCursor
	}
}
