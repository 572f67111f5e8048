package resolvers

import (
	"context"

	"parley/internal/conversation"
	"parley/internal/message"
	"parley/internal/selection"
)

// selectedRows narrows a page of conversations to what is selected of its rows.
// The last message, if it is, comes with them.
func (r *Resolver) selectedRows(ctx context.Context, w *conversation.Window) {
	page, known := selection.Selected(ctx)
	if !known {
		return
	}
	w.Unplaced, w.Until = !page.Has("feedCursor"), selection.Until(ctx)
	rows := page.Under("nodes").And(page.Under("edges").Under("node"))
	if last := rows.Under("lastMessage"); !last.None() {
		w.Along = r.Messenger.Along(message.ColumnsOf(last.Names()), w.Until)
	}
	w.Columns = conversation.ColumnsOf(rows.Names(), w.Along)
}

// selectedLast are the columns that are selected of last messages.
func selectedLast(ctx context.Context) message.Columns {
	messages, known := selection.Selected(ctx)
	if !known {
		return message.Columns{}
	}
	return message.ColumnsOf(messages.Names())
}

// selectedMessages narrows a page of messages to what is selected of them.
func selectedMessages(ctx context.Context, w *message.Window) {
	if page, known := selection.Selected(ctx); known {
		w.Columns = message.ColumnsOf(page.Under("nodes").And(page.Under("edges").Under("node")).Names())
	}
}
