package resume_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// row is what a list shows of a conversation.
type row struct {
	ID, Preview, LastMessageAt string
	IsUnread                   bool
	NewCount, MessageCount     int
	Owner                      *struct{ Username string }
}

func (r row) String() string {
	owner := "nobody"
	if r.Owner != nil {
		owner = r.Owner.Username
	}
	return fmt.Sprint(r.Preview, " ", r.LastMessageAt, " ", r.IsUnread, " ", r.NewCount, " ", r.MessageCount, " ", owner)
}

const fields = ` id preview lastMessageAt isUnread newCount messageCount owner { username } `

const listed = `query($view: ConversationView!, $filter: ConversationFilter) {
	conversations(view: $view, filterBy: $filter, first: 100) { totalCount feedCursor nodes {` + fields + `} } }`

const changes = `subscription($view: ConversationView!, $filter: ConversationFilter, $after: Cursor) {
	conversationsChanged(view: $view, filterBy: $filter, after: $after) {
		kind cursor conversationId counts { total } conversation {` + fields + `} } }`

// watcher is an agent's client: it folds the stream of a view over a page, and
// goes on from its last cursor whenever the connection is lost.
type watcher struct {
	server   *server
	username string
	view     map[string]any
	filter   map[string]any

	mu      sync.Mutex
	conn    *websocket.Conn
	rows    map[string]string
	total   int
	cursor  string
	resumes int
	resyncs int
}

// variables of both documents.
func (w *watcher) variables() map[string]any {
	v := map[string]any{"view": w.view, "filter": w.filter}
	if w.cursor != "" {
		v["after"] = w.cursor
	}
	return v
}

// fresh runs the query.
func (w *watcher) fresh(ctx context.Context) (rows map[string]string, total int, cursor string, err error) {
	var page struct {
		Conversations struct {
			TotalCount int
			FeedCursor string
			Nodes      []row
		}
	}
	err = w.server.query(ctx, w.username, listed, map[string]any{"view": w.view, "filter": w.filter}, &page)
	rows = map[string]string{}
	for _, r := range page.Conversations.Nodes {
		rows[r.ID] = r.String()
	}
	return rows, page.Conversations.TotalCount, page.Conversations.FeedCursor, err
}

// run follows until ctx ends.
func (w *watcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.follow(ctx)
		w.mu.Lock()
		if errors.Is(err, errResync) {
			w.cursor = ""
			w.resyncs++
		}
		w.resumes++
		w.mu.Unlock()
		pause(ctx)
	}
}

// pause keeps a client that is refused from asking in a tight loop.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Millisecond):
	}
}

func (w *watcher) follow(ctx context.Context) error {
	if w.cursor == "" {
		rows, total, cursor, err := w.fresh(ctx)
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.rows, w.total, w.cursor = rows, total, cursor
		w.mu.Unlock()
	}
	conn, err := w.server.subscribe(ctx, w.username, changes, w.variables())
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	w.connect(conn)
	defer w.connect(nil)
	for {
		var frame struct {
			ConversationsChanged struct {
				Kind, Cursor   string
				ConversationID string
				Counts         struct{ Total int }
				Conversation   *row
			}
		}
		if err := read(ctx, conn, &frame); err != nil {
			return err
		}
		c := frame.ConversationsChanged
		if c.Kind == "RESET" {
			return errResync
		}
		w.mu.Lock()
		w.cursor, w.total = c.Cursor, c.Counts.Total
		switch c.Kind {
		case "ENTER", "UPDATE":
			w.rows[c.ConversationID] = c.Conversation.String()
		case "LEAVE":
			delete(w.rows, c.ConversationID)
		}
		w.mu.Unlock()
	}
}

func (w *watcher) connect(conn *websocket.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = conn
}

// drop cuts the connection, as a lost network does; it reports whether there was
// one.
func (w *watcher) drop() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil {
		return false
	}
	_ = w.conn.CloseNow()
	w.conn = nil
	return true
}

// breaks is how often the stream broke off, and how often it began anew.
func (w *watcher) breaks() (resumes, resyncs int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.resumes, w.resyncs
}

// settled reports whether what was folded is what a fresh query says.
func (w *watcher) settled(ctx context.Context) (ok bool, difference string) {
	rows, total, _, err := w.fresh(ctx)
	if err != nil {
		return false, err.Error()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if maps.Equal(rows, w.rows) && total == w.total {
		return true, ""
	}
	return false, fmt.Sprintf("%s %v\nfresh  %d %v\nfolded %d %v", w.username, w.view, total, rows, w.total, w.rows)
}
