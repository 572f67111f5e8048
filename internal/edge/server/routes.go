package server

import (
	"net/http"

	"github.com/rs/cors"

	"parley/internal/edge/answer"
	"parley/internal/edge/observe"
	"parley/internal/edge/transport"
	"parley/internal/ground/fault"
)

// logoutBytes bounds a form with a logout token, percent-encoded at worst.
const logoutBytes = 32 * kilobyte

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", bounded(s.options.GraphQLBytes, s.gate.OriginNoted(s.crossOrigin(s.graphql()))))
	mux.Handle(webhookRoute, s.gate.Vetted(bounded(s.options.WebhookBytes, s.options.Webhooks)))
	mux.Handle("/oidc/backchannel-logout", s.gate.Vetted(bounded(logoutBytes, s.options.Logout)))
	mux.Handle("/files/images", bounded(s.options.ImageBytes, s.gate.OriginNoted(s.crossOrigin(s.gate.Authenticated(postOnly(s.options.Upload))))))
	mux.Handle("/files/images/{id}", s.gate.Vetted(bounded(0, readOnly(s.options.Images))))
	mux.Handle("/", bounded(s.options.BodyBytes, readOnly(s.options.Playground)))
	s.health(mux)
	return deadlined(s.options, s.strayWebhooks(mux))
}

// graphql chooses the transport. Every request is authenticated first; sockets may
// do so later.
func (s *Server) graphql() http.Handler {
	plain := s.gate.Authenticated(s.endpoint)
	socket := s.gate.SameOrigin(s.gate.Identified(http.HandlerFunc(s.endpoint.ServeSocket)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Upgrade") != "":
			socket.ServeHTTP(w, r)
		case r.Method == http.MethodPost || r.Method == http.MethodGet:
			plain.ServeHTTP(w, r)
		default:
			w.Header().Set("Allow", "GET, POST")
			answer.Refuse(w, r, http.StatusMethodNotAllowed, fault.New(fault.BadInput, "Send GraphQL by POST or GET."))
		}
	})
}

func (s *Server) crossOrigin(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginFunc: s.gate.Listed, // a list left empty would mean every origin
		AllowedMethods:  []string{http.MethodGet, http.MethodPost},
		AllowedHeaders:  []string{"Accept", "Authorization", "Content-Type", transport.LastEventID, observe.RequestIDHeader},
		ExposedHeaders:  []string{observe.RequestIDHeader, "Retry-After"},
		MaxAge:          600,
	}).Handler(next)
}
