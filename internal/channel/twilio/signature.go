package twilio

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's scheme; HMAC-SHA1 is not broken by SHA-1's collisions
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strings"

	"parley/internal/channel"
)

// SignatureHeader carries the signature of a webhook.
const SignatureHeader = "X-Twilio-Signature"

// Overrides is the fragment of the webhook's URL that is recommended to operators: it
// has Twilio try five times more, after whatever failure, within its 15 s
// (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
const Overrides = "#rc=5&rp=all"

// Sign makes the signature of a webhook, as Twilio documents it
// (https://www.twilio.com/docs/usage/security) and as its helper libraries
// compute it: HMAC-SHA1, keyed with the auth token, over the URL followed by
// each parameter's name and value, sorted by name. Values of a repeated
// parameter are taken once each, sorted.
func Sign(token, publicURL string, params url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(mac, publicURL)
	for _, name := range slices.Sorted(maps.Keys(params)) {
		values := slices.Clone(params[name])
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			_, _ = io.WriteString(mac, name)
			_, _ = io.WriteString(mac, value)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Verify implements channel.Provider. A form is signed with all its parameters,
// those we do not know included; any other body by its hash in the signed URL.
func (*Provider) Verify(a channel.Account, w channel.Webhook) bool {
	given, token := w.Header.Values(SignatureHeader), string(credentials(a).Token)
	if token == "" || len(given) != 1 {
		return false
	}
	params, ok := signedParams(w)
	if !ok {
		return false
	}
	// Twilio signs the URL with or without its port, depending on the product, and
	// where it was given connection overrides, with or without these; all are tried,
	// whatever the first gave. No request carries a fragment, so the one that is
	// recommended is taken for granted.
	address, _, _ := strings.Cut(w.PublicURL, "#")
	valid := false
	for _, fragment := range []string{"", Overrides} {
		bare := hmac.Equal([]byte(given[0]), []byte(Sign(token, withoutPort(address)+fragment, params)))
		full := hmac.Equal([]byte(given[0]), []byte(Sign(token, withPort(address)+fragment, params)))
		valid = valid || bare || full
	}
	return valid
}

// signedParams returns what is signed besides the URL, and whether the body is
// covered by the signature.
func signedParams(w channel.Webhook) (url.Values, bool) {
	if isForm(w) {
		return readForm(string(w.Body))
	}
	want := bodyHash(w.PublicURL)
	sum := sha256.Sum256(w.Body)
	return nil, hmac.Equal([]byte(strings.ToLower(want)), []byte(hex.EncodeToString(sum[:])))
}

// readForm reads a form of any length: url.ParseQuery stops at a number of parameters,
// and what the carrier has signed is kept, be it taken in or not.
func readForm(body string) (params url.Values, ok bool) {
	params = url.Values{}
	for pair := range strings.SplitSeq(body, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || strings.Contains(pair, ";") {
			return nil, false
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, false
		}
		params[name] = append(params[name], value)
	}
	return params, true
}

func isForm(w channel.Webhook) bool {
	kind, _, err := mime.ParseMediaType(w.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// bodyHash returns the hash that the signed URL claims for the body. It reads
// the URL that is signed, never a query parsed elsewhere.
func bodyHash(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil {
		return ""
	}
	return u.Query().Get("bodySHA256")
}

// address is a URL in parts whose bytes are kept as they came: parsing and
// printing it anew could change the characters that Twilio signed.
type address struct{ scheme, user, host, port, rest string }

func split(raw string) (address, bool) {
	scheme, after, ok := strings.Cut(raw, "://")
	if !ok {
		return address{}, false
	}
	end := strings.IndexAny(after, "/?#")
	if end < 0 {
		end = len(after)
	}
	p := address{scheme: scheme + "://", host: after[:end], rest: after[end:]}
	if at := strings.LastIndexByte(p.host, '@'); at >= 0 {
		p.user, p.host = p.host[:at+1], p.host[at+1:]
	}
	// A colon begins the port only after the bracket of an IPv6 address.
	if colon := strings.IndexByte(p.host[strings.LastIndexByte(p.host, ']')+1:], ':'); colon >= 0 {
		colon += strings.LastIndexByte(p.host, ']') + 1
		p.host, p.port = p.host[:colon], p.host[colon:]
	}
	return p, true
}

func withoutPort(raw string) string {
	p, ok := split(raw)
	if !ok {
		return raw
	}
	return p.scheme + p.user + p.host + p.rest
}

func withPort(raw string) string {
	p, ok := split(raw)
	if !ok || p.port != "" {
		return raw
	}
	port := ":80"
	if strings.EqualFold(p.scheme, "https://") {
		port = ":443"
	}
	return p.scheme + p.user + p.host + port + p.rest
}
