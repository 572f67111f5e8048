package doctor

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// undeclaredProxy is the metric by which a server says that requests come through a
// proxy it was not told of.
const undeclaredProxy = "parley_undeclared_proxy"

// proxies asks the server that runs: nobody else sees how requests come.
func (e *examination) proxies(ctx context.Context) (Finding, error) {
	address := e.privateAddress()
	if address == "" {
		return ok("Only a running server can see whether requests come through a proxy that --proxies does not list: " +
			"it warns once in its log, and here if both have the same --private-addr."), nil
	}
	value, err := metric(ctx, address, undeclaredProxy)
	switch {
	case err != nil:
		return ok("No server answers at %s, so it is unknown whether requests come through a proxy that --proxies does not list.", address), nil //nolint:nilerr // that no server runs here is no fault
	case value == "1":
		return warn("Add the proxy's address or network to --proxies; the server's log names it.",
			"Requests come through an undeclared proxy: callers cannot be distinguished by address, so limits per address apply to all of them together or to none."), nil
	case value == "0":
		return ok("No request has come through an undeclared proxy since the server at %s started.", address), nil
	}
	return ok("The server at %s is a version that does not report proxies.", address), nil
}

// privateAddress is where to reach the server's private listener; empty where that
// cannot be known.
func (e *examination) privateAddress() string {
	host, port, err := net.SplitHostPort(e.PrivateAddr)
	if err != nil || port == "0" {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// metric reads a metric without labels; empty when there is none.
func metric(ctx context.Context, address, name string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("it answered with status %d", response.StatusCode)
	}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if value, found := strings.CutPrefix(lines.Text(), name+" "); found {
			return value, nil
		}
	}
	return "", lines.Err()
}
