package wire

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what a carrier may make us wait.
const maxRetryAfter = time.Hour

// RetryAfter reads the header of that name, in seconds or as a date (RFC 9110,
// 10.2.3); a date is taken relative to the answer's own Date, so that clocks
// need not agree. It is zero when absent or senseless and an hour at most.
func RetryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return min(time.Duration(min(max(seconds, 0), 1<<20))*time.Second, maxRetryAfter)
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), maxRetryAfter)
}

// BaseURL checks the API address of an account and drops its trailing slash. It
// must be https; plain http is for a carrier on the same machine alone, because
// calls carry the account's secret.
func BaseURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("the base URL is not a plain absolute address")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return strings.TrimRight(raw, "/"), nil
	default:
		return "", errors.New("the base URL must be https")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
