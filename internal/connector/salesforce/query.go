package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"parley/internal/connector"
	"parley/internal/ground/clock"
)

// special are fields that say what became of a record, where an object has them.
var special = []string{"IsDeleted", "MasterRecordId", "IsConverted", "ConvertedContactId"}

// remember keeps which of the special fields an object has.
func (x *session) remember(o *connector.Object) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.special == nil {
		x.special = map[string][]string{}
	}
	x.special[o.Name] = nil
	for _, name := range special {
		if field(o, name) != nil {
			x.special[o.Name] = append(x.special[o.Name], name)
		}
	}
}

func (x *session) specialOf(object string) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.special[object]
}

// result is a page of a query.
type result struct {
	Done    bool                         `json:"done"`
	Next    string                       `json:"nextRecordsUrl"`
	Records []map[string]json.RawMessage `json:"records"`
}

// Changes implements connector.Session. Salesforce may answer in several pages, of which
// the later ones expire: reading then goes on after the last record that was read.
func (x *session) Changes(ctx context.Context, q connector.Query) (*connector.Page, error) {
	p, held := &connector.Page{}, 0
	path := x.data("/queryAll?q=" + url.QueryEscape(soql(q, x.specialOf(q.Object))))
	for path != "" && len(p.Rows) < q.Most {
		var got result
		a, err := x.get(ctx, path, &got)
		switch {
		case a != nil && len(p.Rows) > 0 && a.is("INVALID_QUERY_LOCATOR"):
			p.More = true
			return p, nil
		case errors.Is(err, errTooLong) && q.Most > 1: // long texts: fewer records at a time
			q.Most /= 2
			return x.Changes(ctx, q)
		case err != nil:
			return nil, err
		case p.Now == 0:
			p.Now = a.now()
		}
		size, err := addRows(p, got.Records, q.Fields)
		if err != nil {
			return nil, err
		}
		if held += size; held > mostBody {
			break
		}
		if path, err = got.next(); err != nil {
			return nil, err
		}
	}
	p.More = len(p.Rows) >= q.Most || held > mostBody
	p.Rows = p.Rows[:min(len(p.Rows), q.Most)]
	return p, nil
}

// next is the path of the next page, empty after the last.
func (r *result) next() (string, error) {
	if r.Done {
		return "", nil
	}
	if !strings.HasPrefix(r.Next, "/services/data/") || len(r.Records) == 0 {
		return "", errors.New("salesforce: the next page has no address")
	}
	return r.Next, nil
}

// addRows adds the records of an answer, and returns how many bytes their values have.
func addRows(p *connector.Page, records []map[string]json.RawMessage, fields []string) (size int, err error) {
	for _, record := range records {
		row, err := rowOf(record, fields)
		if err != nil {
			return 0, err
		}
		for _, text := range row.Fields {
			size += len(text)
		}
		p.Rows = append(p.Rows, *row)
	}
	return size, nil
}

// longestID is how many characters an id of Salesforce has at most.
const longestID = 18

// soql is the query of records after a place, in order.
func soql(q connector.Query, special []string) string {
	where := ""
	switch at := q.At.Std().UTC().Format("2006-01-02T15:04:05.000Z"); {
	case q.At == 0:
	case q.ID == "":
		where = " WHERE SystemModstamp >= " + at
	default:
		where = fmt.Sprintf(" WHERE SystemModstamp > %s OR (SystemModstamp = %s AND Id > '%s')", at, at, quoted(q.ID))
	}
	return fmt.Sprintf("SELECT %s FROM %s%s ORDER BY SystemModstamp, Id LIMIT %d", selected(special, q.Fields), q.Object, where, q.Most)
}

// selected are the fields to ask for, each once, with what every record is read by.
func selected(lists ...[]string) string {
	fields := []string{"Id", "SystemModstamp"}
	seen := map[string]bool{"id": true, "systemmodstamp": true}
	for _, name := range slices.Concat(lists...) {
		if lower := strings.ToLower(name); !seen[lower] {
			seen[lower] = true
			fields = append(fields, name)
		}
	}
	return strings.Join(fields, ", ")
}

func quoted(s string) string { return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) }

// rowOf reads a record. JSON may spell the names of fields otherwise than the query.
func rowOf(record map[string]json.RawMessage, fields []string) (*connector.Row, error) {
	texts := make(map[string]string, len(record))
	for name, raw := range record {
		if name != "attributes" {
			texts[strings.ToLower(name)] = textOf(raw)
		}
	}
	at, err := time.Parse("2006-01-02T15:04:05.999Z0700", texts["systemmodstamp"])
	if id := texts["id"]; err != nil || id == "" || len(id) > longestID {
		return nil, errors.New("salesforce: a record has no Id or SystemModstamp")
	}
	row := &connector.Row{ID: texts["id"], At: clock.Of(at), Deleted: texts["isdeleted"] == "true", MergedInto: texts["masterrecordid"], Fields: make(map[string]string, len(fields))}
	if texts["isconverted"] == "true" {
		row.ConvertedTo = texts["convertedcontactid"]
	}
	for _, name := range fields {
		row.Fields[name] = texts[strings.ToLower(name)]
	}
	return row, nil
}

// textOf is a value as a text: empty for null; latitude and longitude of a place.
func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var place struct{ Latitude, Longitude *json.Number }
	switch {
	case string(raw) == "null":
		return ""
	case json.Unmarshal(raw, &place) == nil && place.Latitude != nil && place.Longitude != nil:
		return place.Latitude.String() + "," + place.Longitude.String()
	}
	return string(raw) // a number or a boolean
}

// Gone implements connector.Session.
func (x *session) Gone(ctx context.Context, object string, ids []string) (gone []string, now clock.Time, err error) {
	asked := make([]string, 0, len(ids))
	for _, id := range ids {
		asked = append(asked, "'"+quoted(id)+"'")
	}
	path := x.data("/queryAll?q=" + url.QueryEscape("SELECT Id FROM "+object+" WHERE Id IN ("+strings.Join(asked, ", ")+")"))
	there := map[string]bool{}
	for pages := 0; path != "" && pages < len(ids); pages++ {
		var got result
		a, err := x.get(ctx, path, &got)
		if err != nil {
			return nil, 0, err
		}
		now = a.now()
		for _, record := range got.Records {
			there[textOf(record["Id"])] = true
		}
		if path, err = got.next(); err != nil {
			return nil, 0, err
		}
	}
	for _, id := range ids {
		if !there[id] {
			gone = append(gone, id)
		}
	}
	return gone, now, nil
}
