package channel

import (
	"errors"
	"net/url"
	"strings"
)

// CheckPublicURL refuses what is not scheme and host, and perhaps a path: carriers
// sign over it.
func CheckPublicURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(s, "?#") || strings.HasSuffix(u.Path, "//") || u.User != nil {
		return errors.New("it is not a plain address; write scheme and host, such as https://parley.example.com")
	}
	return nil
}
