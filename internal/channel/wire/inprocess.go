package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
)

// InProcess returns a transport that hands every request to h, whatever host it
// names, without a port. The answer is collected whole, so it is for handlers
// with short answers. A request whose context ends is given up at once; h sees
// that in its request's context.
func InProcess(h http.Handler) http.RoundTripper { return inProcess{h} }

type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	in, err := received(req)
	if err != nil {
		return nil, err
	}
	done := make(chan *collector, 1)
	go func() { done <- p.serve(in) }()
	select {
	case out := <-done:
		return out.response(req)
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// received makes the request as a server would see it. The body is read first:
// the caller may take it back as soon as RoundTrip returns.
func received(req *http.Request) (*http.Request, error) {
	var body []byte
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }()
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	in := req.Clone(req.Context())
	in.Body = io.NopCloser(bytes.NewReader(body))
	in.ContentLength = int64(len(body))
	in.RequestURI = req.URL.RequestURI()
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	in.RemoteAddr = "127.0.0.1:0"
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	return in, nil
}

// serve runs the handler; a panic is a broken connection, as it is in net/http.
func (p inProcess) serve(in *http.Request) (out *collector) {
	out = &collector{header: http.Header{}}
	defer func() {
		if r := recover(); r != nil {
			out.broken = fmt.Errorf("the handler gave up: %v", r)
		}
	}()
	p.handler.ServeHTTP(out, in)
	return out
}

// maxCollected bounds an answer within the process.
const maxCollected = 1 << 20

var errTooLong = errors.New("the answer is too long for an in-process call")

// collector is the http.ResponseWriter of an in-process call.
type collector struct {
	header http.Header
	sent   http.Header
	status int
	body   bytes.Buffer
	broken error
}

// Header implements http.ResponseWriter.
func (c *collector) Header() http.Header { return c.header }

// WriteHeader implements http.ResponseWriter.
func (c *collector) WriteHeader(status int) {
	if c.status == 0 {
		c.status, c.sent = status, c.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (c *collector) Write(p []byte) (int, error) {
	c.WriteHeader(http.StatusOK)
	if c.body.Len()+len(p) > maxCollected {
		c.broken = errTooLong
		return 0, errTooLong
	}
	return c.body.Write(p)
}

func (c *collector) response(req *http.Request) (*http.Response, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	c.WriteHeader(http.StatusOK)
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", c.status, http.StatusText(c.status)),
		StatusCode:    c.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        c.sent,
		Body:          io.NopCloser(bytes.NewReader(c.body.Bytes())),
		ContentLength: int64(c.body.Len()),
		Request:       req,
	}, nil
}
