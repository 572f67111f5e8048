//go:build ignore

// Diff writes the next versioned migration of both databases: what the ent
// schema has that the migrations do not make yet.
//
//	go run -mod=mod ent/migrate/diff.go NAME
//
// It needs an empty PostgreSQL database to replay the migrations in:
// PARLEY_DEV_POSTGRES, by default postgres://postgres@127.0.0.1:5432/parley_dev.
package main

import (
	"context"
	"database/sql"
	"log"
	"os"

	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
	"github.com/jackc/pgx/v5/stdlib"
	_ "github.com/mattn/go-sqlite3"

	"parley/ent/migrate"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: go run -mod=mod ent/migrate/diff.go NAME")
	}
	sql.Register("postgres", stdlib.GetDefaultDriver())
	postgres := os.Getenv("PARLEY_DEV_POSTGRES")
	if postgres == "" {
		postgres = "postgres://postgres@127.0.0.1:5432/parley_dev?sslmode=disable&search_path=public"
	}
	diff(dialect.SQLite, "ent/migrate/sqlite", "sqlite://dev?mode=memory&_fk=1")
	diff(dialect.Postgres, "ent/migrate/postgres", postgres)
}

func diff(name, folder, dev string) {
	dir, err := sqltool.NewGooseDir(folder)
	if err != nil {
		log.Fatal(err)
	}
	if err := migrate.NamedDiff(context.Background(), dev, os.Args[1],
		schema.WithDir(dir),
		schema.WithMigrationMode(schema.ModeReplay),
		schema.WithDialect(name),
		schema.WithFormatter(sqltool.GooseFormatter),
		schema.WithDropColumn(true),
		schema.WithDropIndex(true),
	); err != nil {
		log.Fatalf("%s: %v", name, err)
	}
}
