package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress tells how many bytes are done: by a bar on a terminal, elsewhere by a
// line every few seconds.
type progress struct {
	out  io.Writer
	what string
	bar  *progressbar.ProgressBar
	last time.Time // of a line
}

func newProgress(out *os.File, what string) *progress {
	p := &progress{out: out, what: what, last: time.Now()}
	if term.IsTerminal(int(out.Fd())) {
		p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(true), progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth())
	}
	return p
}

func (p *progress) at(done, total int64) {
	switch {
	case p.bar != nil:
		p.bar.ChangeMax64(max(total, 1))
		_ = p.bar.Set64(done)
	case time.Since(p.last) >= 3*time.Second:
		p.last = time.Now()
		fmt.Fprintf(p.out, "%s: %.0f of %.0f MB\n", p.what, float64(done)/1e6, float64(total)/1e6)
	}
}

// close leaves a bar's line.
func (p *progress) close() {
	if p.bar != nil {
		fmt.Fprintln(p.out)
	}
}
