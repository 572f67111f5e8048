package inbound

import (
	"errors"
	"io"
	"log/slog"
	"net/http"

	"parley/internal/channel"
	"parley/internal/ground/fault"
)

// MostBody is how large a webhook may be, in bytes: what the largest carrier
// posts (Meta: 3 MB).
const MostBody = 3 << 20

// Refuse answers a request with a status and an error.
type Refuse func(w http.ResponseWriter, r *http.Request, status int, err error)

// Handler serves /webhooks/{provider}/{account}: what is posted there, and by GET a
// carrier's question whether the address is ours. publicURL is the address that
// carriers were given, without a final slash: signatures are made over it.
//
// It answers 200 when everything is committed, 400 for what cannot be read, 403 on a
// wrong or absent signature or token, 405 for another method, 404 for an account we do not have, 413 over MostBody, and 503 when
// it was not stored, also while there is no account at all: carriers do not repeat
// what was answered 404. Some do not repeat what was answered 503 either, so that
// it is caught up with (CatchUp). It answers errors by refuse.
func (r *Receiver) Handler(publicURL string, refuse Refuse) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		challenger, asked := r.Providers[req.PathValue("provider")].(channel.Challenger)
		switch {
		case req.Method == http.MethodPost:
		case req.Method == http.MethodGet && asked:
			r.challenged(w, req, challenger, refuse)
			return
		default:
			w.Header().Set("Allow", allowed(asked))
			refuse(w, req, http.StatusMethodNotAllowed, fault.New(fault.BadInput, "Use POST for webhooks."))
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, MostBody))
		if err != nil {
			status, problem := http.StatusBadRequest, fault.New(fault.BadInput, "The body could not be read. Post it again.")
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) {
				status, problem = http.StatusRequestEntityTooLarge, fault.New(fault.LimitExceeded, "The body may have at most %d bytes.", MostBody)
			}
			refuse(w, req, status, problem)
			return
		}
		r.answer(w, req, channel.Webhook{
			PublicURL: publicURL + req.URL.RequestURI(), Query: req.URL.Query(), Header: req.Header, Body: body,
		}, refuse)
	})
}

func (r *Receiver) answer(w http.ResponseWriter, req *http.Request, hook channel.Webhook, refuse Refuse) {
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
		refuse(w, req, http.StatusServiceUnavailable, fault.New(fault.Unavailable, "Not stored. Post it again."))
	case verdict == NoAccounts || verdict == UnknownAccount:
		noAccount(w, req, verdict, refuse)
	case verdict == BadSignature:
		refuse(w, req, http.StatusForbidden, fault.New(fault.Forbidden, "The signature is missing or wrong. It must be made with the account's secret, over this server's public URL."))
	default:
		contentType, body := r.Providers[provider].Reply()
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		_, _ = io.WriteString(w, body)
	}
}

func noAccount(w http.ResponseWriter, req *http.Request, verdict Verdict, refuse Refuse) {
	if verdict == UnknownAccount {
		refuse(w, req, http.StatusNotFound, fault.New(fault.NotFound, "There is no provider account with this address. Read the channel's webhookUrls."))
		return
	}
	w.Header().Set("Retry-After", "60")
	refuse(w, req, http.StatusServiceUnavailable, fault.New(fault.Unavailable, "No account is set up here yet. Post it again."))
}

func allowed(asked bool) string {
	if asked {
		return http.MethodGet + ", " + http.MethodPost
	}
	return http.MethodPost
}

// challenged answers a carrier that asks whether the address is ours. The query holds a
// token: it is neither logged nor sent back.
func (r *Receiver) challenged(w http.ResponseWriter, req *http.Request, c channel.Challenger, refuse Refuse) {
	account, missing := r.account(req.PathValue("provider"), req.PathValue("account"))
	if account == nil {
		noAccount(w, req, missing, refuse)
		return
	}
	answer, ok := "", false
	for asked := range account.Verifying(r.Store.Clock.Now()) {
		if answer, ok = c.Challenge(asked, req.URL.Query()); ok {
			break
		}
	}
	if !ok || len(answer) > channel.MostChallenge {
		refuse(w, req, http.StatusForbidden, fault.New(fault.Forbidden, "The token is missing or wrong, or the question is malformed."))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, answer)
}
