package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"parley/app"
	"parley/internal/desk/journal"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// asJSON is the flag of commands that programs read.
type asJSON struct {
	JSON bool `help:"Print JSON."`
}

// operator has the use cases of administrators, by the names that people type.
type operator struct{ *app.App }

// asOperator opens the database for the operator, who may do everything.
func asOperator(ctx context.Context, c *cli, do func(context.Context, *operator) error) error {
	return operate(ctx, c.config(), do)
}

// asKeeper is asOperator, also with the key of another database.
func asKeeper(ctx context.Context, c *cli, do func(context.Context, *operator) error) error {
	config := c.config()
	config.AnyKey = true
	return operate(ctx, config, do)
}

func operate(ctx context.Context, config app.Config, do func(context.Context, *operator) error) (err error) {
	a, err := app.Open(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return plain(do(viewer.AsSystem(ctx, "command line"), &operator{a}))
}

// mostListed bounds what a command lists.
const mostListed = 1_000

// atMost refuses a --most beyond mostListed, which would cut the list silently.
func atMost(n int, instead string) error {
	if n > mostListed {
		return fmt.Errorf("--most: a list has at most %d lines, not %d; for others use %s", mostListed, n, instead)
	}
	return nil
}

// noteImport writes to the audit that rows of a file were loaded, if any were.
func noteImport(ctx context.Context, s *store.Store, what, file string, rows int64) error {
	if rows == 0 {
		return nil
	}
	return s.Write(viewer.AsSystem(ctx, "command line"), func(ctx context.Context, tx *store.Tx) error {
		e := journal.Entry{Action: journal.Imported, SubjectType: what, SubjectName: filepath.Base(file), Count: rows}
		return e.Write(ctx, tx)
	})
}

func state(active bool) string {
	if active {
		return "active"
	}
	return "deactivated"
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func printJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
