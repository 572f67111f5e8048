package channel

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Credentials prove us to a carrier. Each provider has a type of its own, whose
// secret fields are of type Secret.
type Credentials interface {
	// Missing names what the account lacks and cannot work without, such as "auth
	// token"; empty for nothing.
	Missing() string
}

// CredentialField is a part of the credentials that a provider asks for.
type CredentialField struct {
	Name     string // in the document
	Label    string // as the carrier's console calls it
	Help     string // what it is, and where to find it
	Secret   bool   // whether it proves us, rather than names us
	Required bool
	Lines    bool // whether it is a text of several lines, such as a PEM file
}

// Most is how many characters a value has at most.
func (f CredentialField) Most() int {
	if f.Lines {
		return 10_000
	}
	return 2_000
}

// Refuses reports whether a value must not contain a character.
func (f CredentialField) Refuses(r rune) bool {
	return (r < ' ' || r == 0x7f) && (!f.Lines || r != '\n' && r != '\r')
}

// Secret is text that proves us to a carrier. Printed, logged or encoded, it reads
// "hidden"; only a conversion to string reveals it. Fields that hold one are
// exported: package fmt prints unexported fields without asking their methods.
type Secret string

const hidden = "hidden"

// Is compares in constant time. An empty secret equals nothing.
func (s Secret) Is(given string) bool {
	own, other := sha256.Sum256([]byte(s)), sha256.Sum256([]byte(given))
	return s != "" && subtle.ConstantTimeCompare(own[:], other[:]) == 1
}

// String implements fmt.Stringer.
func (Secret) String() string { return hidden }

// Format implements fmt.Formatter, for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler, also for JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Stored is what the database holds of an account's credentials in plain text.
type Stored struct {
	// Document is a JSON object that the provider documents; empty where an earlier
	// version wrote the account.
	Document Secret
	// SID and Secret stand in for an empty Document: {"sid": …, "secret": …}.
	SID    string
	Secret Secret
}

// JSON is the document, made of SID and Secret where an earlier version wrote the
// account.
func (s Stored) JSON() []byte {
	if s.Document != "" {
		return []byte(s.Document)
	}
	document, _ := json.Marshal(map[string]string{"sid": s.SID, "secret": string(s.Secret)}) // never fails
	return document
}

// Credentials has the provider read what is stored.
func (s Stored) Credentials(p Provider) (Credentials, error) { return p.ParseCredentials(s.JSON()) }

// ErrCredentials is the error of a document that is not what the provider documents.
var ErrCredentials = errors.New("the stored credentials are not JSON in the carrier's format")

// DecodeCredentials reads a document into a provider's type. Fields that only a newer
// version knows are passed over. Its error quotes nothing of the document.
func DecodeCredentials(document []byte, into any) error {
	if json.Unmarshal(document, into) != nil {
		return ErrCredentials
	}
	return nil
}
