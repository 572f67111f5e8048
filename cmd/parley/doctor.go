package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"parley/internal/admin/doctor"
	"parley/internal/channel/registry"
)

// doctorCmd examines what `parley serve` with the same flags and environment runs
// on.
type doctorCmd struct {
	serveCmd `embed:""`
	Deep     bool `help:"Check everything, however long it takes."`
	JSON     bool `help:"Print the findings as a JSON array."`
}

var errUnwell = errors.New("something does not work: see FAIL above")

// Run implements the command.
func (d *doctorCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // it speaks for itself
	issuers, err := d.issuers()
	_, unusable := d.bounds()
	var found []doctor.Finding
	well := doctor.Examine(ctx, doctor.Options{
		Database: c.Database, Mode: d.Mode, Addr: d.Addr, PrivateAddr: d.PrivateAddr, PublicURL: d.PublicURL,
		NATS: d.NATS, Origins: d.Origins, Issuers: issuers, Refused: errors.Join(err, unusable), Demo: d.Demo, Deep: d.Deep, Key: c.keyOptions(),
		Providers: registry.Providers(registry.Options{}),
	}, func(f doctor.Finding) {
		if found = append(found, f); !d.JSON {
			sayFinding(out, f)
		}
	})
	if d.JSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(found); err != nil {
			return err
		}
	}
	if !well {
		return errUnwell
	}
	return nil
}

func sayFinding(out io.Writer, f doctor.Finding) {
	line := fmt.Sprintf("%-4s  %s: %s", f.Level, f.Check, f.Means)
	if f.Do != "" {
		line += " " + f.Do
	}
	fmt.Fprintln(out, line)
}
