package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// jobInserter adds jobs to the transaction open on conn.
type jobInserter func(ctx context.Context, conn *sql.Conn, tx *sql.Tx, jobs []river.InsertManyParams) error

func (s *Store) newJobInserter() (jobInserter, error) {
	if s.pool == nil {
		client, err := river.NewClient(silentSQLite{riversqlite.New(nil)}, &river.Config{})
		return func(ctx context.Context, _ *sql.Conn, tx *sql.Tx, jobs []river.InsertManyParams) error {
			_, err := client.InsertManyFastTx(ctx, tx, jobs) // fast, for it does not read them again
			return err
		}, err
	}
	// River tells workers of new jobs at most once in this time.
	client, err := river.NewClient(riverpgxv5.New(nil), &river.Config{FetchCooldown: river.FetchCooldownMin})
	return func(ctx context.Context, conn *sql.Conn, _ *sql.Tx, jobs []river.InsertManyParams) error {
		return conn.Raw(func(driverConn any) error {
			c, ok := driverConn.(*stdlib.Conn)
			if !ok {
				return fmt.Errorf("store: the driver connection is a %T", driverConn)
			}
			_, err := client.InsertManyTx(ctx, openTx{c.Conn()}, jobs) // the fast way is COPY, which knows no unique jobs
			return err
		})
	}, err
}

// silentSQLite adds jobs without a row in River's table of news: the workers of
// this process hear of them otherwise (package job).
type silentSQLite struct{ *riversqlite.Driver }

// SupportsListenNotify implements riverdriver.Driver.
func (silentSQLite) SupportsListenNotify() bool { return false }

// openTx shows River the transaction that database/sql has open on a pgx
// connection. It ends with that transaction, never by itself.
type openTx struct{ pgConn }

type pgConn = *pgx.Conn

var errNotOurs = errors.New("store: the transaction belongs to the group writer")

// Commit is refused: the group writer commits.
func (openTx) Commit(context.Context) error { return errNotOurs }

// Rollback is refused: the group writer rolls back.
func (openTx) Rollback(context.Context) error { return errNotOurs }

// LargeObjects is not used by River.
func (openTx) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }

// Conn returns the connection.
func (t openTx) Conn() *pgx.Conn { return t.pgConn }

// Pool is the PostgreSQL pool, nil on SQLite: what the job workers run on.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// WriterDB is SQLite's one writing connection: what the job workers run on
// there, so that they take turns with the group writer.
func (s *Store) WriterDB() *sql.DB { return s.db }
