package administration

import (
	"context"
	"net/url"

	"parley/internal/channel"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

const mostAddress = 500 // characters

// CheckAddress refuses addresses that would send credentials unencrypted, or to this
// machine and its private networks, but for an operator; with loopback, for nobody. A name
// is not looked up, which may change later: whoever connects does so.
func CheckAddress(ctx context.Context, field, address string, loopback bool) error {
	u, err := url.Parse(address)
	if len(address) > mostAddress || channel.CheckPublicURL(address) != nil || err != nil {
		return fault.Input(field, "Give scheme and host, and perhaps a path, in at most %d characters, such as https://api.example.com.", mostAddress)
	}
	near := channel.IsNear(u.Hostname())
	switch {
	case (loopback || viewer.FromContext(ctx).System != "") && (near || u.Scheme == "https"):
		return nil
	case u.Scheme != "https":
		return fault.Input(field, "Use https: credentials must not travel unencrypted.")
	case near:
		return fault.Input(field, "Give a public address, not one of this machine or a private network.")
	}
	return nil
}
