package resolvers

import (
	"context"

	"parley/internal/desk/conversation"
	"parley/internal/desk/message"
	"parley/internal/edge/selection"
)

// selectedRows returns what is selected of a page's conversations. The last message,
// if it is, comes with them.
func (r *Resolver) selectedRows(ctx context.Context) (s conversation.Selected) {
	page, known := selection.Selected(ctx)
	if !known {
		return s
	}
	s.Unplaced, s.Until = !page.Has("feedCursor"), selection.Until(ctx)
	rows := page.Under("nodes").And(page.Under("edges").Under("node"))
	if last := rows.Under("lastMessage"); !last.None() {
		s.Along = r.Messenger.Along(message.ColumnsOf(last.Names()), s.Until)
	}
	s.Columns = conversation.ColumnsOf(rows.Names(), s.Along)
	return s
}

// selectsText reports whether the texts of a page's nodes are selected.
func selectsText(ctx context.Context) bool {
	page, known := selection.Selected(ctx)
	return !known || page.Under("nodes").And(page.Under("edges").Under("node")).Has("text")
}

// selectedLast are the columns that are selected of last messages.
func selectedLast(ctx context.Context) message.Columns {
	messages, known := selection.Selected(ctx)
	if !known {
		return message.Columns{}
	}
	return message.ColumnsOf(messages.Names())
}

// selectedMessages are the columns that are selected of a page's messages.
func selectedMessages(ctx context.Context) message.Columns {
	page, known := selection.Selected(ctx)
	if !known {
		return message.Columns{}
	}
	return message.ColumnsOf(page.Under("nodes").And(page.Under("edges").Under("node")).Names())
}
