package observe

import (
	"net/http"
	"strings"

	"parley/internal/edge/answer"
)

// recorder notes status and size, and turns the plain-text errors of
// http.Error, which libraries write, into JSON.
type recorder struct {
	http.ResponseWriter
	request  *http.Request
	status   int
	bytes    int64
	replaced bool
}

// Refused reports whether the answer was 4xx, the caller's mistake. Handlers ask
// for it by the interface, after they have served.
func (rec *recorder) Refused() bool {
	return rec.status >= http.StatusBadRequest && rec.status < http.StatusInternalServerError
}

// Unwrap serves http.ResponseController.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// WriteHeader implements http.ResponseWriter. A second status is dropped.
func (rec *recorder) WriteHeader(status int) {
	switch {
	case rec.status != 0:
		return
	case status < http.StatusOK && status != http.StatusSwitchingProtocols:
		rec.ResponseWriter.WriteHeader(status)
		return
	case status >= http.StatusBadRequest && strings.HasPrefix(rec.Header().Get("Content-Type"), "text/plain"):
		rec.Header().Del("Content-Length")
		answer.Refuse(rec, rec.request, status, answer.ForStatus(status))
		rec.replaced = true
		return
	}
	rec.status = status
	rec.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (rec *recorder) Write(b []byte) (int, error) {
	if rec.replaced {
		return len(b), nil
	}
	if rec.status == 0 {
		rec.WriteHeader(http.StatusOK)
		if rec.replaced {
			return len(b), nil
		}
	}
	n, err := rec.ResponseWriter.Write(b)
	rec.bytes += int64(n)
	return n, err
}
