package server

import (
	"net/http"
	"time"

	"parley/internal/edge/answer"
	"parley/internal/ground/fault"
)

// bounded limits the body: at once if its length is stated, otherwise while it is
// read.
func bounded(most int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > most {
			w.Header().Set("Connection", "close") // what follows is not read
			answer.Refuse(w, r, http.StatusRequestEntityTooLarge, answer.TooLarge(most))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		next.ServeHTTP(w, r)
	})
}

// deadlined bounds the writing of an answer, after the time that reading and
// executing may take. A server-wide WriteTimeout would cut streams; a WebSocket
// leaves the deadline behind when it is hijacked.
func deadlined(o Options, next http.Handler) http.Handler {
	const writing = 10 * time.Second
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(o.BodyTimeout + o.RequestTimeout + writing))
		next.ServeHTTP(w, r)
	})
}

// postOnly refuses every method but POST.
func postOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			answer.Refuse(w, r, http.StatusMethodNotAllowed, fault.New(fault.BadInput, "Upload by POST."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// readOnly refuses every method but GET and HEAD.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			answer.Refuse(w, r, http.StatusMethodNotAllowed, fault.New(fault.BadInput, "This page is read-only. Use GET."))
			return
		}
		next.ServeHTTP(w, r)
	})
}
