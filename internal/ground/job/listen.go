package job

import (
	"context"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// sqliteDriver is River's SQLite driver with news from inside the process in
// place of a table that is polled twenty times a second: a queued message leaves
// in milliseconds, and an idle process costs nothing. What another process adds
// to the file (or what no bell rang for) is found by the usual poll.
type sqliteDriver struct {
	*riversqlite.Driver
	news <-chan struct{}
}

// SupportsListenNotify implements riverdriver.Driver: no notification is written.
func (sqliteDriver) SupportsListenNotify() bool { return false }

// GetListener implements riverdriver.Driver.
func (d sqliteDriver) GetListener(*riverdriver.GetListenenerParams) riverdriver.Listener {
	return listener{d.news}
}

// listener tells River of new jobs when the bell rings.
type listener struct{ news <-chan struct{} }

// River's name for news of inserted jobs in the one queue we use.
const (
	insertTopic = "river_insert"
	insertNews  = `{"queue":"default"}`
)

func (listener) Close(context.Context) error            { return nil }
func (listener) Connect(context.Context) error          { return nil }
func (listener) Listen(context.Context, string) error   { return nil }
func (listener) Ping(context.Context) error             { return nil }
func (listener) Schema() string                         { return "" }
func (listener) SetAfterConnectExec(string)             {}
func (listener) Unlisten(context.Context, string) error { return nil }

func (l listener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	select {
	case <-l.news:
		return &riverdriver.Notification{Topic: insertTopic, Payload: insertNews}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
