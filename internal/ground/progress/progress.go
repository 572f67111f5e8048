// Package progress shows how far a command has come: as a bar on a terminal, elsewhere
// as a line from time to time.
package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Bytes is the unit of what is counted in bytes and shown in MB.
const Bytes = "bytes"

// between is how far apart two lines are.
const between = 2 * time.Second

// Progress is of one thing that goes from 0 to a total. It is for one goroutine.
type Progress struct {
	out        io.Writer
	what, unit string
	bar        *progressbar.ProgressBar // on a terminal
	last       time.Time                // of a line, elsewhere
}

// New shows on out that what is under way, counted in unit; nothing where out is nil.
func New(out io.Writer, what, unit string) *Progress {
	p := &Progress{out: out, what: what, unit: unit}
	if unit == Bytes { // most copies are done before a line is worth it
		p.last = time.Now()
	}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionShowBytes(unit == Bytes), progressbar.OptionSetPredictTime(true),
			progressbar.OptionFullWidth())
	}
	return p
}

// At tells how far it is.
func (p *Progress) At(done, total int64) {
	switch {
	case p.out == nil:
	case p.bar != nil:
		p.bar.ChangeMax64(max(total, 1))
		_ = p.bar.Set64(done)
	case time.Since(p.last) >= between || done >= total && p.unit != Bytes:
		p.last = time.Now()
		p.line(done, total)
	}
}

func (p *Progress) line(done, total int64) {
	if p.unit == Bytes {
		_, _ = fmt.Fprintf(p.out, "%s: %.0f of %.0f MB\n", p.what, float64(done)/1e6, float64(total)/1e6)
		return
	}
	_, _ = fmt.Fprintf(p.out, "%s: %d of %d %s\n", p.what, done, total, p.unit)
}

// Close leaves a bar's line.
func (p *Progress) Close() {
	if p.bar != nil {
		_, _ = fmt.Fprintln(p.out)
	}
}
