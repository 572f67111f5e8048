package importer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"parley/internal/channel"
	"parley/internal/ground/clock"
)

// Bounds of what a row is found by, in bytes: what is longer is refused. Longer texts
// and names are cut.
const (
	mostID         = 190
	mostNumber     = 64
	mostUsername   = 64
	mostObjectType = 80
	mostStatus     = 40
)

// reader reads the files of an export into the staging.
type reader struct {
	staging *staging
	now     clock.Time
	zone    *time.Location // of times without one
	tell    func(done, total int64)

	read, total int64 // bytes of the files
	files       [3]Lines
	ahead       int64 // rows dated later than now
	cut         int64 // rows of which a text or name was too long
}

// mostAhead is how far another machine's clock may be before this one's.
const mostAhead = 5 * time.Minute

// source is one file to read.
type source struct {
	which which
	*file
}

// openSources opens the files that are named.
func openSources(o *Options) (sources []source, err error) {
	defer func() {
		if err != nil {
			closeAll(sources)
		}
	}()
	for _, s := range []struct {
		which    which
		path     string
		required []string
	}{
		{records, o.Records, []string{"ObjectType", "ExternalId"}},
		{outgoing, o.Outgoing, []string{"Id", "ToNumber", "SenderId", "Text", "Status", "SentAt"}},
		{incoming, o.Incoming, []string{"Id", "FromNumber", "SenderId", "Text", "ReceivedAt"}},
	} {
		if s.path == "" {
			continue
		}
		f, err := openFile(s.path, o.Encoding, wholeRow(s.which, o.zone), s.required...)
		if err != nil {
			return sources, fmt.Errorf("--%s: %w", s.which, err)
		}
		sources = append(sources, source{s.which, f})
	}
	if len(sources) == 0 {
		return nil, errors.New("there is nothing to import; give at least one of --records, --outgoing and --incoming")
	}
	return sources, nil
}

// wholeRow says whether what one line holds is surely a row, with all by which it is
// told apart.
func wholeRow(w which, zone *time.Location) func(*row) bool {
	return func(r *row) bool {
		if w == records {
			return r.get("objecttype") != "" && r.get("externalid") != ""
		}
		_, dated := instant(r.get(columns[w].at), zone)
		return dated && r.get("id") != "" && digits(r.get("senderid")) >= 3 && digits(r.get(columns[w].number)) >= 3
	}
}

// digits counts those of s.
func digits(s string) (n int) {
	for _, r := range s {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	return n
}

func closeAll(sources []source) {
	for _, s := range sources {
		s.close()
	}
}

// all reads every file, each once.
func (r *reader) all(ctx context.Context, sources []source) error {
	for _, s := range sources {
		r.total += s.size
	}
	for _, s := range sources {
		if err := r.file(ctx, s); err != nil {
			return err
		}
		r.read += s.size
	}
	r.tell(r.total, r.total)
	return nil
}

func (r *reader) file(ctx context.Context, s source) error {
	lines := &r.files[s.which]
	err := s.each(func(row *row) error {
		if lines.Rows++; lines.Rows%1000 == 0 {
			r.tell(r.read+s.consumed(), r.total)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		id := row.get("id")
		if s.which == records {
			id = row.get("externalid")
		}
		problem := row.problem
		if problem == "" {
			var err error
			if problem, err = r.take(ctx, s.which, row, id); err != nil {
				return fmt.Errorf("line %d: %w", row.line, err)
			}
		}
		if problem == "" {
			return nil
		}
		return r.staging.refuse(ctx, s.which, row.line, channel.Cut(channel.CleanText(id), mostID), problem)
	})
	lines.Read, lines.Header, lines.Blank = int64(s.lines.number), int64(s.header), int64(s.lines.blank)
	lines.Within = lines.Read - lines.Header - lines.Blank - lines.Rows
	return err
}

// take puts a row into the staging, or says why it is refused.
func (r *reader) take(ctx context.Context, w which, row *row, id string) (problem string, err error) {
	switch {
	case id == "":
		return "the id is missing: without one the next import would import the row again", nil
	case len(id) > mostID || !clean(id):
		return fmt.Sprintf("the id is longer than %d bytes or not text", mostID), nil
	case w == records:
		return r.record(ctx, row, id)
	}
	return r.message(ctx, w, row, id)
}

// columns that differ between the two tables of messages.
var columns = [...]struct{ number, at string }{outgoing: {"tonumber", "sentat"}, incoming: {"fromnumber", "receivedat"}}

// message puts a message into the staging.
func (r *reader) message(ctx context.Context, w which, row *row, id string) (problem string, err error) {
	at, problem := r.instant(row.get(columns[w].at))
	if problem != "" {
		return problem, nil
	}
	p := party{row.get("senderid"), row.get(columns[w].number)}
	text := r.shorten(channel.CleanText(row.text("text")), channel.MostText)
	var username, status string
	var record recordName
	if w == outgoing {
		username, status = row.get("agent"), channel.Cut(channel.CleanText(row.get("status")), mostStatus)
		record = recordName{row.get("objecttype"), row.get("recordid")}
	}
	if problem := outOfBounds(p, username, record); problem != "" {
		return problem, nil
	}
	party, err := r.staging.party(ctx, p)
	if err != nil {
		return "", err
	}
	agent, err := r.staging.agent(ctx, username)
	if err != nil {
		return "", err
	}
	mark := fingerprint(p.sender, p.written, text, username, status, record.objectType, record.externalID, fmt.Sprint(at))
	n, err := r.staging.exec(ctx, `INSERT INTO messages (side, line, source, print, party, at, text, status, agent, object_type, external_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (side, source) DO NOTHING`,
		int(w), row.line, id, mark, party, int64(at), text, status, agent, record.objectType, record.externalID)
	if err != nil || n > 0 {
		return "", err
	}
	return r.again(ctx, w, id, mark)
}

// outOfBounds says what of that by which others are found is too long or no text.
func outOfBounds(p party, username string, record recordName) (problem string) {
	switch {
	case len(p.sender) > mostNumber || !clean(p.sender) || len(p.written) > mostNumber || !clean(p.written):
		return fmt.Sprintf("the number or the sender ID is longer than %d bytes or not text", mostNumber)
	case len(username) > mostUsername || !clean(username):
		return fmt.Sprintf("the agent's name is longer than %d bytes or not text", mostUsername)
	case len(record.externalID) > mostID || !clean(record.externalID) || len(record.objectType) > mostObjectType || !clean(record.objectType):
		return fmt.Sprintf("the record's type is longer than %d bytes, its id longer than %d, or one of them is not text", mostObjectType, mostID)
	}
	return ""
}

// again judges a row whose id was there: the same row given twice counts as such,
// another one is refused.
func (r *reader) again(ctx context.Context, w which, id string, mark int64) (problem string, err error) {
	var line int
	var first int64
	if err := r.staging.one(ctx, []any{&line, &first}, "SELECT line, print FROM messages WHERE side = ? AND source = ?", int(w), id); err != nil {
		return "", err
	}
	if first != mark {
		return fmt.Sprintf("another row, in line %d, has the same id", line), nil
	}
	r.files[w].Twice++
	return "", nil
}

func (r *reader) record(ctx context.Context, row *row, id string) (problem string, err error) {
	at := clock.Time(1) // before anything that is dated
	if written := row.get("lastmodified"); written != "" {
		if at, problem = r.instant(written); problem != "" {
			return problem, nil
		}
	}
	optedOut, ok := truth(row.get("optout"))
	optOut := sql.NullBool{Bool: optedOut, Valid: row.get("optout") != ""}
	if !ok {
		return fmt.Sprintf("OptOut must be true or false, not %q", channel.Cut(channel.CleanText(row.get("optout")), mostStatus)), nil
	}
	objectType, parentType, parent := row.get("objecttype"), row.get("parenttype"), row.get("parentid")
	mobile := channel.CleanText(row.get("mobile"))
	switch {
	case objectType == "" || len(objectType) > mostObjectType || !clean(objectType):
		return fmt.Sprintf("the object type is missing, longer than %d bytes or not text", mostObjectType), nil
	case len(mobile) > mostNumber:
		return fmt.Sprintf("the mobile number is longer than %d bytes", mostNumber), nil
	case len(parentType) > mostObjectType || !clean(parentType) || len(parent) > mostID || !clean(parent) || (parent == "") != (parentType == ""):
		return fmt.Sprintf("the parent needs a type of up to %d bytes and an id of up to %d, or neither", mostObjectType, mostID), nil
	}
	name := r.shorten(channel.CleanName(row.get("name")), channel.MostName)
	n, err := r.staging.exec(ctx, `INSERT INTO records (line, object_type, external_id, name, mobile, opted_out, at, parent_type, parent_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (object_type, external_id) DO NOTHING`,
		row.line, objectType, id, name, mobile, optOut, int64(at), parentType, parent)
	if err != nil || n > 0 {
		return "", err
	}
	r.files[records].Twice++ // of several states of a record, the newest counts
	_, err = r.staging.exec(ctx, `UPDATE records SET line = ?, name = ?, mobile = ?, opted_out = ?, at = ?, parent_type = ?, parent_id = ?
		WHERE object_type = ? AND external_id = ? AND at < ?`,
		row.line, name, mobile, optOut, int64(at), parentType, parent, objectType, id, int64(at))
	return "", err
}

// layouts are the ways in which exports write an instant.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
}

// instant reads a time, without a zone of its own in the one given.
func instant(written string, zone *time.Location) (at time.Time, ok bool) {
	for _, layout := range layouts {
		if at, err := time.ParseInLocation(layout, written, zone); err == nil {
			return at, true
		}
	}
	return at, false
}

func (r *reader) instant(written string) (at clock.Time, problem string) {
	t, ok := instant(written, r.zone)
	switch at = clock.Of(t); {
	case written == "":
		return 0, "the time is missing"
	case !ok:
		return 0, fmt.Sprintf("the time %q cannot be read; write it like 2026-08-18T08:49:34Z", channel.Cut(channel.CleanText(written), mostStatus))
	case at <= 0:
		return 0, "the time is before 1970"
	case at > r.now.Add(mostAhead):
		r.ahead++
		return 0, "the time is in the future; check --zone and this machine's clock"
	}
	return at, ""
}

// truth reads a checkbox.
func truth(s string) (is, ok bool) {
	switch strings.ToLower(s) {
	case "", "false", "0", "no", "n", "f":
		return false, true
	case "true", "1", "yes", "y", "t", "x":
		return true, true
	}
	return false, false
}

func clean(s string) bool { return channel.CleanText(s) == s }

// shorten is cut for what is kept, and counts that it was.
func (r *reader) shorten(s string, n int) string {
	short := channel.Cut(s, n)
	if len(short) < len(s) {
		r.cut++
	}
	return short
}

// fingerprint tells whether two rows are the same.
func fingerprint(values ...string) int64 {
	h := fnv.New64a()
	for _, v := range values {
		_, _ = h.Write([]byte(v)) // never fails
		_, _ = h.Write([]byte{0})
	}
	return int64(h.Sum64())
}
