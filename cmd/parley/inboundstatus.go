package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"parley/app"
)

// inboundStatusCmd says what has come from carriers, what could not be processed, and
// how to go on. It may run beside a server.
type inboundStatusCmd struct{ asJSON }

// Run implements the command.
func (s *inboundStatusCmd) Run(ctx context.Context, c *cli, out io.Writer) (err error) {
	a, err := app.Open(ctx, c.config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	states, err := a.Receiver.States(ctx)
	if err != nil {
		return err
	}
	lines := []inboundLine{}
	for _, s := range states {
		line := inboundLine{Account: s.Account, Provider: s.Provider, IsActive: s.IsActive, CanCatchUp: s.CanList, Failed: []failureLine{}, Unlisted: s.Unlisted}
		if !s.LastHeard.IsZero() {
			line.LastHeard = s.LastHeard.String()
		}
		for _, f := range s.Failed {
			line.Failed = append(line.Failed, failureLine{f.Problem, f.Entries, f.Last.String()})
		}
		lines = append(lines, line)
	}
	if s.JSON {
		return printJSON(out, lines)
	}
	return sayInbound(out, lines)
}

// inboundLine is an account as it is printed.
type inboundLine struct {
	Account    string        `json:"account"`
	Provider   string        `json:"provider"`
	IsActive   bool          `json:"isActive"`
	LastHeard  string        `json:"lastHeard,omitempty"`
	CanCatchUp bool          `json:"canCatchUp"`
	Failed     []failureLine `json:"failed"`
	Unlisted   int           `json:"failedUnlisted,omitempty"` // reasons beyond these
}

// failureLine is a reason why entries could not be processed.
type failureLine struct {
	Problem string `json:"problem"`
	Entries int    `json:"entries"`
	Last    string `json:"last"`
}

func sayInbound(out io.Writer, lines []inboundLine) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ACCOUNT\tPROVIDER\tSTATE\tLAST HEARD\tCAN CATCH UP")
	for _, s := range lines {
		list := "no"
		if s.CanCatchUp {
			list = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", s.Account, s.Provider, state(s.IsActive), cmp.Or(s.LastHeard, "nothing on file"), list)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	failed, canCatchUp := false, false
	for _, s := range lines {
		canCatchUp = canCatchUp || s.CanCatchUp && s.IsActive
		for _, f := range s.Failed {
			fmt.Fprintf(out, "%s: %d could not be processed, the newest at %s: %s\n", s.Account, f.Entries, f.Last, f.Problem)
			failed = true
		}
		if s.Unlisted > 0 {
			fmt.Fprintf(out, "%s: and %d more reasons\n", s.Account, s.Unlisted)
		}
	}
	if failed {
		fmt.Fprintln(out, "Fix the causes, then process these entries: parley inbound rerun")
	}
	if !canCatchUp {
		return nil
	}
	_, err := fmt.Fprintln(out, "If something came while nobody could take it: parley inbound catch-up --since TIME --dry-run")
	return err
}
