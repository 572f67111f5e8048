// Package salesforce reads and writes Salesforce by its REST API: signed in by the OAuth client
// credentials flow or the JWT bearer flow, records by SOQL in the order of SystemModstamp
// and Id, deleted and merged ones too (queryAll).
//
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest
package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/internal/channel"
	"parley/internal/channel/wire"
	"parley/internal/connector"
	"parley/internal/ground/clock"
)

// defaultVersion of the API is one that every org has.
const defaultVersion = "62.0"

// Bounds of a call.
const (
	timeout  = 20 * time.Second // below the minute that a job has
	mostBody = 32 << 20         // bytes of an answer: some 2,000 records
)

// Connector is Salesforce.
type Connector struct{ client *wire.Client }

// New returns a connector that calls over a transport.
func New(transport http.RoundTripper) *Connector {
	return &Connector{wire.New(transport, timeout).Within(mostBody)}
}

// Kind implements connector.Connector.
func (*Connector) Kind() string { return "SALESFORCE" }

// CredentialFields implements connector.Connector.
func (*Connector) CredentialFields() []channel.CredentialField {
	return []channel.CredentialField{
		{Name: "clientId", Label: "Consumer Key", Help: "Of the external client app or connected app, under its OAuth settings.", Required: true},
		{Name: "clientSecret", Label: "Consumer Secret", Help: "For the client credentials flow: beside the consumer key. Leave it out for the JWT bearer flow.", Secret: true},
		{Name: "username", Label: "Username", Help: "For the JWT bearer flow: of the user as whom records are read."},
		{Name: "privateKey", Label: "Private Key", Help: "For the JWT bearer flow: in PEM, of the certificate that was uploaded to the app.", Secret: true, Lines: true},
		{Name: "audience", Label: "Audience", Help: "For the JWT bearer flow: https://test.salesforce.com for a sandbox; otherwise leave it out."},
	}
}

// Check implements connector.Connector.
func (*Connector) Check(_ connector.Settings, credentials json.RawMessage) error {
	_, err := parse(credentials)
	return err
}

// Open implements connector.Connector.
func (c *Connector) Open(s connector.Settings, credentials json.RawMessage) (connector.Session, error) {
	k, err := parse(credentials)
	if err != nil {
		return nil, err
	}
	version := s.Version
	switch {
	case version == "":
		version = defaultVersion
	case !strings.Contains(version, "."):
		version += ".0"
	}
	return &session{client: c.client, keys: k, login: strings.TrimSuffix(s.Address, "/"), version: version}, nil
}

// session calls one org.
type session struct {
	client  *wire.Client
	keys    *keys
	login   string
	version string

	mu       sync.Mutex
	token    string
	instance string              // where the org's API is
	special  map[string][]string // fields of objects that say what became of a record
}

// refusal is why Salesforce refuses: what Parley's administrator reads.
func refusal(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{connector.ErrRefused}, args...)...)
}

// fault is how Salesforce writes an error.
type fault struct {
	Code    string   `json:"errorCode"`
	Message string   `json:"message"`
	Fields  []string `json:"fields"`
}

// answer is a whole answer to a call.
type answer struct {
	wire.Answer
	faults []fault
}

// is reports whether the answer is an error of a code.
func (a *answer) is(code string) bool { return len(a.faults) > 0 && a.faults[0].Code == code }

// call is a call to make.
type call struct {
	method, address, token string

	kind, body string // of what is sent
	unmodified clock.Time
}

// get calls the API, and reads JSON into out.
func (x *session) get(ctx context.Context, path string, out any) (*answer, error) {
	a, err := x.api(ctx, call{method: http.MethodGet, address: path})
	switch {
	case err != nil:
		return nil, err
	case a.Status != http.StatusOK:
		return a, a.problem()
	case len(a.Body) == 0:
		return a, errTooLong
	}
	decoder := json.NewDecoder(strings.NewReader(string(a.Body)))
	decoder.UseNumber()
	if err := decoder.Decode(out); err != nil {
		return a, errors.New("salesforce: the answer is no JSON")
	}
	return a, nil
}

// api calls a path of the API. A token that has ended is asked for again, once.
func (x *session) api(ctx context.Context, c call) (*answer, error) {
	path := c.address
	for again := false; ; again = true {
		instance, token, err := x.signIn(ctx, again)
		if err != nil {
			return nil, connector.Untaken(err)
		}
		c.address, c.token = instance+path, token
		if a, err := x.send(ctx, c); err != nil || again || a.Status != http.StatusUnauthorized {
			return a, err
		}
	}
}

// errTooLong is the error of an answer that is longer than it may be, or broke off.
var errTooLong = errors.New("salesforce: the answer is longer than it may be")

func (x *session) send(ctx context.Context, c call) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, c.method, c.address, strings.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "Parley")
	if c.kind != "" {
		req.Header.Set("Content-Type", c.kind)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.unmodified != 0 {
		req.Header.Set("If-Unmodified-Since", c.unmodified.Std().Format(http.TimeFormat))
	}
	got, err := x.client.Do(req)
	if err != nil {
		return nil, err
	}
	a := &answer{Answer: got}
	if a.Status < 200 || a.Status > 299 {
		_ = json.Unmarshal(a.Body, &a.faults) // a list, or something else that is read elsewhere
	}
	return a, nil
}

// said are the words of an answer that is an error.
func (a *answer) said() string {
	if len(a.faults) > 0 {
		return wire.Detail(a.faults[0].Code + ": " + a.faults[0].Message)
	}
	return "it answered " + strconv.Itoa(a.Status)
}

// limited reports whether the answer says to call later.
func (a *answer) limited() bool {
	return a.is("REQUEST_LIMIT_EXCEEDED") || a.is("SERVER_UNAVAILABLE") || a.is("CONCURRENT_REQUEST_LIMIT_EXCEEDED") ||
		a.Status == http.StatusServiceUnavailable || a.Status == http.StatusTooManyRequests
}

// problem is what an answer other than 200 means.
func (a *answer) problem() error {
	said := a.said()
	switch {
	case a.limited():
		return &connector.LimitedError{After: a.retryAfter()}
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		return refusal("Salesforce does not let Parley in (%s). Check the app's policies, and the rights of its user.", said)
	case a.Status >= 400 && a.Status < 500:
		return refusal("Salesforce does not understand the request (%s). Check the object types and the mappings of the connection.", said)
	}
	return errors.New("salesforce: " + said)
}

// retryAfter is how long the answer asks to wait: seconds, or until a time by its own clock.
func (a *answer) retryAfter() time.Duration {
	text := a.Header.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return time.Duration(min(n, 86_400)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(a.now().Std()))
	}
	return 0
}

// now is Salesforce's time, to the second before; ours where it does not say.
func (a *answer) now() clock.Time {
	if at, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		return clock.Of(at)
	}
	return clock.Real{}.Now()
}

// data is the path of the API.
func (x *session) data(rest string) string { return "/services/data/v" + x.version + rest }

// Describe implements connector.Session.
func (x *session) Describe(ctx context.Context, object string) (*connector.Object, error) {
	var got struct {
		Name   string `json:"name"`
		Prefix string `json:"keyPrefix"`
		Fields []struct {
			Name       string `json:"name"`
			Type       string `json:"type"`
			ExternalID bool   `json:"externalId"`
		} `json:"fields"`
	}
	a, err := x.get(ctx, x.data("/sobjects/"+url.PathEscape(object)+"/describe"), &got)
	if a != nil && a.Status == http.StatusNotFound {
		return nil, refusal("Salesforce has no object %s, or its user may not read it. Correct the connection, or give the user the right.", object)
	}
	if err != nil {
		return nil, err
	}
	o := &connector.Object{Name: got.Name, Prefix: got.Prefix}
	for _, f := range got.Fields {
		if f.Type == "address" { // a compound of fields that are there as well
			continue
		}
		o.Fields = append(o.Fields, connector.Field{Name: f.Name, IsKey: f.ExternalID})
	}
	if field(o, "SystemModstamp") == nil {
		return nil, refusal("%s has no SystemModstamp, so that its changes cannot be read. Take it out of the connection.", object)
	}
	x.remember(o)
	return o, nil
}

func field(o *connector.Object, name string) *connector.Field {
	for i := range o.Fields {
		if strings.EqualFold(o.Fields[i].Name, name) {
			return &o.Fields[i]
		}
	}
	return nil
}
