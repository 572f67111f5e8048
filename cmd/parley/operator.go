package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"parley/app"
	"parley/internal/ground/fault"
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

// plain is the sentence of a fault, with the name of what was wrong.
func plain(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	if field := strings.TrimPrefix(f.Field, "input."); field != "" {
		return fmt.Errorf("%s: %s", field, f.Message)
	}
	return errors.New(f.Message)
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
