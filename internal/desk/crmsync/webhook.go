package crmsync

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"parley/ent"
	"parley/ent/crmconnection"
	"parley/ent/takenwebhook"
	"parley/internal/desk/account"
	"parley/internal/desk/crm"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
	"parley/internal/ground/webhook"
)

// Bounds of a webhook.
const (
	MostBody = 3 << 20 // bytes
	mostID   = 200     // bytes of its id
)

// NewChanges makes the counter of changes that webhooks and connectors brought, by what
// became of them. It is to be registered.
func NewChanges() *prometheus.CounterVec {
	changes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_crm_changes_total",
		Help: "Changes of records that connections brought, by outcome: that of upsertRecords, or REJECTED.",
	}, []string{"outcome"})
	changes.WithLabelValues(rejected) // it is there before the first
	return changes
}

// rejected is the outcome of a change that could not be taken.
const rejected = "REJECTED"

// batch is the body of a webhook.
type batch struct {
	Changes []json.RawMessage `json:"changes"`
}

// Answer is what a webhook is answered.
type Answer struct {
	// Repeated says that a webhook with this id was taken before, and nothing was done.
	Repeated bool     `json:"repeated,omitempty"`
	Applied  int      `json:"applied"`
	Rejected int      `json:"rejected"`
	Results  []Result `json:"results,omitempty"` // in the order of the changes
}

// Result is what became of a change.
type Result struct {
	ObjectType string      `json:"objectType"`
	ExternalID string      `json:"externalId"`
	Outcome    crm.Outcome `json:"outcome,omitempty"`
	Error      *Problem    `json:"error,omitempty"`
}

// Problem is why a change was rejected.
type Problem struct {
	Code    fault.Code `json:"code"`
	Field   string     `json:"field,omitempty"`
	Message string     `json:"message"`
}

// Handler serves POST /webhooks/crm/{account}: batches of changes, signed by Standard
// Webhooks with the connection's secret. It answers 200 when what could be taken is
// committed and what could not is kept, 400 for a body that is no batch, 403 on a wrong
// or absent signature or a time that is too far off, 404 for a connection we do not have,
// 405 for another method, 413 over MostBody, and 503 when it is to be posted again: while
// the connection is paused or cannot read its secret, and when nothing was stored. It
// answers errors by refuse, so that whoever connects a CRM reads what to correct.
func (s *Service) Handler(refuse func(w http.ResponseWriter, r *http.Request, status int, err error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			refuse(w, req, http.StatusMethodNotAllowed, fault.New(fault.BadInput, "Use POST for webhooks."))
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, MostBody))
		if err != nil {
			status, problem := http.StatusBadRequest, fault.New(fault.BadInput, "The body could not be read. Post it again.")
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) {
				status, problem = http.StatusRequestEntityTooLarge, fault.New(fault.LimitExceeded, "The body may have at most %d bytes. Post fewer changes.", MostBody)
			}
			refuse(w, req, status, problem)
			return
		}
		answer, err := s.Receive(req.Context(), req.PathValue("account"), req.Header, string(body))
		if err != nil {
			status, problem := refused(req, err)
			if status == http.StatusServiceUnavailable {
				w.Header().Set("Retry-After", "60")
			}
			refuse(w, req, status, problem)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	})
}

// refused is the status and the error of a webhook that was not taken.
func refused(req *http.Request, err error) (int, error) {
	status := map[fault.Code]int{
		fault.BadInput: http.StatusBadRequest, fault.NotFound: http.StatusNotFound, fault.Forbidden: http.StatusForbidden,
	}[fault.CodeOf(err)]
	var is *fault.Error
	switch {
	case status != 0:
		return status, err
	case errors.As(err, &is):
		return http.StatusServiceUnavailable, err
	}
	slog.ErrorContext(req.Context(), "a webhook of a CRM could not be stored", "connection", req.PathValue("account"), "error", err)
	return http.StatusServiceUnavailable, fault.New(fault.Unavailable, "Not stored. Post it again.")
}

// Receive verifies a webhook and takes its changes. One of a wrong signature is
// FORBIDDEN.
func (s *Service) Receive(ctx context.Context, connectionID string, header http.Header, body string) (*Answer, error) {
	ctx = viewer.AsSystem(ctx, "sync")
	if account.CheckAccountID("", connectionID) != nil { // none can have it
		return nil, fault.New(fault.NotFound, "There is no connection of the kind WEBHOOK with this address. Read its webhookUrl.")
	}
	row, err := s.Store.Ent.CrmConnection.Query().Where(crmconnection.Key(connectionID), crmconnection.Kind(string(Webhook))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.New(fault.NotFound, "There is no connection of the kind WEBHOOK with this address. Read its webhookUrl.")
	}
	if err != nil {
		return nil, err
	}
	c, id := s.connection(row), header.Get("webhook-id")
	if c.unreadable != nil {
		return nil, fault.New(fault.Unavailable, "The connection's secret cannot be read here. Post it again later.")
	}
	now := s.Store.Clock.Now()
	if len(id) > mostID || !webhook.Verify(c.secrets(now), id, header.Get("webhook-timestamp"), header.Get("webhook-signature"), body, now) {
		return nil, fault.New(fault.Forbidden, "The signature is missing or wrong, or the time is more than %d minutes off. Sign webhook-id, webhook-timestamp and the body with the connection's secret.", int(webhook.Tolerance.Minutes()))
	}
	if !c.IsActive {
		return nil, fault.New(fault.Unavailable, "The connection is paused. Start it, and post this again.")
	}
	return s.receive(ctx, c, id, body)
}

func (s *Service) receive(ctx context.Context, c *Connection, id, body string) (*Answer, error) {
	seen, err := s.Store.Ent.TakenWebhook.Query().Where(takenwebhook.ConnectionID(c.Key), takenwebhook.EventID(id)).Exist(ctx)
	if err != nil {
		return nil, err
	}
	if seen {
		return &Answer{Repeated: true}, nil
	}
	var b batch
	if err := json.Unmarshal([]byte(body), &b); err != nil || len(b.Changes) == 0 || len(b.Changes) > crm.MostPerCall {
		return nil, fault.New(fault.BadInput, "Post an object whose list changes has 1 to %d changes.", crm.MostPerCall)
	}
	changes := make([]*verdict, len(b.Changes))
	for i, raw := range b.Changes {
		is, problem := read(raw)
		changes[i] = &verdict{change: is, problem: problem}
	}
	if err := s.take(ctx, c, changes); err != nil {
		return nil, err
	}
	err = s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.Exec(ctx, remember.With(c.Key, id, int64(tx.Now))); err != nil {
			return err
		}
		return s.note(ctx, tx, c.Key, changes)
	})
	s.count(changes)
	return answerOf(changes), err
}

var remember = store.Fixed("INSERT INTO taken_webhooks (connection_id, event_id, created_at) VALUES (?, ?, ?) ON CONFLICT (connection_id, event_id) DO NOTHING")

func (s *Service) count(done []*verdict) {
	if s.Changes == nil {
		return
	}
	for _, v := range done {
		outcome := string(v.outcome)
		if v.problem != nil {
			outcome = rejected
		}
		s.Changes.WithLabelValues(outcome).Inc()
	}
}

func answerOf(done []*verdict) *Answer {
	a := &Answer{Results: make([]Result, len(done))}
	for i, v := range done {
		of := v.name()
		a.Results[i] = Result{ObjectType: of.ObjectType, ExternalID: of.ExternalID, Outcome: v.outcome}
		if v.problem != nil {
			a.Rejected++
			a.Results[i].Error = &Problem{v.problem.Code, v.problem.Field, v.problem.Message}
			continue
		}
		a.Applied++
	}
	return a
}
