package channeltest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// fault is what stands between a provider and a healthy carrier.
type fault int

const (
	healthy     fault = iota
	hang              // never answers, takes nothing
	hangTaken         // takes the request and never answers
	drop              // breaks the connection, takes nothing
	dropTaken         // takes the request and breaks the connection
	serverError       // 500 after taking it
	garbage           // 200 with no JSON
	oversize          // 200 with more than anybody may have to read
	redirect          // 307 to a place that takes everything
)

// front is a handler that puts faults in front of a carrier.
type front struct {
	carrier http.Handler

	hanging  chan struct{} // gets a value when a request begins to hang
	mu       sync.Mutex
	fault    fault
	followed bool
}

func (f *front) set(to fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = to
}

func (f *front) current() fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault
}

func (f *front) wasFollowed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.followed
}

func newFront(carrier http.Handler) *front {
	return &front{carrier: carrier, hanging: make(chan struct{}, 1)}
}

// wait says that a request hangs, until its caller gives up.
func (f *front) wait(r *http.Request) {
	f.hanging <- struct{}{}
	<-r.Context().Done()
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/elsewhere" {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.followed = true
		return
	}
	switch f.current() {
	case healthy:
		f.carrier.ServeHTTP(w, r)
	case hang:
		_, _ = io.Copy(io.Discard, r.Body)
		f.wait(r)
	case hangTaken:
		f.carrier.ServeHTTP(httptest.NewRecorder(), r)
		f.wait(r)
	case drop:
		panic(http.ErrAbortHandler)
	case dropTaken:
		f.carrier.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case serverError:
		f.carrier.ServeHTTP(httptest.NewRecorder(), r)
		w.WriteHeader(http.StatusInternalServerError)
	case garbage:
		_, _ = io.WriteString(w, "<html>welcome</html>")
	case oversize:
		_, _ = io.WriteString(w, `{"id":"SM1","sid":"SM1"}`+strings.Repeat(" ", 1<<20))
	case redirect:
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}
}
