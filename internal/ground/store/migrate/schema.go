package migrate

import (
	"context"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// Schema is how a database's tables stand to what this program knows.
type Schema struct {
	// Version is that of the newest migration applied, 0 when there is none.
	Version int64
	// Known is the newest that this program knows.
	Known int64
	// Pending is how many of those it knows are not applied, the job tables' too.
	Pending int
}

// Read reads the schema of a database without changing anything.
func Read(ctx context.Context, d Database) (s Schema, err error) {
	provider, err := d.provider()
	if err != nil {
		return s, err
	}
	applied, err := d.applied(ctx)
	if err != nil {
		return s, err
	}
	for version := range applied {
		s.Version = max(s.Version, version)
	}
	for _, source := range provider.ListSources() {
		if s.Known = source.Version; !applied[source.Version] {
			s.Pending++
		}
	}
	jobs, err := d.jobsAreCurrent(ctx)
	if err == nil && !jobs {
		s.Pending++
	}
	return s, err
}

// applied returns the versions of the migrations applied.
func (d Database) applied(ctx context.Context) (versions map[int64]bool, err error) {
	rows, err := d.DB.QueryContext(ctx, "SELECT version_id FROM goose_db_version WHERE is_applied")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	versions = map[int64]bool{}
	for rows.Next() {
		var version int64
		if err := rows.Scan(&version); err != nil {
			return nil, err
		}
		versions[version] = true
	}
	return versions, rows.Err()
}

func (d Database) jobsAreCurrent(ctx context.Context) (bool, error) {
	if d.Pool != nil {
		return validRiver(rivermigrate.New(riverpgxv5.New(d.Pool), nil))(ctx)
	}
	return validRiver(rivermigrate.New(riversqlite.New(d.DB), nil))(ctx)
}

func validRiver[T any](m *rivermigrate.Migrator[T], err error) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		if err != nil {
			return false, err
		}
		result, err := m.Validate(ctx, nil)
		if err != nil {
			return false, err
		}
		return result.OK, nil
	}
}
