package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Step is something that a page must show, and what happens then.
type Step struct {
	What       string // for whoever reads of a failure
	Expression string // true when it is shown
	Then       func()
}

// CheckPage opens a page of a server at host in a fresh browser and takes the steps in
// turn. It fails t when one is not seen, when anything but the host is asked for, when a
// request fails, or when the console shows an error.
func CheckPage(t testing.TB, host, address string, steps []Step) {
	t.Helper()
	p := open(t, host)
	p.do(chromedp.Navigate(address))
	for _, step := range steps {
		p.wait(step.What, step.Expression)
		if step.Then != nil {
			step.Then()
		}
	}
	require.Empty(t, p.log.faults(), "what went wrong inside the browser")
}
