package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"parley/internal/edge/answer"
	"parley/internal/edge/persisted"
	"parley/internal/ground/fault"
)

// refusal is an error with the HTTP status it takes.
type refusal struct {
	status int
	err    error
}

// readParams reads a request by GET or POST, after gate was charged for its bytes.
func readParams(r *http.Request, gate Gate) (*graphql.RawParams, *refusal) {
	var params *graphql.RawParams
	var err error
	if r.Method == http.MethodGet {
		if err = gate.Read(r.Context(), len(r.URL.RawQuery)); err == nil {
			params, err = fromURL(r)
		}
	} else {
		if !isJSON(r.Header.Get("Content-Type")) {
			return nil, &refusal{
				http.StatusUnsupportedMediaType,
				fault.New(fault.BadInput, "Send the request as Content-Type: application/json in UTF-8."),
			}
		}
		params, err = fromBody(r, gate)
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &refusal{http.StatusRequestEntityTooLarge, answer.TooLarge(large.Limit)}
	case rateLimited(err) != nil:
		return nil, &refusal{http.StatusTooManyRequests, err}
	case err != nil:
		return nil, &refusal{http.StatusBadRequest, err}
	case strings.TrimSpace(params.Query) == "" && !persisted.Names(params):
		return nil, &refusal{http.StatusBadRequest, fault.Input("query", "The request has no query. Add one.")}
	}
	return params, nil
}

func isJSON(contentType string) bool {
	media, parameters, err := mime.ParseMediaType(contentType)
	return err == nil && media == answer.MediaJSON && isUTF8(parameters)
}

func isUTF8(parameters map[string]string) bool {
	charset, found := parameters["charset"]
	return !found || strings.EqualFold(charset, "utf-8")
}

func fromURL(r *http.Request) (*graphql.RawParams, error) {
	values := r.URL.Query()
	params := &graphql.RawParams{Query: values.Get("query"), OperationName: values.Get("operationName")}
	if !utf8.ValidString(params.Query) || !utf8.ValidString(params.OperationName) {
		return nil, fault.Input("query", "Encode the URL's parameters as UTF-8 with percent-encoding.")
	}
	for name, into := range map[string]*map[string]any{
		"variables":  &params.Variables,
		"extensions": &params.Extensions,
	} {
		if text := values.Get(name); text != "" && decode([]byte(text), into) != nil {
			return nil, fault.Input(name, "The parameter %s must be a JSON object.", name)
		}
	}
	name(params, values.Get(persisted.DocumentID))
	return params, nil
}

// name moves the name of a document to the extensions, where the executor finds it.
func name(params *graphql.RawParams, id string) {
	if id == "" {
		return
	}
	if params.Extensions == nil {
		params.Extensions = map[string]any{}
	}
	params.Extensions[persisted.DocumentID] = id
}

// parseParams reads the JSON of a request.
func parseParams(text []byte) (*graphql.RawParams, error) {
	var body struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
		Extensions    map[string]any `json:"extensions"`
		DocumentID    string         `json:"documentId"`
	}
	if err := decode(text, &body); err != nil {
		return nil, err
	}
	params := &graphql.RawParams{
		Query: body.Query, OperationName: body.OperationName, Variables: body.Variables, Extensions: body.Extensions,
	}
	name(params, body.DocumentID)
	return params, nil
}

func fromBody(r *http.Request, gate Gate) (*graphql.RawParams, error) {
	text, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, err
	case err != nil:
		return nil, fault.New(fault.BadInput, "The body ended before its stated length. Send it again.")
	}
	if err := gate.Read(r.Context(), len(text)); err != nil {
		return nil, err
	}
	params, err := parseParams(text)
	if err != nil {
		return nil, malformed(err)
	}
	return params, nil
}

// malformed says what is wrong with a request in our own words: those of
// encoding/json are about Go, and may quote the body.
func malformed(err error) error {
	if fault.CodeOf(err) == fault.LimitExceeded {
		return err
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return fault.Input(wrong.Field, "The member %s has the wrong type.", wrong.Field)
	}
	return fault.New(fault.BadInput, "The request must be one JSON object with query or documentId, operationName, variables and extensions.")
}

// mostValues bounds the JSON values of a request, at twice the ids that any operation
// takes. Decoded, a value takes a hundred times the memory of its text.
const mostValues = 20_000

// fewValues refuses JSON with too many values. It estimates their number from the
// separators.
func fewValues(text []byte) error {
	values, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '{' || c == '['):
			values++
		}
	}
	if values > mostValues {
		return fault.New(fault.LimitExceeded, "The request contains more than %d JSON values. Send fewer at once.", mostValues)
	}
	return nil
}

var errTrailing = errors.New("text after the JSON value")

// decode reads exactly one JSON value and keeps numbers as they are written.
func decode(text []byte, into any) error {
	if !utf8.Valid(text) {
		return errors.New("not UTF-8")
	}
	if err := fewValues(text); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}
