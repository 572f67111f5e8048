// Package wire makes a carrier adapter's HTTP calls: one call, bounded in time and
// bytes, never repeated and never redirected.
//
// The hard question is what a failed call means for the message. A call that never got
// a connection delivered nothing, so it may be tried again. Once there was a
// connection, the carrier may have taken the message whatever failed later. Client
// tells the two cases apart, and Lost reports them in the terms of package channel.
package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"parley/internal/channel"
)

// The bounds of a call.
const (
	DefaultTimeout = 15 * time.Second // of a whole call, body included
	maxBody        = 64 << 10         // bytes of an answer
	maxDetail      = 200              // bytes of Result.Detail
	dialTimeout    = 5 * time.Second
)

// Client calls one carrier. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	timeout time.Duration
	body    int // bytes of an answer
}

// New returns a Client over transport, or over a transport of its own when nil.
// The timeout bounds a whole call; zero means DefaultTimeout.
func New(transport http.RoundTripper, timeout time.Duration) *Client {
	if transport == nil {
		transport = NewTransport()
	}
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: &http.Client{Transport: transport, CheckRedirect: stay}, timeout: timeout, body: maxBody}
}

// Within returns the client with another bound for the bytes of an answer.
func (c *Client) Within(bytes int) *Client {
	other := *c
	other.body = bytes
	return &other
}

// NewTransport returns a transport with bounds for calls to carriers. It speaks
// HTTP/1.1 alone: there the trace tells exactly when a request got a connection.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxIdleConnsPerHost:    32,
		MaxConnsPerHost:        64,
		IdleConnTimeout:        time.Minute,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Answer is what a carrier answered.
type Answer struct {
	Status int
	Header http.Header
	// Body is empty unless it could be read whole within its bound.
	Body []byte
}

// Do makes the call, under the request's own context. Its error is an *Error.
func (c *Client) Do(req *http.Request) (Answer, error) {
	ctx, cancel := context.WithTimeout(req.Context(), c.timeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	resp, err := c.http.Do(req.WithContext(ctx))
	if err != nil {
		return Answer{}, &Error{Untaken: !connected.Load(), cause: bare(err)}
	}
	defer func() { _ = resp.Body.Close() }()
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: readAll(resp.Body, c.body)}, nil
}

// readAll reads a body within its bound, nil when it is longer or breaks off:
// half an answer is not to be understood.
func readAll(r io.Reader, most int) []byte {
	body, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err != nil || len(body) > most {
		return nil
	}
	return body
}

// bare drops the method and URL that net/http puts in front of an error, and the address
// of a host that is refused.
func bare(err error) error {
	if errors.Is(err, errNotPublic) {
		return errNotPublic
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// Error is a call that got no answer.
type Error struct {
	// Untaken is true when the carrier surely has not got the request.
	Untaken bool
	cause   error
}

// Error implements error.
func (e *Error) Error() string {
	if errors.Is(e.cause, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return e.cause.Error()
}

// Is reports whether target is channel.ErrUnanswered, which every Error is.
func (*Error) Is(target error) bool { return target == channel.ErrUnanswered }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Lost is the result of a send whose call failed with err: Unreachable when the
// carrier surely has not got it, else Unknown.
func Lost(err error) channel.Result {
	var e *Error
	if errors.As(err, &e) && e.Untaken {
		return channel.Result{Outcome: channel.Unreachable, Code: channel.ServiceUnreachable, Detail: Detail(err.Error())}
	}
	return Unclear(err.Error())
}

// Unclear is the result of a send that the carrier may or may not have taken.
func Unclear(detail string) channel.Result {
	return channel.Result{Outcome: channel.Unknown, Detail: Detail(detail)}
}

// Misconfigured is the result of a send that the account's settings prevent.
func Misconfigured(detail string) channel.Result {
	return channel.Result{Outcome: channel.Rejected, Code: channel.CheckChannelSettings, Detail: Detail(detail)}
}

// Detail bounds and cleans a carrier's words for Result.Detail.
func Detail(s string) string {
	if len(s) > maxDetail {
		s = s[:maxDetail]
	}
	return channel.CleanText(s)
}
