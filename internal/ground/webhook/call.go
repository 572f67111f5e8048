package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"parley/internal/ground/clock"
	"parley/internal/ground/vault"
)

// Call is a webhook to post.
type Call struct {
	URL, Body string
	Header    map[string]string
}

// Answer is what a webhook answered.
type Answer struct {
	Status int
	Body   string // empty if it is too long
}

// Caller posts webhooks.
type Caller func(ctx context.Context, c *Call) (*Answer, error)

// ErrNotPublic is why a webhook is not called: its host leads out of the public internet.
var ErrNotPublic = errors.New("the host is not an address of the public internet")

// Secrets are what calls are signed with. While one is being replaced, calls carry both
// signatures.
type Secrets struct {
	Current       string     `json:"current"`
	Previous      string     `json:"previous,omitempty"`
	PreviousUntil clock.Time `json:"previousUntil,omitempty"`
}

// overlap is how long the secret before still signs.
const overlap = 24 * time.Hour

// Renewed has a new secret, and signs with the one before for a day more.
func (x Secrets) Renewed(now clock.Time) Secrets {
	return Secrets{Current: NewSecret(), Previous: x.Current, PreviousUntil: now.Add(overlap)}
}

// Seal encrypts the secrets for a place.
func (x Secrets) Seal(v *vault.Vault, place string) ([]byte, error) {
	text, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	return v.Seal(text, place)
}

// ErrNoSecret is why a call cannot be signed.
var ErrNoSecret = errors.New("there is none, or it was given up with its key; renew it")

// Unseal is what Seal encrypted for the place; ErrNoSecret for nothing.
func Unseal(v *vault.Vault, sealed []byte, place string) (x Secrets, err error) {
	if len(sealed) == 0 {
		return x, ErrNoSecret
	}
	text, err := v.Unseal(sealed, place)
	if err == nil {
		err = json.Unmarshal(text, &x)
	}
	return x, err
}

// Signed are the headers of a call: HMAC-SHA256 over id, time and body, one for each secret
// in force.
func (x Secrets) Signed(id string, at clock.Time, body string) map[string]string {
	signatures := []string{Sign(x.Current, id, at, body)}
	if x.Previous != "" && at < x.PreviousUntil {
		signatures = append(signatures, Sign(x.Previous, id, at, body))
	}
	return map[string]string{
		"Content-Type": "application/json", "User-Agent": "Parley",
		"webhook-id": id, "webhook-timestamp": Seconds(at), "webhook-signature": strings.Join(signatures, " "),
	}
}
