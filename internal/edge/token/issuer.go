package token

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// Issuer is somebody else whose tokens are taken, such as the organisation's
// identity provider. Whoever it names as an agent is that agent: configure only
// issuers that are trusted with every agent, and a claim that its users cannot
// choose for themselves.
type Issuer struct {
	// Issuer is what the claim iss says, compared byte for byte. Required.
	Issuer string `json:"issuer"`
	// Audience is what the claim aud must say or hold. Required.
	Audience string `json:"audience"`
	// JWKS is the https URL of the issuer's key set (RFC 7517). Required. Nothing
	// in a token leads to any other address.
	JWKS string `json:"jwks"`
	// Algorithms are those the issuer signs with, of RS256, RS384, RS512, PS256,
	// PS384, PS512, ES256, ES384, ES512 and EdDSA. Default RS256.
	Algorithms []string `json:"algorithms"`
	// AgentClaim names the claim that holds the agent's username. Default sub.
	AgentClaim string `json:"agentClaim"`
	// Types are what the header typ may say, in any case; an empty one also takes
	// tokens that do not say. Default JWT and at+jwt (RFC 9068).
	Types []string `json:"types"`
	// Leeway is how far the issuer's clock may stand apart. Default 30 s, at most
	// MaxLeeway.
	Leeway Duration `json:"leeway"`

	// Agents makes agents of people at their first sign-in. Default: nobody is made one.
	Agents *Arrivals `json:"agents"`
	// LogoutAudience is what aud must say or hold in the issuer's logout tokens: as what
	// the client that signs people in is known to it. Default: none are taken.
	LogoutAudience string `json:"logoutAudience"`
	// UnseenDays is after how many days without a sign-in an agent is deactivated.
	// Default: never.
	UnseenDays int `json:"unseenDays"`
}

// Duration is a time.Duration that is written as text, such as "30s".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Bounds of a configuration.
const (
	// MaxLeeway is the most that an issuer's clock may be given.
	MaxLeeway = time.Minute
	// MaxIssuers is how many issuers there may be.
	MaxIssuers = 20

	maxConfigBytes = 64 << 10
)

// fits says which keys an algorithm may use. There is no HMAC: its key would be
// both ours and theirs.
var fits = map[string]func(key any) bool{
	"RS256": isRSA, "RS384": isRSA, "RS512": isRSA,
	"PS256": isRSA, "PS384": isRSA, "PS512": isRSA,
	"ES256": isOn(elliptic.P256()), "ES384": isOn(elliptic.P384()), "ES512": isOn(elliptic.P521()),
	"EdDSA": func(key any) bool { _, ok := key.(ed25519.PublicKey); return ok },
}

// isRSA asks for the 2048 bits of RFC 7518, 3.3 and 3.5.
func isRSA(key any) bool {
	public, ok := key.(*rsa.PublicKey)
	return ok && public.N.BitLen() >= 2048
}

func isOn(curve elliptic.Curve) func(any) bool {
	return func(key any) bool {
		public, ok := key.(*ecdsa.PublicKey)
		return ok && public.Curve == curve
	}
}

// ReadIssuers reads a file with a JSON array of issuers. Where loopback is true,
// as in development, a key set may also be at an http URL of this machine.
func ReadIssuers(file string, loopback bool) ([]Issuer, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxConfigBytes:
		return nil, fmt.Errorf("%s is longer than %d bytes", file, maxConfigBytes)
	}
	issuers, err := parseIssuers(text, loopback)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return issuers, nil
}

func parseIssuers(text []byte, loopback bool) ([]Issuer, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var issuers []Issuer
	if err := decoder.Decode(&issuers); err != nil {
		return nil, fmt.Errorf("it must contain a JSON array of issuers: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there must be nothing after the array")
	}
	return issuers, checkIssuers(issuers, loopback)
}

// checkIssuers fills in what was left out.
func checkIssuers(issuers []Issuer, loopback bool) error {
	if len(issuers) > MaxIssuers {
		return fmt.Errorf("at most %d issuers are allowed", MaxIssuers)
	}
	seen := map[string]bool{issuer: true} // ours
	for n := range issuers {
		i := &issuers[n]
		if err := i.check(loopback); err != nil {
			return fmt.Errorf("issuer %q: %w", i.Issuer, err)
		}
		if seen[i.Issuer] {
			return fmt.Errorf("issuer %q: the name is already used; list each issuer once, and none under the name of Parley's own issuer", i.Issuer)
		}
		seen[i.Issuer] = true
	}
	return nil
}

func (i *Issuer) check(loopback bool) error {
	if len(i.Algorithms) == 0 {
		i.Algorithms = []string{"RS256"}
	}
	if i.AgentClaim == "" {
		i.AgentClaim = "sub"
	}
	if i.Types == nil {
		i.Types = []string{mediaType, "at+jwt"}
	}
	if i.Leeway == 0 {
		i.Leeway = Duration(Leeway)
	}
	for _, algorithm := range i.Algorithms {
		if fits[algorithm] == nil {
			return fmt.Errorf("%q is not supported; use RS, PS or ES with 256, 384 or 512, or EdDSA", algorithm)
		}
	}
	switch {
	case i.Issuer == "" || i.Audience == "" || i.JWKS == "":
		return errors.New("issuer, audience and jwks are required")
	case i.Leeway < 0 || time.Duration(i.Leeway) > MaxLeeway:
		return fmt.Errorf("the leeway may be at most %s", MaxLeeway)
	}
	return cmp.Or(i.checkUse(), checkURL(i.JWKS, loopback))
}

func checkURL(text string, loopback bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return errors.New("jwks must be a plain URL, such as https://id.example.com/keys")
	case u.Scheme == "https", u.Scheme == "http" && loopback && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("jwks must be an https URL; http is allowed only for this machine, in development")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// takes reports whether the issuer's tokens may have the header typ.
func (i *Issuer) takes(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/") // RFC 7515, 4.1.9
	return slices.ContainsFunc(i.Types, func(t string) bool { return strings.EqualFold(t, typ) })
}
