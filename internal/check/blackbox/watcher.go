package blackbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
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

// Watcher is an agent's frontend: it folds the stream of a view of at most 100
// conversations over a page, and goes on from its last cursor whenever the
// connection is lost.
type Watcher struct {
	Clients  []*Client // it goes to the next one whenever it connects
	Username string
	Kind     string         // of the view
	Filter   map[string]any // nil for none

	mu     sync.Mutex
	link   link
	rows   map[string]string
	total  int
	cursor string
}

// variables of both documents. The lock is held by the caller or not needed.
func (w *Watcher) variables() map[string]any {
	v := map[string]any{"view": map[string]any{"kind": w.Kind}, "filter": w.Filter}
	if w.cursor != "" {
		v["after"] = w.cursor
	}
	return v
}

// Fresh runs the query and returns where the log stood.
func (w *Watcher) Fresh(ctx context.Context) (cursor string, err error) {
	_, _, cursor, err = w.fresh(ctx)
	return cursor, err
}

func (w *Watcher) fresh(ctx context.Context) (rows map[string]string, total int, cursor string, err error) {
	var page struct {
		Conversations struct {
			TotalCount int
			FeedCursor string
			Nodes      []row
		}
	}
	err = w.Clients[0].Query(ctx, w.Username, listed, map[string]any{"view": map[string]any{"kind": w.Kind}, "filter": w.Filter}, &page)
	rows = map[string]string{}
	for _, r := range page.Conversations.Nodes {
		rows[r.ID] = r.String()
	}
	return rows, page.Conversations.TotalCount, page.Conversations.FeedCursor, err
}

// Run follows until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		err := w.follow(ctx, w.Clients[n%len(w.Clients)])
		anew := errors.Is(err, ErrResync)
		if anew {
			w.cursor = ""
		}
		w.link.broke(anew)
		pause(ctx)
	}
}

func (w *Watcher) follow(ctx context.Context, c *Client) error {
	if w.cursor == "" {
		rows, total, cursor, err := w.fresh(ctx)
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.rows, w.total, w.cursor = rows, total, cursor
		w.mu.Unlock()
	}
	conn, err := c.Subscribe(ctx, w.Username, changes, w.variables())
	if err != nil {
		return err
	}
	defer w.link.connect(conn)()
	for {
		var frame struct {
			ConversationsChanged struct {
				Kind, Cursor   string
				ConversationID string
				Counts         struct{ Total int }
				Conversation   *row
			}
		}
		if err := Read(ctx, conn, &frame); err != nil {
			return err
		}
		c := frame.ConversationsChanged
		if c.Kind == "RESET" {
			return ErrResync
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

// Drop cuts the connection, as a lost network does; it reports whether there was
// one.
func (w *Watcher) Drop() bool { return w.link.drop() }

// Breaks is how often the stream broke off, and how often with ErrResync.
func (w *Watcher) Breaks() (breaks, resyncs int) { return w.link.counts() }

// Settled reports whether what was folded is what a fresh query says.
func (w *Watcher) Settled(ctx context.Context) (ok bool, difference string) {
	rows, total, _, err := w.fresh(ctx)
	if err != nil {
		return false, err.Error()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if maps.Equal(rows, w.rows) && total == w.total {
		return true, ""
	}
	return false, fmt.Sprintf("%s %s\nfresh  %d %v\nfolded %d %v", w.Username, w.Kind, total, rows, w.total, w.rows)
}

// Watchers are frontends of the demo organisation's agents, on views of every
// kind; the first one sees everything.
func Watchers(clients []*Client) []*Watcher {
	return []*Watcher{
		{Clients: clients, Username: "ada", Kind: "ALL"},
		{Clients: clients, Username: "ada", Kind: "ALL", Filter: map[string]any{"isAssigned": true}},
		{Clients: clients, Username: "amy", Kind: "MY_INBOX"},
		{Clients: clients, Username: "amy", Kind: "ALL", Filter: map[string]any{"isUnread": true}},
		{Clients: clients, Username: "bo", Kind: "ALL"},
		{Clients: clients, Username: "bo", Kind: "UNASSIGNED"},
		{Clients: clients, Username: "sue", Kind: "ALL"},
	}
}
