package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"parley/app"
)

// sink is a response writer that keeps the answer; it is used again and again.
type sink struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (s *sink) Header() http.Header { return s.header }

// WriteHeader implements http.ResponseWriter.
func (s *sink) WriteHeader(status int) { s.status = status }

// Write implements http.ResponseWriter.
func (s *sink) Write(b []byte) (int, error) { return s.body.Write(b) }

func (s *sink) reset() {
	clear(s.header)
	s.status = http.StatusOK
	s.body.Reset()
}

// sinks makes one sink for each of the clients.
func sinks(clients int) []*sink {
	out := make([]*sink, clients)
	for i := range out {
		out[i] = &sink{header: http.Header{}}
	}
	return out
}

// caller asks Parley's whole handler, in this process, as one agent.
type caller struct {
	handler http.Handler
	token   string
	sinks   []*sink
}

func newCaller(a *app.App, username string, clients int) (*caller, error) {
	token, err := a.Tokens.Mint(username, time.Hour)
	return &caller{a.Server.Handler(), "Bearer " + token, sinks(clients)}, err
}

// answer is GraphQL's.
type answer struct {
	Data   json.RawMessage   `json:"data"`
	Errors []json.RawMessage `json:"errors"`
}

// post sends a request body and returns the answer's bytes, good until the
// client's next call.
func (c *caller) post(ctx context.Context, client int, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://parley.test/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", c.token)
	req.Header.Set("Content-Type", "application/json")
	s := c.sinks[client]
	s.reset()
	c.handler.ServeHTTP(s, req)
	if s.status != http.StatusOK || bytes.HasPrefix(s.body.Bytes(), []byte(`{"errors":`)) ||
		len(s.body.Bytes()) < 4096 && bytes.Contains(s.body.Bytes(), []byte(`"errors":[{`)) {
		return nil, fmt.Errorf("the answer is %d: %.500s", s.status, s.body.String())
	}
	return s.body.Bytes(), nil
}

func request(query string, variables map[string]any) ([]byte, error) {
	return json.Marshal(map[string]any{"query": query, "variables": variables})
}

// ask runs one operation and decodes its data.
func (c *caller) ask(ctx context.Context, into any, query string, variables map[string]any) error {
	body, err := request(query, variables)
	if err != nil {
		return err
	}
	got, err := c.post(ctx, 0, body)
	if err != nil {
		return err
	}
	var a answer
	if err := json.Unmarshal(got, &a); err != nil {
		return err
	}
	return json.Unmarshal(a.Data, into)
}

// repeated is a contender that posts the same request again and again.
func (c *caller) repeated(name, query string, variables map[string]any) (contender, error) {
	body, err := request(query, variables)
	return contender{name, func(ctx context.Context, client int) error {
		_, err := c.post(ctx, client, body)
		return err
	}}, err
}
