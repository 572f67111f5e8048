package resume_test

import (
	"context"
	"sync"
)

const added = `subscription($after: Cursor) { messageAdded(after: $after) { kind cursor message { id content { ... on TextContent { text } } } } }`

// hearer follows every message an agent may see, and counts how often it was
// told of each.
type hearer struct {
	server   *server
	username string

	mu     sync.Mutex
	cursor *string
	heard  map[string]int // text → times
}

func (h *hearer) run(ctx context.Context) {
	for ctx.Err() == nil {
		_ = h.follow(ctx) // it goes on from the last cursor, whatever ended it
		pause(ctx)
	}
}

func (h *hearer) follow(ctx context.Context) error {
	conn, err := h.server.subscribe(ctx, h.username, added, map[string]any{"after": h.cursor})
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	for {
		var frame struct {
			MessageAdded struct {
				Kind, Cursor string
				Message      *struct{ Content struct{ Text string } }
			}
		}
		if err := read(ctx, conn, &frame); err != nil {
			return err
		}
		h.mu.Lock()
		h.cursor = &frame.MessageAdded.Cursor
		if m := frame.MessageAdded.Message; m != nil {
			h.heard[m.Content.Text]++
		}
		h.mu.Unlock()
	}
}

// times is how often each text was heard.
func (h *hearer) times() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make(map[string]int, len(h.heard))
	for text, n := range h.heard {
		out[text] = n
	}
	return out
}
