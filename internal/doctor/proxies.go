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
		return ok("Whether requests come through a proxy that --proxies does not name is seen by a running server alone: " +
			"it warns in its log once, and here when both have the same --private-addr."), nil
	}
	value, err := metric(ctx, address, undeclaredProxy)
	switch {
	case err != nil:
		return ok("No server answers at %s, so whether requests come through a proxy that --proxies does not name is not known.", address), nil //nolint:nilerr // that no server runs here is no fault
	case value == "1":
		return warn("Give the proxy's address or network by --proxies; the server's log names it.",
			"Requests come through a proxy that is not declared: callers are not told apart by address, and bounds by address hold for all of them together or for none."), nil
	case value == "0":
		return ok("No request came through a proxy that is not declared, since the server at %s started.", address), nil
	}
	return ok("The server at %s is of a version that does not say how requests come.", address), nil
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
