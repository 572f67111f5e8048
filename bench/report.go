package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"text/tabwriter"
	"time"

	"parley/internal/ground/store/address"
)

// figure is a line of the table. Zero means that there is nothing to say.
type figure struct {
	Group     string  `json:"group"`
	Name      string  `json:"name"`
	Clients   int     `json:"clients"`
	Ratio     float64 `json:"ratio,omitempty"` // to the group's first line, more is better; the rounds' median
	Lowest    float64 `json:"lowestRatio,omitempty"`
	Highest   float64 `json:"highestRatio,omitempty"`
	PerSecond float64 `json:"perSecond,omitempty"`
	P50       float64 `json:"p50Ms,omitempty"`
	P99       float64 `json:"p99Ms,omitempty"`
	Allocs    float64 `json:"allocsPerOperation,omitempty"`
	CPU       float64 `json:"cpuMicros,omitempty"`     // for each operation, of all processes measured
	Kilobytes float64 `json:"kilobytesEach,omitempty"` // of 1,000 bytes, for each client
	Note      string  `json:"note,omitempty"`
}

// report is everything that was measured, and on what.
type report struct {
	When     time.Time `json:"when"`
	Go       string    `json:"go"`
	CPUs     int       `json:"cpus"`
	Database string    `json:"database"`
	Settings settings  `json:"settings"`
	Figures  []figure  `json:"figures"`
}

func newReport(s *settings) *report {
	r := &report{When: time.Now().UTC(), Go: runtime.Version(), CPUs: runtime.NumCPU(), Database: "SQLite", Settings: *s}
	if address.IsPostgres(s.Database) {
		r.Database = "PostgreSQL"
	}
	r.Settings.Database = "" // it may hold a password
	return r
}

func (r *report) add(f figure) { r.Figures = append(r.Figures, f) }

func (r *report) finish(w io.Writer, path string) error {
	document, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := r.table(w); err != nil {
		return err
	}
	return os.WriteFile(path, append(document, '\n'), 0o600)
}

func (r *report) table(w io.Writer) error {
	_, _ = fmt.Fprintf(w, "\n%s, %s, %d CPUs; a ratio above 1.00 is faster, or takes less, than the first line of its group\n\n", r.Go, r.Database, r.CPUs)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "what\tclients\tratio\t(rounds)\tper second\tp50 ms\tp99 ms\tallocs\tCPU µs\tKB each\t")
	group := ""
	for _, f := range r.Figures {
		if f.Group != group {
			group = f.Group
			_, _ = fmt.Fprintf(t, "%s\t\t\t\t\t\t\t\t\t\t\n", group)
		}
		ratio, rounds := "", ""
		if f.Ratio > 0 {
			ratio, rounds = fmt.Sprintf("%.2f", f.Ratio), fmt.Sprintf("%.2f–%.2f", f.Lowest, f.Highest)
		}
		_, _ = fmt.Fprintf(t, "  %s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Name, f.Clients, ratio, rounds,
			number("%.0f", f.PerSecond), number("%.2f", f.P50), number("%.2f", f.P99), number("%.0f", f.Allocs), number("%.0f", f.CPU), number("%.1f", f.Kilobytes), f.Note)
	}
	return t.Flush()
}

func number(format string, v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf(format, v)
}
