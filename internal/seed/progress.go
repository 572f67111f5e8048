package seed

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress tells how many conversations are done.
type progress struct {
	out   io.Writer
	total int
	bar   *progressbar.ProgressBar // on a terminal
	last  time.Time                // of a line, elsewhere
}

// newProgress shows on out; on nothing when it is nil.
func newProgress(out io.Writer, total int) *progress {
	p := &progress{out: out, total: total}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription("conversations"),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth())
	}
	return p
}

func (p *progress) at(done int) {
	switch {
	case p.out == nil:
	case p.bar != nil:
		_ = p.bar.Set(done)
	case done == p.total || time.Since(p.last) >= time.Second:
		p.last = time.Now()
		_, _ = fmt.Fprintf(p.out, "seed: %d of %d conversations\n", done, p.total)
	}
}

// close leaves a bar's line.
func (p *progress) close() {
	if p.bar != nil {
		_, _ = fmt.Fprintln(p.out)
	}
}
