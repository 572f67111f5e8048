// Package connector is the contract with CRMs whose API Parley calls: what it reads from
// them, and what it writes back. A kind of CRM is a Connector, in a package of its own
// below this one, and a line in the registry; package crmsync does all the rest.
//
// A CRM's records are read in the order of (time of change, id), so that reading can stop
// and go on anywhere. Only the CRM's own clock is compared with those times.
package connector

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"parley/internal/channel"
	"parley/internal/ground/clock"
)

// Connector is a kind of CRM. It is safe for concurrent use.
type Connector interface {
	// Kind names it, as stored with connections.
	Kind() string
	// CredentialFields are what to ask an administrator for.
	CredentialFields() []channel.CredentialField
	// Check refuses settings and credentials, a JSON object of texts, that cannot work. Its
	// error is a sentence that quotes no credential.
	Check(s Settings, credentials json.RawMessage) error
	// Open returns a session, without a call.
	Open(s Settings, credentials json.RawMessage) (Session, error)
}

// Session calls one CRM. Errors are ErrRefused, ErrLimited or others, which may pass.
type Session interface {
	// Describe says what the CRM has of an object.
	Describe(ctx context.Context, object string) (*Object, error)
	// Changes reads what changed after a place, deleted records too.
	Changes(ctx context.Context, q Query) (*Page, error)
	// Gone returns those of up to MostAsked ids that the CRM does not have any more, not
	// even among the deleted ones, and its time.
	Gone(ctx context.Context, object string, ids []string) (gone []string, now clock.Time, err error)
	// Find reads the record that has a value in a field, also a deleted one; nil for none.
	Find(ctx context.Context, object string, fields []string, by Key) (*Row, error)
	// Write creates a record or changes one. It makes one attempt. Its errors are also a
	// *RejectedError, ErrChanged and ErrUntaken; after any other, as after one that may pass,
	// the CRM may have taken the write.
	Write(ctx context.Context, w Write) (*Written, error)
}

// Key is a field of a CRM whose value names one record.
type Key struct{ Field, Value string }

// Write is what a record is to hold.
type Write struct {
	Object string
	// ID is the record's; empty to create one.
	ID string
	// Key is, of a record to create, what names it: if the CRM has such a record, that one is
	// changed. Without a key, a record is created each time.
	Key Key
	// Fields are values by the CRM's names: texts, booleans, json.Number, Place, or nil for
	// blank.
	Fields map[string]any
	// Unmodified is, of a record to change, the time after which nobody else may have
	// changed it, by the CRM's clock, to the second.
	Unmodified clock.Time
}

// Written is the answer to a Write.
type Written struct {
	ID     string
	Status int // of HTTP
}

// ErrChanged is the error of a Write of a record that changed in the CRM meanwhile.
var ErrChanged = errors.New("the record changed in the CRM meanwhile")

// ErrUntaken is the error of a Write that the CRM surely did not take, and may take later.
var ErrUntaken = errors.New("the CRM did not take the write")

// Untaken marks an error as ErrUntaken, and leaves its text as it is.
func Untaken(err error) error { return untaken{err} }

type untaken struct{ error }

// Is reports whether target is ErrUntaken.
func (untaken) Is(target error) bool { return target == ErrUntaken }

// Unwrap returns the error that is marked.
func (e untaken) Unwrap() error { return e.error }

// RejectedError is the error of a Write that the CRM will not take, however often it is
// asked.
type RejectedError struct {
	Status  int      // of HTTP
	Fields  []string // of the CRM, that are at fault; empty if it does not say
	Message string   // the CRM's words
}

// Error implements error.
func (e *RejectedError) Error() string { return "the CRM rejected the write: " + e.Message }

// MostAsked is how many ids Gone takes.
const MostAsked = 200

// ErrRefused is the error of a CRM that refuses the credentials or the request, so that
// somebody has to change something. Its text says what, in a sentence.
var ErrRefused = errors.New("the CRM refused")

// LimitedError says that the CRM takes no more calls for a while.
type LimitedError struct {
	After time.Duration // how long it asks to wait; 0 if it does not say
}

// Error implements error.
func (e *LimitedError) Error() string { return "the CRM's limit of calls is reached" }

// Settings are what administrators say of a connection.
type Settings struct {
	// Address is where the CRM is called.
	Address string `json:"address,omitempty"`
	// Version is that of its API.
	Version string `json:"version,omitempty"`
	// Types are the object types that come from the CRM.
	Types []Type `json:"types"`
}

// Type is an object type that comes from a CRM.
type Type struct {
	ObjectType string `json:"objectType"`
	// Object is what the CRM calls it; empty for the same name.
	Object string `json:"object,omitempty"`
	// Fields are those that have another name in the CRM. All others come from the field of
	// their own name.
	Fields []Mapping `json:"fields,omitempty"`
	// WritesBack has what actions change be written to the CRM.
	WritesBack bool `json:"writesBack,omitempty"`
	// Key is the CRM's field that holds Parley's id of a record that Parley created there;
	// empty for none.
	Key string `json:"key,omitempty"`
}

// Reads is the type without what only writing needs.
func (t Type) Reads() Type {
	t.WritesBack, t.Key = false, ""
	return t
}

// Mapping is a field, and the CRM's field that it comes from.
type Mapping struct {
	Field string `json:"field"`
	From  string `json:"from"`
}

// Progress is how far an object type has come.
type Progress struct {
	ObjectType string     `json:"objectType"`
	At         clock.Time `json:"at,omitempty"` // place: the last record's time of change, by the CRM's clock
	ID         string     `json:"id,omitempty"` // place: its id
	// Round is when the round under way began, by the CRM's clock; 0 between rounds.
	Round clock.Time `json:"round,omitempty"`
	// CaughtUp is when the last whole round was at its end, by our clock; 0 for never.
	CaughtUp clock.Time `json:"caughtUp,omitempty"`
	Taken    int64      `json:"taken,omitempty"`
	// Swept is the last record that a look for records that are gone has passed; 0 between
	// looks.
	Swept int64 `json:"swept,omitempty"`
	// SweptAt is when the last look ended, by our clock.
	SweptAt clock.Time `json:"sweptAt,omitempty"`
	// Problem is why the last look deleted nothing, in plain words; empty for nothing.
	Problem string `json:"problem,omitempty"`
}

// Object is what a CRM has of an object.
type Object struct {
	Name   string
	Prefix string // that all its ids begin with; empty if they have none in common
	Fields []Field
}

// Field is a field of an object.
type Field struct {
	Name string
	// IsKey says that the CRM finds records by it, and keeps its values unique.
	IsKey bool
}

// Place is a place in Write.Fields: its degrees as decimals, both empty for a blank one.
type Place struct{ Latitude, Longitude json.Number }

// Query asks for changes.
type Query struct {
	Object string
	Fields []string // of Describe
	// At and ID are the place after which to read: records that changed later, or at the
	// same time with a greater id. An empty ID includes those of the time itself.
	At clock.Time
	ID string
	// Most is how many records to read.
	Most int
}

// Page are records in the order of (time of change, id).
type Page struct {
	Rows []Row
	More bool
	Now  clock.Time // by the CRM's clock, before the page was read
}

// Row is a record as the CRM has it.
type Row struct {
	ID      string
	At      clock.Time
	Deleted bool
	// Fields are the values of the fields asked for, as texts; empty for blank ones.
	Fields map[string]string
	// MergedInto is the id of the record that has its place; empty for none.
	MergedInto string
	// ConvertedTo is the contact that a lead became; empty for none.
	ConvertedTo string
}
