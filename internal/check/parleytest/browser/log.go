package browser

import (
	"fmt"
	"net/url"
	"slices"
	"sync"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// log collects what must not happen in the browser.
type log struct {
	host string // the only host that may be asked

	mu   sync.Mutex
	bad  []string
	seen int
}

func newLog(host string) *log { return &log{host: host} }

// faults returns what went wrong so far.
func (l *log) faults() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.bad)
}

func (l *log) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bad = append(l.bad, fmt.Sprintf(format, args...))
}

// requests returns how many addresses the page has asked for.
func (l *log) requests() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// observe takes the browser's events.
func (l *log) observe(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		l.checkAddress(e.Request.URL)
	case *network.EventWebSocketCreated:
		l.checkAddress(e.URL)
	case *network.EventWebSocketFrameError:
		l.add("WebSocket: %s", e.ErrorMessage)
	case *network.EventLoadingFailed:
		if !e.Canceled {
			l.add("a %s could not be loaded: %s", e.Type, e.ErrorText)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			l.add("%s answered %d", e.Response.URL, e.Response.Status)
		}
	case *runtime.EventExceptionThrown:
		l.add("exception: %s", exceptionText(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		l.checkConsole(e)
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError {
			l.add("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	}
}

func (l *log) checkConsole(e *runtime.EventConsoleAPICalled) {
	if e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeAssert {
		return
	}
	for _, arg := range e.Args {
		l.add("console: %s %s", arg.Value, arg.Description)
	}
}

// checkAddress accepts the one host, and what is not fetched at all.
func (l *log) checkAddress(address string) {
	l.mu.Lock()
	l.seen++
	l.mu.Unlock()
	u, err := url.Parse(address)
	if err == nil && (u.Host == l.host || u.Scheme == "data" || u.Scheme == "blob") {
		return
	}
	l.add("the page asked for %s", address)
}

func exceptionText(d *runtime.ExceptionDetails) string {
	if d.Exception == nil {
		return d.Text
	}
	return d.Text + ": " + d.Exception.Description
}
