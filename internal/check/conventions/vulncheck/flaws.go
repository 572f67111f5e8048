package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// flaws are those that a program has, by their ids.
type flaws map[string]*flaw

type flaw struct {
	summary, module, fixed string
	calls                  string // the flawed function that is called; empty when none is
}

// message is one of those that govulncheck writes, as far as it matters here.
type message struct {
	OSV *struct {
		ID, Summary string
	}
	Finding *struct {
		OSV   string
		Fixed string `json:"fixed_version"`
		Trace []struct{ Module, Version, Package, Receiver, Function string }
	}
}

func readFlaws(r io.Reader) (flaws, error) {
	found, summaries := flaws{}, map[string]string{}
	for d := json.NewDecoder(r); ; {
		var m message
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read what govulncheck wrote: %w", err)
		}
		if m.OSV != nil {
			summaries[m.OSV.ID] = m.OSV.Summary
		}
		if f := m.Finding; f != nil && len(f.Trace) > 0 {
			if found[f.OSV] == nil {
				found[f.OSV] = &flaw{fixed: f.Fixed}
			}
			found[f.OSV].module = f.Trace[0].Module + " " + f.Trace[0].Version
			if at := f.Trace[0]; at.Function != "" {
				found[f.OSV].calls = strings.Join(slices.DeleteFunc([]string{at.Package, at.Receiver, at.Function}, func(s string) bool { return s == "" }), ".")
			}
		}
	}
	for id, f := range found {
		f.summary = summaries[id]
	}
	return found, nil
}

// readAccepted reads the ids that are taken as they are, each with its reason.
func readAccepted(text string) (map[string]string, error) {
	accepted := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, reason, _ := strings.Cut(line, " ")
		if reason = strings.TrimSpace(reason); reason == "" {
			return nil, fmt.Errorf("accepted.txt: %s has no reason", id)
		}
		accepted[id] = reason
	}
	return accepted, nil
}

// judge says what was found, and fails for what is called and not accepted, and for
// what is accepted and not called.
func judge(out io.Writer, found flaws, accepted map[string]string) error {
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(found)) {
		f := found[id]
		about := fmt.Sprintf("%s in %s: %s", id, f.module, f.summary)
		switch {
		case f.calls == "":
			fmt.Fprintf(out, "not called: %s\n", about)
		case accepted[id] != "":
			fmt.Fprintf(out, "accepted: %s (%s)\n", about, accepted[id])
		case f.fixed != "":
			errs = append(errs, fmt.Errorf("%s; %s is called. Take %s, where it is mended", about, f.calls, f.fixed))
		default:
			errs = append(errs, fmt.Errorf("%s; %s is called, and no version mends it. Stop calling it, or say in accepted.txt why it does no harm", about, f.calls))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(accepted)) {
		if found[id] == nil || found[id].calls == "" {
			errs = append(errs, fmt.Errorf("%s is accepted and not called any more: take its line out of accepted.txt", id))
		}
	}
	if len(errs) == 0 {
		fmt.Fprintln(out, "No flaw that is known is called.")
	}
	return errors.Join(errs...)
}
