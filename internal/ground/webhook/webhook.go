// Package webhook signs and verifies webhooks by Standard Webhooks
// (https://github.com/standard-webhooks/standard-webhooks): HMAC-SHA256 over id, time and
// the bytes of the body.
package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"parley/internal/ground/clock"
)

const secretPrefix = "whsec_"

// NewSecret is a secret as Standard Webhooks writes it.
func NewSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(b)
}

// Sign is the signature of a call by a secret that NewSecret made.
func Sign(secret, id string, at clock.Time, body string) string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + Seconds(at) + "." + body))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Seconds is a time as the header webhook-timestamp has it.
func Seconds(at clock.Time) string { return strconv.FormatInt(at.Std().Unix(), 10) }

// Tolerance is how far the time of a call may be from ours.
const Tolerance = 5 * time.Minute

// mostSignatures is how many signatures of a call are looked at.
const mostSignatures = 10

// Verify reports whether one of the signatures, parted by spaces, is a call's by one of the
// secrets, and whether its time is within Tolerance of now.
func Verify(secrets []string, id, timestamp, signatures, body string, now clock.Time) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 || id == "" {
		return false
	}
	at := clock.Of(time.Unix(seconds, 0))
	if Seconds(at) != timestamp || at < now.Add(-Tolerance) || at > now.Add(Tolerance) {
		return false
	}
	given := strings.SplitN(signatures, " ", mostSignatures+1)
	ok := false
	for _, secret := range secrets {
		want := []byte(Sign(secret, id, at, body))
		for _, signature := range given[:min(len(given), mostSignatures)] {
			ok = hmac.Equal([]byte(signature), want) || ok
		}
	}
	return ok
}
