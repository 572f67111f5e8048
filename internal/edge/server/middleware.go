package server

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"parley/internal/edge/answer"
	"parley/internal/ground/fault"
)

const requestIDHeader = "X-Request-Id"

var wellFormedID = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// request is what the layers of one request share. Only its own goroutine
// writes it; a socket's reader, once it is detached.
type request struct {
	answer.Scope

	// For the access log, filled on the way in.
	began                              time.Time
	method, route, remote              string
	username, kind, operation, outcome string
	foreign                            string // web origin that is not allowed to call

	streamed bool // its answer lived as long as its caller liked
	detached bool // its socket lives on, and writes the access log at its end
}

// detach leaves r's request to the socket that was made of it.
func (q *request) detach(r *http.Request) { q.route, q.detached = route(r), true }

type requestKey struct{}

// in returns a context of the request.
func (q *request) in(ctx context.Context) context.Context {
	return context.WithValue(answer.NewContext(ctx, &q.Scope), requestKey{}, q)
}

// requestOf returns the request of ctx; outside of one, a stand-in.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// observed is the outermost layer: request id, safe headers, the access log,
// and the answer to a panic. The log has the route, never the path or query:
// webhooks carry account keys and attempt ids there.
func (s *Server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := &request{
			Scope: answer.Scope{
				RequestID: requestID(r), Logger: s.options.Logger, Production: s.options.Mode == Production, Passing: s.options.Passing,
			},
			began: time.Now(), method: r.Method, remote: s.attempts.remote(r),
		}
		s.undeclared.look(r)
		ctx, span := s.span(r)
		r = r.WithContext(request.in(ctx))
		rec := &recorder{ResponseWriter: w, request: r}
		w.Header().Set(requestIDHeader, request.RequestID)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		defer func() {
			s.metrics.request(route(r), rec.status, request.streamed, time.Since(request.began))
			endSpan(span, r, request, rec.status)
			if !request.detached {
				request.route = route(r)
				s.logAccess(r.Context(), rec.status, rec.bytes)
			}
		}()
		defer contain(rec, r)
		next.ServeHTTP(rec, r)
	})
}

// contain answers for a panic in a handler.
func contain(rec *recorder, r *http.Request) {
	p := recover()
	switch p {
	case nil:
		return
	case http.ErrAbortHandler: // how a handler asks net/http to hang up
		panic(p)
	}
	err := answer.Recovered(r.Context(), p)
	if rec.status == 0 {
		answer.Refuse(rec, r, http.StatusInternalServerError, err)
		return
	}
	_ = answer.Present(r.Context(), err) // too late to answer, not to log
}

// logAccess writes the access log's line of the request of ctx.
func (s *Server) logAccess(ctx context.Context, status int, bytes int64) {
	request := requestOf(ctx)
	line := []slog.Attr{
		slog.String("requestId", request.RequestID),
		slog.String("method", request.method),
		slog.String("route", request.route),
		slog.Int("status", status),
		slog.Int64("bytes", bytes),
		slog.Duration("duration", time.Since(request.began)),
		slog.String("remote", request.remote),
	}
	for _, a := range []slog.Attr{
		slog.String("viewer", request.username),
		slog.String("kind", request.kind),
		slog.String("operation", request.operation),
		slog.String("outcome", request.outcome),
		slog.String("originNotListed", request.foreign),
	} {
		if a.Value.String() != "" {
			line = append(line, a)
		}
	}
	s.options.Logger.LogAttrs(ctx, slog.LevelInfo, "request", line...)
}

// route is the pattern that matched, one of a few.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return strings.TrimPrefix(r.Pattern, "GET ")
}

func requestID(r *http.Request) string {
	if id := r.Header.Get(requestIDHeader); wellFormedID.MatchString(id) {
		return id
	}
	return rand.Text()
}

// recorder notes status and size, and turns the plain-text errors of
// http.Error, which libraries write, into JSON.
type recorder struct {
	http.ResponseWriter
	request  *http.Request
	status   int
	bytes    int64
	replaced bool
}

// refused reports whether the request was answered as the caller's mistake.
func (rec *recorder) refused() bool {
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

// bounded limits the body: at once where its length is stated, else when it is
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
// leaves the deadline behind with its hijacking.
func deadlined(o Options, next http.Handler) http.Handler {
	const writing = 10 * time.Second
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(o.BodyTimeout + o.RequestTimeout + writing))
		next.ServeHTTP(w, r)
	})
}

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
