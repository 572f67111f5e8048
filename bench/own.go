package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// ownSQLite returns the path of a database that is there until drop.
func ownSQLite(context.Context) (path string, drop func() error, err error) {
	dir, err := os.MkdirTemp("", "parley-bench-")
	return filepath.Join(dir, "bench.db"), func() error { return os.RemoveAll(dir) }, err
}

// ownPostgres makes a database on the server, which is there until drop.
func (s *settings) ownPostgres(ctx context.Context) (address string, drop func() error, err error) {
	at, err := url.Parse(s.Server)
	if err != nil {
		return "", nil, errors.New("--server is not a PostgreSQL URL: expected postgres://user:password@host:port/name")
	}
	name := "parley_bench_" + strings.ToLower(rand.Text())
	if err := s.onServer(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	at.Path = "/" + name
	drop = func() error { return s.onServer(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)") }
	return at.String(), drop, nil
}

func (s *settings) onServer(ctx context.Context, statement string) error {
	db, err := sql.Open("pgx", s.Server)
	if err == nil {
		_, err = db.ExecContext(ctx, statement)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		return fmt.Errorf("needs a PostgreSQL server; start one, or name it by --server: %w", err)
	}
	return nil
}
