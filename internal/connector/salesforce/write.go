package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"parley/internal/channel/wire"
	"parley/internal/connector"
)

// Find implements connector.Session. Of several records it is the one that changed last.
func (x *session) Find(ctx context.Context, object string, fields []string, by connector.Key) (*connector.Row, error) {
	query := fmt.Sprintf("SELECT %s FROM %s WHERE %s = '%s' ORDER BY SystemModstamp DESC LIMIT 1", selected(x.specialOf(object), fields), object, by.Field, quoted(by.Value))
	var got result
	if _, err := x.get(ctx, x.data("/queryAll?q="+url.QueryEscape(query)), &got); err != nil || len(got.Records) == 0 {
		return nil, err
	}
	return rowOf(got.Records[0], fields)
}

// Write implements connector.Session.
func (x *session) Write(ctx context.Context, w connector.Write) (*connector.Written, error) {
	body, err := json.Marshal(parted(w.Fields))
	if err != nil {
		return nil, err
	}
	path := "/sobjects/" + url.PathEscape(w.Object)
	c := call{method: http.MethodPatch, kind: "application/json", body: string(body)}
	switch {
	case w.ID != "":
		path += "/" + url.PathEscape(w.ID)
		c.unmodified = w.Unmodified
	case w.Key.Field != "":
		path += "/" + url.PathEscape(w.Key.Field) + "/" + url.PathEscape(w.Key.Value)
	default:
		c.method = http.MethodPost
	}
	c.address = x.data(path)
	a, err := x.api(ctx, c)
	var lost *wire.Error
	if errors.As(err, &lost) && lost.Untaken {
		err = connector.Untaken(err)
	}
	if err != nil {
		return nil, err
	}
	if a.Status != http.StatusOK && a.Status != http.StatusCreated && a.Status != http.StatusNoContent {
		return nil, a.untaken()
	}
	return x.written(ctx, &w, a)
}

// parted are fields with places in two: Salesforce takes latitude and longitude as fields of
// their own, of the place's name.
func parted(fields map[string]any) map[string]any {
	out := make(map[string]any, len(fields))
	for name, v := range fields {
		place, is := v.(connector.Place)
		if !is {
			out[name] = v
			continue
		}
		base := strings.TrimSuffix(name, "__c")
		out[base+"__Latitude__s"], out[base+"__Longitude__s"] = degrees(place.Latitude), degrees(place.Longitude)
	}
	return out
}

func degrees(n json.Number) any {
	if n == "" {
		return nil
	}
	return n
}

// written reads the id of a record that was written.
func (x *session) written(ctx context.Context, w *connector.Write, a *answer) (*connector.Written, error) {
	got := struct {
		ID string `json:"id"`
	}{w.ID}
	if w.ID == "" {
		_ = json.Unmarshal(a.Body, &got) // one that cannot be read has no id
	}
	if got.ID == "" && w.Key.Field != "" { // versions before 46.0 name no record that was there
		row, err := x.Find(ctx, w.Object, nil, w.Key)
		if err != nil {
			return nil, err
		}
		if row != nil {
			got.ID = row.ID
		}
	}
	if got.ID == "" || len(got.ID) > longestID {
		return nil, errors.New("salesforce: the answer does not say which record was written")
	}
	return &connector.Written{ID: got.ID, Status: a.Status}, nil
}

// untaken is what an answer means to a write that was not taken.
func (a *answer) untaken() error {
	switch {
	case a.Status == http.StatusPreconditionFailed:
		return connector.ErrChanged
	case a.limited():
		return connector.Untaken(&connector.LimitedError{After: a.retryAfter()})
	case a.Status == http.StatusUnauthorized:
		return connector.Untaken(a.problem())
	case a.is("UNABLE_TO_LOCK_ROW"):
		return connector.Untaken(errors.New("salesforce: another change of the record is under way"))
	case a.Status >= 400 && a.Status < 500, a.Status == http.StatusMultipleChoices:
		e := &connector.RejectedError{Status: a.Status, Message: a.said()}
		if len(a.faults) > 0 {
			e.Fields = a.faults[0].Fields
		}
		return e
	}
	return errors.New("salesforce: " + a.said())
}
