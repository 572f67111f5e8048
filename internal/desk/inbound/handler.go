package inbound

import (
	"errors"
	"io"
	"log/slog"
	"net/http"

	"parley/internal/channel"
)

// MostBody is how large a webhook may be, in bytes: what the largest carrier
// posts (Meta: 3 MB).
const MostBody = 3 << 20

// Handler serves /webhooks/{provider}/{account}: what is posted there, and by GET a
// carrier's question whether the address is ours. publicURL is the address that
// carriers were given, without a final slash: signatures are made over it.
//
// It answers 200 when everything is committed, 400 for what cannot be read, 403 on a
// wrong or absent signature or token, 405 for another method, 404 for an account we do not have, 413 over MostBody, and 503 when
// it was not stored, also while there is no account at all: carriers do not repeat
// what was answered 404. Some do not repeat what was answered 503 either, so that
// it is caught up with (CatchUp).
func (r *Receiver) Handler(publicURL string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		challenger, asked := r.Providers[req.PathValue("provider")].(channel.Challenger)
		switch {
		case req.Method == http.MethodPost:
		case req.Method == http.MethodGet && asked:
			r.challenged(w, req, challenger)
			return
		default:
			w.Header().Set("Allow", allowed(asked))
			http.Error(w, "Use POST for webhooks.", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, MostBody))
		if err != nil {
			status := http.StatusBadRequest
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) {
				status = http.StatusRequestEntityTooLarge
			}
			http.Error(w, "The body could not be read.", status)
			return
		}
		r.answer(w, req, channel.Webhook{
			PublicURL: publicURL + req.URL.RequestURI(), Query: req.URL.Query(), Header: req.Header, Body: body,
		})
	})
}

func (r *Receiver) answer(w http.ResponseWriter, req *http.Request, hook channel.Webhook) {
	provider, account := req.PathValue("provider"), req.PathValue("account")
	verdict, err := r.Receive(req.Context(), provider, account, hook)
	switch {
	case err != nil:
		r.refused(account)
		// An unwritten answer would be 200, also where the server stops and the
		// caller still waits.
		level := slog.LevelError
		if req.Context().Err() != nil {
			level = slog.LevelInfo // cut short; it is caught up with
		}
		slog.Log(req.Context(), level, "a webhook could not be stored", "provider", provider, "account", account, "error", err)
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Not stored. Post it again.", http.StatusServiceUnavailable)
	case verdict == NoAccounts || verdict == UnknownAccount:
		noAccount(w, verdict)
	case verdict == BadSignature:
		http.Error(w, "The signature is missing or wrong.", http.StatusForbidden)
	default:
		contentType, body := r.Providers[provider].Reply()
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		_, _ = io.WriteString(w, body)
	}
}

func noAccount(w http.ResponseWriter, verdict Verdict) {
	if verdict == UnknownAccount {
		http.Error(w, "No such account.", http.StatusNotFound)
		return
	}
	w.Header().Set("Retry-After", "60")
	http.Error(w, "No account is set up here yet. Post it again.", http.StatusServiceUnavailable)
}

func allowed(asked bool) string {
	if asked {
		return http.MethodGet + ", " + http.MethodPost
	}
	return http.MethodPost
}

// challenged answers a carrier that asks whether the address is ours. The query holds a
// token: it is neither logged nor sent back.
func (r *Receiver) challenged(w http.ResponseWriter, req *http.Request, c channel.Challenger) {
	account, missing := r.account(req.PathValue("provider"), req.PathValue("account"))
	if account == nil {
		noAccount(w, missing)
		return
	}
	answer, ok := "", false
	for asked := range account.Verifying(r.Store.Clock.Now()) {
		if answer, ok = c.Challenge(asked, req.URL.Query()); ok {
			break
		}
	}
	if !ok || len(answer) > channel.MostChallenge {
		http.Error(w, "The token is missing or wrong, or the question is malformed.", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, answer)
}
