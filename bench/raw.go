package main

import (
	"context"
	"database/sql"
	"net/url"
	"strconv"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "github.com/mattn/go-sqlite3"    // the driver "sqlite3"

	"parley/internal/ground/store/address"
)

// database is the benchmark's database as a hand-written program would open it,
// with the settings that Parley has.
type database struct {
	*sql.DB
	postgres bool
}

func openRaw(ctx context.Context, path string, writer bool, most int) (*database, error) {
	if address.IsPostgres(path) {
		db, err := sql.Open("pgx", path)
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(most)
		db.SetMaxIdleConns(most)
		return &database{db, true}, db.PingContext(ctx)
	}
	extra := "&_query_only=1"
	if writer {
		extra, most = "&_txlock=immediate", 1
	}
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "_synchronous=FULL" +
		"&_busy_timeout=10000&_foreign_keys=1&_loc=UTC&_stmt_cache_size=256&_cache_size=-32000&_mutex=no" + extra}).String()
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return &database{db, false}, db.PingContext(ctx)
}

// bind writes the placeholders of the database into a statement.
func (d *database) bind(statement string) string {
	if !d.postgres {
		return statement
	}
	var b strings.Builder
	n := 0
	for _, r := range statement {
		if r == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
