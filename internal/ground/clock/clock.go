// Package clock is Parley's time: instants in UTC to the microsecond, and a
// clock that tests move.
//
// Instants are stored as int64 microseconds since 1970, so that no database,
// driver or process time zone can change their order.
package clock

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Time is an instant in microseconds since 1970-01-01T00:00:00Z. The zero value
// means "never".
type Time int64

// Of converts t, dropping what is below a microsecond. The zero time.Time
// becomes the zero Time.
func Of(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMicro())
}

// Std returns t as a time.Time in UTC.
func (t Time) Std() time.Time { return time.UnixMicro(int64(t)).UTC() }

// Add returns t moved by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Microseconds()) }

// Sub returns the duration from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Microsecond }

// IsZero reports whether t is "never".
func (t Time) IsZero() bool { return t == 0 }

// String renders t in RFC 3339 with six decimals.
func (t Time) String() string { return t.Std().Format(layout) }

const layout = "2006-01-02T15:04:05.000000Z07:00"

// MarshalGQL writes t as the GraphQL scalar DateTime.
func (t Time) MarshalGQL(w io.Writer) { _, _ = w.Write(t.AppendGQL(nil)) }

// AppendGQL appends what MarshalGQL writes. Lists are full of times, and this is
// several times as fast as a layout.
func (t Time) AppendGQL(b []byte) []byte {
	std := t.Std()
	year, month, day := std.Date()
	if year < 0 || year > 9999 {
		return append(std.AppendFormat(append(b, '"'), layout), '"')
	}
	hour, minute, second := std.Clock()
	b = digits(append(b, '"'), year, 4)
	b = digits(append(b, '-'), int(month), 2)
	b = digits(append(b, '-'), day, 2)
	b = digits(append(b, 'T'), hour, 2)
	b = digits(append(b, ':'), minute, 2)
	b = digits(append(b, ':'), second, 2)
	b = digits(append(b, '.'), std.Nanosecond()/1000, 6)
	return append(b, 'Z', '"')
}

// digits appends the last n digits of v.
func digits(b []byte, v, n int) []byte {
	b = append(b, "000000"[:n]...)
	for i := len(b) - 1; n > 0; i, n = i-1, n-1 {
		b[i] = byte('0' + v%10)
		v /= 10
	}
	return b
}

// UnmarshalGQL reads the GraphQL scalar DateTime: RFC 3339 with any offset,
// between the years 1970 and 9999.
func (t *Time) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("a DateTime must be an RFC 3339 string, such as 2026-11-23T09:30:00Z")
	}
	parsed, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || parsed.Year() < 1970 || parsed.Year() > 9999 {
		return fmt.Errorf("a DateTime must be RFC 3339 between the years 1970 and 9999, such as 2026-11-23T09:30:00Z")
	}
	*t = Of(parsed)
	return nil
}

// Clock tells the time of the domain. Real is used by the server, Fake by tests.
type Clock interface {
	Now() Time
}

// Real reads the system clock.
type Real struct{}

// Now implements Clock.
func (Real) Now() Time { return Of(time.Now()) }

// Fake is a clock that moves only when told. It is safe for concurrent use.
type Fake struct {
	mu  sync.Mutex
	now Time
}

// NewFake returns a Fake that stands at t.
func NewFake(t time.Time) *Fake { return &Fake{now: Of(t)} }

// Now implements Clock.
func (f *Fake) Now() Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Advance moves the clock by d, which may be negative.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}
