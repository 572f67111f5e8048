package blackbox

import (
	"context"
	"errors"
	"maps"
	"sync"
)

const added = `subscription($after: Cursor) { messageAdded(after: $after) { kind cursor message { id content { ... on TextContent { text } } } } }`

// Hearer follows every message an agent may see, and counts how often it was
// told of each.
type Hearer struct {
	Clients  []*Client // it goes to the next one whenever it connects
	Username string
	// Cursor is where it begins.
	Cursor string

	mu    sync.Mutex
	link  link
	heard map[string]int // text → times
}

// Run follows until ctx ends, from the last cursor on whatever broke the
// connection.
func (h *Hearer) Run(ctx context.Context) {
	h.heard = map[string]int{}
	for n := 0; ctx.Err() == nil; n++ {
		err := h.follow(ctx, h.Clients[n%len(h.Clients)])
		h.link.broke(errors.Is(err, ErrResync))
		pause(ctx)
	}
}

func (h *Hearer) follow(ctx context.Context, c *Client) error {
	conn, err := c.Subscribe(ctx, h.Username, added, map[string]any{"after": h.Cursor})
	if err != nil {
		return err
	}
	defer h.link.connect(conn)()
	for {
		var frame struct {
			MessageAdded struct {
				Kind, Cursor string
				Message      *struct{ Content struct{ Text string } }
			}
		}
		if err := Read(ctx, conn, &frame); err != nil {
			return err
		}
		h.mu.Lock()
		h.Cursor = frame.MessageAdded.Cursor
		if m := frame.MessageAdded.Message; m != nil {
			h.heard[m.Content.Text]++
		}
		h.mu.Unlock()
	}
}

// Times is how often each text was heard.
func (h *Hearer) Times() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.heard)
}

// Drop cuts the connection, as a lost network does; it reports whether there was
// one.
func (h *Hearer) Drop() bool { return h.link.drop() }

// Breaks is how often the stream broke off, and how often with ErrResync.
func (h *Hearer) Breaks() (breaks, resyncs int) { return h.link.counts() }
