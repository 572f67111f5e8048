package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/app"
	"parley/internal/admin/seed"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// readers is how many clients read at once.
const readers = 8

// reads compares pages of inboxes and threads.
func (s *settings) reads(ctx context.Context, r *report) error {
	return s.withApp(ctx, func(ctx context.Context, a *app.App) error {
		for _, part := range []func(context.Context, *report, *app.App) error{s.inbox, s.depth, s.threads} {
			if err := part(ctx, r, a); err != nil {
				return err
			}
		}
		return nil
	})
}

const inboxQuery = `query Inbox { conversations(view: {kind: MY_INBOX}, first: 50) {
	nodes { id name preview isUnread newCount lastMessageAt owner { id name } lastMessage { id direction createdAt } }
	pageInfo { hasNextPage endCursor } } }`

// inbox compares a page of My Inbox to a plain handler with one statement.
func (s *settings) inbox(ctx context.Context, r *report, a *app.App) error {
	amy, err := newCaller(a, "amy", readers)
	if err != nil {
		return err
	}
	graph, err := amy.repeated("Parley", inboxQuery, nil)
	if err != nil {
		return err
	}
	var page struct {
		Conversations struct{ Nodes []struct{ ID string } }
	}
	if err := amy.ask(ctx, &page, inboxQuery, nil); err != nil {
		return err
	}
	if n := len(page.Conversations.Nodes); n != 50 {
		return fmt.Errorf("amy's inbox holds %d conversations; seed more", n)
	}
	db, err := openRaw(ctx, s.Database, false, max(2, runtime.NumCPU()))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return s.compare(ctx, r, comparison{"inbox page, 50 rows", readers, []contender{
		plainInbox(db, a.Directory.AgentNamed("amy").Key), graph,
	}})
}

// plainRow is what the plain handler answers for a conversation.
type plainRow struct {
	ID            string     `json:"id"`
	Name          string     `json:"name"`
	Preview       string     `json:"preview"`
	IsUnread      bool       `json:"isUnread"`
	NewCount      int64      `json:"newCount"`
	LastMessageAt string     `json:"lastMessageAt"`
	Owner         *plainNode `json:"owner"`
	LastMessage   *plainLast `json:"lastMessage"`
}

type plainNode struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type plainLast struct {
	ID        string `json:"id"`
	Direction string `json:"direction"`
	CreatedAt string `json:"createdAt"`
}

// plainInbox is what one writes without a graph: no token, no policy, one
// statement, encoding/json.
func plainInbox(db *database, owner int64) contender {
	return plainList(db, `SELECT c.id, c.name, c.preview, c.is_unread, c.inbound_count - c.read_count, c.last_message_at,
		a.id, a.name, m.id, m.direction, m.created_at
		FROM conversations c JOIN agents a ON a.id = c.owner_id JOIN messages m ON m.id = c.last_message_id
		WHERE c.owner_id = ? AND c.inbound_count > 0 ORDER BY c.last_message_at DESC, c.id DESC LIMIT 50`, owner)
}

// plainList is a plain handler that lists what a statement reads.
func plainList(db *database, statement string, argument int64) contender {
	statement = db.bind(statement)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list, err := plainRows(r.Context(), db, statement, argument)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(list)
	})
	out := sinks(readers)
	return contender{"plain handler, one SQL, encoding/json", func(ctx context.Context, client int) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://plain.test/inbox", http.NoBody)
		if err != nil {
			return err
		}
		out[client].reset()
		handler.ServeHTTP(out[client], req)
		if out[client].status != http.StatusOK {
			return fmt.Errorf("the plain handler answered %d: %s", out[client].status, out[client].body.String())
		}
		return nil
	}}
}

func plainRows(ctx context.Context, db *database, statement string, argument int64) ([]plainRow, error) {
	rows, err := db.QueryContext(ctx, statement, argument)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := make([]plainRow, 0, 50)
	for rows.Next() {
		var id, at, agent, last, lastAt int64
		row := plainRow{Owner: &plainNode{}, LastMessage: &plainLast{}}
		if err := rows.Scan(&id, &row.Name, &row.Preview, &row.IsUnread, &row.NewCount, &at, &agent, &row.Owner.Name,
			&last, &row.LastMessage.Direction, &lastAt); err != nil {
			return nil, err
		}
		row.ID, row.Owner.ID, row.LastMessage.ID = strconv.FormatInt(id, 10), strconv.FormatInt(agent, 10), strconv.FormatInt(last, 10)
		row.LastMessageAt, row.LastMessage.CreatedAt = instant(at), instant(lastAt)
		list = append(list, row)
	}
	return list, rows.Err()
}

func instant(micros int64) string { return time.UnixMicro(micros).UTC().Format(time.RFC3339Nano) }

const pageQuery = `query Page($size: Int!, $after: String) { conversations(view: {kind: ALL}, first: $size, after: $after) {
	nodes { id name preview isUnread newCount lastMessageAt } pageInfo { endCursor hasNextPage } } }`

// depth compares the first page of a list to page 2,000, or the last one.
func (s *settings) depth(ctx context.Context, r *report, a *app.App) error {
	const size, wanted = 10, 2000
	ada, err := newCaller(a, "ada", readers)
	if err != nil {
		return err
	}
	page := min(wanted, s.Conversations/size-1)
	cursor, err := walk(ctx, ada, (page-1)*size)
	if err != nil {
		return err
	}
	first, err := ada.repeated("page 1", pageQuery, map[string]any{"size": size})
	if err != nil {
		return err
	}
	deep, err := ada.repeated(fmt.Sprintf("page %d", page), pageQuery, map[string]any{"size": size, "after": cursor})
	if err != nil {
		return err
	}
	return s.compare(ctx, r, comparison{"depth of a list, 10 rows", readers, []contender{first, deep}})
}

// walk returns the cursor after so many rows.
func walk(ctx context.Context, c *caller, rows int) (cursor *string, err error) {
	for rows > 0 {
		n := min(rows, 100)
		var page struct {
			Conversations struct{ PageInfo struct{ EndCursor *string } }
		}
		if err := c.ask(ctx, &page, pageQuery, map[string]any{"size": n, "after": cursor}); err != nil {
			return nil, err
		}
		cursor = page.Conversations.PageInfo.EndCursor
		rows -= n
	}
	return cursor, nil
}

const threadQuery = `query Thread($id: ID!) { conversation(id: $id) { id name messages(last: 20) {
	nodes { id number direction status createdAt content { ... on TextContent { text } ... on NoteContent { text } } } } } }`

// threads compares the newest 20 messages of a short and of a long thread.
func (s *settings) threads(ctx context.Context, r *report, a *app.App) error {
	ada, err := newCaller(a, "ada", readers)
	if err != nil {
		return err
	}
	var list []contender
	for _, o := range []seed.Options{shortThread(), s.longThread()} {
		id, err := thread(ctx, a, o.Messages)
		if err != nil {
			return err
		}
		c, err := ada.repeated(fmt.Sprintf("thread of %d messages", o.Messages), threadQuery, map[string]any{"id": id})
		if err != nil {
			return err
		}
		list = append(list, c)
	}
	return s.compare(ctx, r, comparison{"newest 20 of a thread", readers, list})
}

// thread returns the id of a conversation with so many messages.
func thread(ctx context.Context, a *app.App, messages int) (string, error) {
	key := int64(0)
	q := a.Store.Builder().Select("id").From(entsql.Table("conversations")).Where(entsql.EQ("last_seq", messages)).Limit(1)
	err := a.Store.Read(ctx, store.System("a measurement"), q, func(rows *sql.Rows) error { return rows.Scan(&key) })
	if err == nil && key == 0 {
		err = fmt.Errorf("no conversation has %d messages", messages)
	}
	return a.Conversations.IDs.Encode(publicid.Conversation, key), err
}
