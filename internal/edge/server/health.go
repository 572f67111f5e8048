package server

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/pprof"
	"strconv"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/internal/edge/answer"
	"parley/internal/ground/fault"
)

// health adds /healthz, 200 while the process runs, and /readyz, 200 while it can
// serve.
func (s *Server) health(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fine(w) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			answer.Refuse(w, r, http.StatusServiceUnavailable, fault.New(fault.Unavailable, "The server is stopping. Use another one."))
			return
		}
		err := s.options.Ready(r.Context())
		s.sayReady(r.Context(), err)
		if err != nil {
			answer.Refuse(w, r, http.StatusServiceUnavailable, unready(err))
			return
		}
		fine(w)
	})
}

// unready returns what callers see of err: a fault whole, of anything else nothing.
func unready(err error) *fault.Error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	return fault.New(fault.Unavailable, "The server is not ready. Try again shortly.")
}

// sayReady logs changes of the answer, which is asked for every few seconds.
func (s *Server) sayReady(ctx context.Context, err error) {
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	switch was := s.unready.Swap(&reason); {
	case reason != "" && (was == nil || *was != reason):
		s.options.Logger.WarnContext(ctx, "not ready", "error", err)
	case reason == "" && was != nil && *was != "":
		s.options.Logger.InfoContext(ctx, "ready again")
	}
}

func fine(w http.ResponseWriter) {
	w.Header().Set("Content-Type", answer.MediaJSON)
	_, _ = io.WriteString(w, `{"status":"ok"}`)
}

// privateRoutes are for operators only. They keep answering while the public listener
// drains.
func (s *Server) privateRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.options.Registry, promhttp.HandlerOpts{}))
	mux.Handle("GET /debug/pprof/", s.profiles())
	s.health(mux)
	return mux
}

// mostSeconds bounds the duration of a profile.
const mostSeconds = 300

// profiles serves /debug/pprof.
func (s *Server) profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if seconds, err := strconv.ParseFloat(cmp.Or(r.FormValue("seconds"), "1"), 64); err != nil || !(seconds <= mostSeconds) {
			answer.Refuse(w, r, http.StatusBadRequest, fault.Input("seconds", "A profile may take at most %d seconds. Ask for less.", mostSeconds))
			return
		}
		mux.ServeHTTP(w, r)
	})
}
