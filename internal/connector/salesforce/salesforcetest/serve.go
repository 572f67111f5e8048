package salesforcetest

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// cursor is a query that has more pages.
type cursor struct {
	query *query
	of    *object
	rest  []*record
	total int
	made  int
}

// refused is an error as Salesforce answers it.
type refused struct {
	status  int
	code    string
	message string
	fields  []string
}

func (r *refused) Error() string { return r.code + ": " + r.message }

var apiPath = regexp.MustCompile(`^/services/data/v(\d{2,3}\.0)(/.*)?$`)

func (o *Org) hangs() (is bool) {
	o.locked(func() {
		if is = o.hanging > 0; is {
			o.hanging--
		}
	})
	return is
}

// ServeHTTP implements http.Handler.
func (o *Org) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if o.hangs() {
		_, _ = io.Copy(io.Discard, r.Body) // else nobody sees that the caller hangs up
		<-r.Context().Done()
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	w.Header().Set("Date", o.Now().UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	if r.URL.Path == "/services/oauth2/token" {
		o.token(w, r)
		return
	}
	body, status, err := o.answer(w, r)
	if err == nil && r.Method != http.MethodGet && o.lost > 0 {
		o.lost--
		panic(http.ErrAbortHandler) // it was done, and the answer is lost
	}
	var is *refused
	if errors.As(err, &is) {
		w.WriteHeader(is.status)
		_ = json.NewEncoder(w).Encode([]Values{{"message": is.message, "errorCode": is.code, "fields": append([]string{}, is.fields...)}})
		return
	}
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

// answer answers a call of the API.
func (o *Org) answer(w http.ResponseWriter, r *http.Request) (body any, status int, err error) {
	if r.URL.Path == "/services/data" || r.URL.Path == "/services/data/" {
		return []Values{{"label": "Test", "url": "/services/data/v62.0", "version": "62.0"}}, http.StatusOK, nil
	}
	o.calls = append(o.calls, r.Method+" "+r.URL.Path+" "+r.URL.Query().Get("q"))
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !o.tokens[bearer] {
		return nil, 0, &refused{http.StatusUnauthorized, "INVALID_SESSION_ID", "Session expired or invalid", nil}
	}
	if len(o.failures) > 0 {
		f := o.failures[0]
		o.failures = o.failures[1:]
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		return nil, 0, &refused{f.Status, f.Code, "told to fail", nil}
	}
	if o.daily == 0 {
		return nil, 0, &refused{http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", nil}
	}
	o.daily--
	w.Header().Set("Sforce-Limit-Info", fmt.Sprintf("api-usage=%d/%d", mostDaily-o.daily, mostDaily))
	path := apiPath.FindStringSubmatch(r.URL.Path)
	if path == nil {
		return nil, 0, &refused{http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist", nil}
	}
	parts := strings.Split(strings.Trim(path[2], "/"), "/")
	switch {
	case (parts[0] == "query" || parts[0] == "queryAll") && len(parts) == 1 && r.Method == http.MethodGet:
		return o.ask(path[1], r, parts[0] == "queryAll")
	case (parts[0] == "query" || parts[0] == "queryAll") && len(parts) == 2 && r.Method == http.MethodGet:
		return o.further(path[1], parts[1])
	case parts[0] == "limits" && len(parts) == 1 && r.Method == http.MethodGet:
		return Values{"DailyApiRequests": Values{"Max": mostDaily, "Remaining": o.daily}}, http.StatusOK, nil
	case parts[0] == "sobjects" && len(parts) == 1 && r.Method == http.MethodGet:
		return o.describeAll(), http.StatusOK, nil
	case parts[0] == "sobjects" && len(parts) > 1:
		return o.sobject(r, parts[1:])
	}
	return nil, 0, &refused{http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist", nil}
}

func (o *Org) describeAll() any {
	list := []Values{}
	for _, of := range o.objects {
		list = append(list, Values{"name": of.name, "keyPrefix": of.prefix, "queryable": true})
	}
	return Values{"sobjects": list}
}

// ask answers a query with its first page.
func (o *Org) ask(version string, r *http.Request, deleted bool) (any, int, error) {
	q, of, err := parse(r.URL.Query().Get("q"), o.objects)
	var noType *typeError
	var noField *fieldError
	switch {
	case errors.As(err, &noType):
		return nil, 0, &refused{http.StatusBadRequest, "INVALID_TYPE", err.Error(), nil}
	case errors.As(err, &noField):
		return nil, 0, &refused{http.StatusBadRequest, "INVALID_FIELD", err.Error(), nil}
	case err != nil:
		return nil, 0, &refused{http.StatusBadRequest, "MALFORMED_QUERY", err.Error(), nil}
	}
	found := q.run(of, deleted)
	if q.count {
		return Values{"totalSize": len(found), "done": true, "records": []Values{}}, http.StatusOK, nil
	}
	size := o.pageSize
	if n, err := strconv.Atoi(strings.TrimPrefix(r.Header.Get("Sforce-Query-Options"), "batchSize=")); err == nil {
		size = min(size, max(200, min(n, 2_000)))
	}
	return o.page(version, &cursor{query: q, of: of, rest: found, total: len(found)}, size), http.StatusOK, nil
}

// further answers the next page of a query, which is there once.
func (o *Org) further(version, locator string) (any, int, error) {
	c := o.pages[locator]
	if c == nil {
		return nil, 0, &refused{http.StatusBadRequest, "INVALID_QUERY_LOCATOR", "invalid query locator", nil}
	}
	return o.page(version, c, o.pageSize), http.StatusOK, nil
}

func (o *Org) page(version string, c *cursor, size int) any {
	n := min(size, len(c.rest))
	records := make([]Values, n)
	for i, r := range c.rest[:n] {
		records[i] = Values{"attributes": Values{"type": c.of.name, "url": "/services/data/v" + version + "/sobjects/" + c.of.name + "/" + r.id}}
		for _, name := range c.query.fields {
			records[i][name] = r.values[name]
		}
	}
	rest := *c
	rest.rest, rest.made = c.rest[n:], c.made+n
	answer := Values{"totalSize": c.total, "done": len(rest.rest) == 0, "records": records}
	if len(rest.rest) > 0 {
		locator := "01g" + rand.Text()[:12] + "-" + strconv.Itoa(rest.made)
		o.pages[locator] = &rest
		answer["nextRecordsUrl"] = "/services/data/v" + version + "/query/" + locator
	}
	return answer
}

// sobject answers a call of /sobjects/{object} and below.
func (o *Org) sobject(r *http.Request, parts []string) (any, int, error) {
	of := o.objects[strings.ToLower(parts[0])]
	missing := &refused{http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist", nil}
	if of == nil {
		return nil, 0, missing
	}
	if len(parts) == 1 {
		if r.Method != http.MethodPost {
			return nil, 0, missing
		}
		values, err := read(r, of, true)
		if err != nil {
			return nil, 0, err
		}
		return Values{"id": o.create(of, values), "success": true, "errors": []string{}}, http.StatusCreated, nil
	}
	if parts[1] == "describe" && r.Method == http.MethodGet {
		return Values{"name": of.name, "label": of.name, "keyPrefix": of.prefix, "fields": of.fields}, http.StatusOK, nil
	}
	if len(parts) == 3 && r.Method == http.MethodPatch {
		return o.upsert(r, of, parts[1], parts[2])
	}
	at, is := o.find(parts[1])
	if is == nil || at != of || is.values["IsDeleted"] == true {
		return nil, 0, &refused{http.StatusNotFound, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + parts[1], nil}
	}
	return o.one(r, of, is)
}

// upsert changes the record whose external id has a value, or creates it.
func (o *Org) upsert(r *http.Request, of *object, name, value string) (any, int, error) {
	f := field(of, name)
	if f == nil || !f.ExternalID {
		return nil, 0, &refused{http.StatusNotFound, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + name, nil}
	}
	found := (&query{where: func(v Values) bool { return compare(f, v[f.Name], value) == 0 }, limit: -1}).run(of, false)
	if len(found) > 1 {
		return nil, 0, &refused{http.StatusMultipleChoices, "DUPLICATE_EXTERNAL_ID", "Multiple records have this value", nil}
	}
	values, err := read(r, of, len(found) == 0)
	if err != nil {
		return nil, 0, err
	}
	if len(found) == 0 {
		values[f.Name] = value
		return Values{"id": o.create(of, values), "success": true, "errors": []string{}, "created": true}, http.StatusCreated, nil
	}
	o.set(of, found[0], values)
	return Values{"id": found[0].id, "success": true, "errors": []string{}, "created": false}, http.StatusOK, nil
}

// one answers a call of a record.
func (o *Org) one(r *http.Request, of *object, is *record) (any, int, error) {
	switch r.Method {
	case http.MethodGet:
		answer := Values{"attributes": Values{"type": of.name, "url": r.URL.Path}}
		for _, f := range of.fields {
			answer[f.Name] = is.values[f.Name]
		}
		return answer, http.StatusOK, nil
	case http.MethodPatch:
		values, err := read(r, of, false)
		if err != nil {
			return nil, 0, err
		}
		if text := r.Header.Get("If-Unmodified-Since"); text != "" {
			since, err := http.ParseTime(text)
			if err != nil {
				return nil, 0, &refused{http.StatusBadRequest, "INVALID_HEADER", "If-Unmodified-Since is no date", nil}
			}
			if stamp, err := timeOf(fmt.Sprint(is.values["LastModifiedDate"])); err == nil && stamp.After(since) {
				return nil, 0, &refused{http.StatusPreconditionFailed, "PRECONDITION_FAILED", "The record was modified since", nil}
			}
		}
		o.set(of, is, values)
		return nil, http.StatusNoContent, nil
	case http.MethodDelete:
		o.set(of, is, Values{"IsDeleted": true})
		return nil, http.StatusNoContent, nil
	}
	return nil, 0, &refused{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "HTTP Method '" + r.Method + "' not allowed.", nil}
}

// read reads the fields of a record to write.
func read(r *http.Request, of *object, create bool) (Values, error) {
	values := Values{}
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(text, &values)
	}
	if err != nil {
		return nil, &refused{http.StatusBadRequest, "JSON_PARSER_ERROR", err.Error(), nil}
	}
	delete(values, "attributes")
	for name := range values {
		f := field(of, name)
		if f == nil {
			return nil, &refused{http.StatusBadRequest, "INVALID_FIELD", (&fieldError{name, of.name}).Error(), nil}
		}
		if create && !f.Createable || !create && !f.Updateable {
			return nil, &refused{http.StatusBadRequest, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: " + f.Name, []string{f.Name}}
		}
	}
	if f, id := badReference(of, values); f != nil {
		return nil, &refused{http.StatusBadRequest, "MALFORMED_ID", f.Label + ": id value of incorrect type: " + id, []string{f.Name}}
	}
	if last, needed := field(of, "LastName"), create; last != nil && needed && values["LastName"] == nil {
		return nil, &refused{http.StatusBadRequest, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", []string{"LastName"}}
	}
	return values, nil
}

// badReference is a reference that holds no id, with what it holds; nil for none.
func badReference(of *object, values Values) (*Field, string) {
	for name, v := range values {
		id, is := v.(string)
		if f := field(of, name); f.Type == "reference" && is && len(id) != 15 && len(id) != 18 {
			return f, id
		}
	}
	return nil, ""
}

// token answers the OAuth flows.
func (o *Org) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		refuse(w, "invalid_request", "must use HTTP POST")
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
		id, secret := clientOf(r)
		if id != o.ClientID {
			refuse(w, "invalid_client_id", "client identifier invalid")
			return
		}
		if secret != o.ClientSecret {
			refuse(w, "invalid_client", "invalid client credentials")
			return
		}
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		if problem := o.assertion(r.PostForm.Get("assertion")); problem != "" {
			refuse(w, "invalid_grant", problem)
			return
		}
	default:
		refuse(w, "unsupported_grant_type", "grant type not supported")
		return
	}
	token := "00D" + rand.Text()
	o.tokens[token] = true
	o.signedIns++
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	_ = json.NewEncoder(w).Encode(map[string]string{
		"access_token": token, "instance_url": scheme + r.Host, "id": scheme + r.Host + "/id/00D/005", "token_type": "Bearer",
		"issued_at": strconv.FormatInt(o.Now().UnixMilli(), 10), "signature": "none",
	})
}

func clientOf(r *http.Request) (id, secret string) {
	if id, secret, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
		return id, secret
	}
	return r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
}

// assertion verifies a JWT as Salesforce does, and returns why it is refused.
func (o *Org) assertion(text string) string {
	key, err := jwt.ParseRSAPublicKeyFromPEM(o.PublicKey)
	if err != nil {
		return "user hasn't approved this consumer"
	}
	claims := jwt.RegisteredClaims{}
	_, err = jwt.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience("https://login.salesforce.com"), jwt.WithIssuer(o.ClientID), jwt.WithSubject(o.Username),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(o.Now))
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return "expired authorization code"
	case err != nil:
		return "invalid assertion"
	case claims.ExpiresAt.Sub(o.Now()) > 5*time.Minute:
		return "invalid assertion: exp is too far ahead"
	}
	return ""
}

func refuse(w http.ResponseWriter, code, message string) {
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": message})
}
