package main

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"time"

	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/channel/sandbox/astwilio"
	"parley/internal/channel/twilio"
)

// carriers are phone companies outside of every process that is broken, so that
// what they were given is known: one that takes our key, and one that takes none.
type carriers struct {
	keyed   *sandbox.Carrier
	keyless *astwilio.Stand
	urls    map[string]string // by provider
	servers []*httptest.Server
	delay   atomic.Int64 // of every answer, in nanoseconds
}

func newCarriers() *carriers {
	callbacks := &http.Transport{MaxIdleConnsPerHost: threads}
	options := sandbox.CarrierOptions{Transport: callbacks, Tries: 10, Backoff: 250 * time.Millisecond}
	c := &carriers{keyed: sandbox.NewCarrier(options), urls: map[string]string{}}
	account := channel.Account{Credentials: twilio.Credentials{SID: twilio.DemoSID, Token: twilio.DemoToken}}
	c.keyless = astwilio.New(astwilio.Options{
		Accounts:  slices.Values([]channel.Account{account}),
		Callbacks: callbacks, Carrier: options,
	})
	c.serve(sandbox.Name, c.keyed)
	c.serve(twilio.Name, http.HandlerFunc(c.answer))
	return c
}

func (c *carriers) serve(provider string, h http.Handler) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wait(r.Context(), time.Duration(c.delay.Load()))
		h.ServeHTTP(w, r)
	}))
	c.servers = append(c.servers, s)
	c.urls[provider] = s.URL
}

// answer puts the stand, which answers calls within a process, behind a port.
func (c *carriers) answer(w http.ResponseWriter, r *http.Request) {
	response, err := c.keyless.RoundTrip(r)
	if err != nil {
		panic(http.ErrAbortHandler) // it never answers
	}
	defer func() { _ = response.Body.Close() }()
	maps.Copy(w.Header(), response.Header)
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
}

// got is everything they took, in order of each.
func (c *carriers) got() []sandbox.Message {
	return slices.Concat(c.keyed.Got(), c.keyless.Carrier().Got())
}

func (c *carriers) close() {
	c.keyed.Close()
	c.keyless.Close()
	for _, s := range c.servers {
		s.CloseClientConnections()
		s.Close()
	}
}
