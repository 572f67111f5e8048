package main

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"

	"parley/app"
)

// deskRow is a conversation of the desk's page, as every contender's answer is
// brought to; the plain handler answers it as it is.
type deskRow struct {
	Name          string `json:"name"`
	Address       string `json:"address"`
	Preview       string `json:"preview"`
	IsUnread      bool   `json:"isUnread"`
	NewCount      int64  `json:"newCount"`
	LastMessageAt int64  `json:"lastMessageAt"` // in microseconds
	Owner         string `json:"owner"`
	LastText      string `json:"lastText"`
	LastStatus    string `json:"lastStatus"`
	LastAt        int64  `json:"lastAt"`
}

const plainDesk = `SELECT COALESCE(NULLIF(c.name, ''), c.address), c.address, c.preview, c.is_unread, c.inbound_count - c.read_count,
	c.last_message_at, COALESCE(a.name, ''), m.text, m.status, m.created_at
	FROM conversations c LEFT JOIN agents a ON a.id = c.owner_id LEFT JOIN messages m ON m.id = c.last_message_id
	ORDER BY c.last_message_at DESC, c.id DESC LIMIT 50`

// runPlain is a stand with the least one writes for the desk's page: no graph, no
// token, no policy, one statement, encoding/json.
func runPlain(ctx context.Context, database string) error {
	app.Slack() // as Parley has it
	db, err := openRaw(ctx, database, false, max(2, runtime.NumCPU()))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	addr, stop, err := serve(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rows, err := plainDeskRows(r.Context(), db)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(rows)
	}))
	if err != nil {
		return err
	}
	defer stop()
	return serveOrders(hello{Page: "http://" + addr}, "", nil)
}

func plainDeskRows(ctx context.Context, db *database) ([]deskRow, error) {
	rows, err := db.QueryContext(ctx, plainDesk)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := make([]deskRow, 0, 50)
	for rows.Next() {
		var r deskRow
		if err := rows.Scan(&r.Name, &r.Address, &r.Preview, &r.IsUnread, &r.NewCount, &r.LastMessageAt, &r.Owner,
			&r.LastText, &r.LastStatus, &r.LastAt); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}
