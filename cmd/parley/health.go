package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthCmd asks the server of the same settings whether it is ready, for containers
// that hold no other program which could.
type healthCmd struct {
	Addr    string        `default:"127.0.0.1:8080" env:"PARLEY_ADDR" help:"Address the server listens on."`
	Timeout time.Duration `default:"2s" least:"1ms" help:"How long to wait for an answer."`
}

// Run implements the command.
func (h *healthCmd) Run(ctx context.Context, out io.Writer) error {
	host, port, err := net.SplitHostPort(h.Addr)
	if err != nil {
		return fmt.Errorf("--addr must be host:port, such as 127.0.0.1:8080, not %q", h.Addr)
	}
	switch ip := net.ParseIP(host); {
	case host == "" || ip.Equal(net.IPv4zero):
		host = "127.0.0.1"
	case ip.Equal(net.IPv6unspecified):
		host = "::1"
	}
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	client := &http.Client{
		Transport:     &http.Transport{}, // no proxy: that would answer in its place
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("no server answers: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1000))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not ready (%s): %s", response.Status, strings.TrimSpace(string(body)))
	}
	fmt.Fprintln(out, "The server is ready.")
	return nil
}
