package twiliotest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/internal/channel"
)

// Kept is a Message resource that the server holds and lists.
type Kept struct {
	SID, From, To, Body string
	Direction, Status   string // "inbound" and "received" when empty
	ErrorCode           int
	SentAt              time.Time
	// Files are those of the message, by their content types.
	Files []string
}

// Keep has the server hold messages, received or sent, in any order.
func (s *Server) Keep(messages ...Kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range messages {
		m.Direction, m.Status = cmp.Or(m.Direction, "inbound"), cmp.Or(m.Status, "received")
		s.kept = append(s.kept, m)
	}
}

// Lists returns the queries by which messages were listed so far.
func (s *Server) Lists() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lists)
}

// serveResource answers what can be read of the account; false for another path.
func (s *Server) serveResource(w http.ResponseWriter, r *http.Request) bool {
	account := "/2010-04-01/Accounts/" + s.credentials.SID
	of, isMedia := strings.CutSuffix(r.URL.Path, "/Media.json")
	switch {
	case r.URL.Path == account+".json":
		s.authenticated(w, r, s.show)
	case r.URL.Path == account+"/Messages.json":
		s.authenticated(w, r, s.list)
	case isMedia && strings.HasPrefix(of, account+"/Messages/"):
		s.authenticated(w, r, s.media)
	default:
		return false
	}
	return true
}

func (s *Server) authenticated(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
	if user, password, ok := r.BasicAuth(); !ok || user != s.credentials.SID || !s.credentials.Token.Is(password) {
		(&refusal{http.StatusUnauthorized, 20003, "Authenticate"}).write(w)
		return
	}
	answer(w, r)
}

// The query's parameters that are documented, and the sizes of a page.
var parameters = []string{"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"}

const (
	usualPage = 50
	mostPage  = 1000
)

// list answers a page of the messages, the newest first, as the documented example
// does. A page behind the first needs the token that the page before gave.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	query := r.URL.Query()
	s.lists = append(s.lists, maps.Clone(query))
	filter, problem := filterOf(query)
	if problem != "" {
		(&refusal{http.StatusBadRequest, 20001, problem}).write(w)
		return
	}
	var found []Kept
	for _, m := range s.kept {
		if filter.takes(m) {
			found = append(found, m)
		}
	}
	slices.SortStableFunc(found, func(a, b Kept) int { return b.SentAt.Compare(a.SentAt) })
	from := min(filter.page*filter.size, len(found))
	to := min(from+filter.size, len(found))
	if filter.page > 0 && (from == 0 || query.Get("PageToken") != "PA"+found[from-1].SID) {
		(&refusal{http.StatusBadRequest, 20006, "The page token is not one that was given"}).write(w)
		return
	}
	resources := []any{}
	for _, m := range found[from:to] {
		resources = append(resources, s.resource(m))
	}
	var next any
	if to < len(found) {
		query.Set("Page", strconv.Itoa(filter.page+1))
		query.Set("PageToken", "PA"+found[to-1].SID)
		next = r.URL.Path + "?" + query.Encode()
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"messages": resources, "next_page_uri": next, "page": filter.page, "page_size": filter.size, "start": from, "end": max(to-1, 0), "uri": r.URL.RequestURI(),
	})
}

// filter is what a list asks for.
type filter struct {
	from, to         string
	on, after, until string // days
	size, page       int
}

func filterOf(query url.Values) (f filter, problem string) {
	for name, values := range query {
		if !slices.Contains(parameters, name) || len(values) != 1 {
			return f, "There is no parameter " + name
		}
	}
	f = filter{from: query.Get("From"), to: query.Get("To"), on: query.Get("DateSent"), after: query.Get("DateSent>"), until: query.Get("DateSent<"), size: usualPage}
	for _, day := range []string{f.on, f.after, f.until} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return f, "DateSent is YYYY-MM-DD"
		}
	}
	var err error
	if size := query.Get("PageSize"); size != "" {
		if f.size, err = strconv.Atoi(size); err != nil || f.size < 1 || f.size > mostPage {
			return f, "PageSize is 1 to 1000"
		}
	}
	if page := query.Get("Page"); page != "" {
		if f.page, err = strconv.Atoi(page); err != nil || f.page < 0 {
			return f, "Page is 0 or more"
		}
	}
	return f, ""
}

func (f filter) takes(m Kept) bool {
	day := m.SentAt.UTC().Format(time.DateOnly)
	return (f.from == "" || f.from == m.From) && (f.to == "" || f.to == m.To) && (f.on == "" || f.on == day) &&
		(f.after == "" || day >= f.after) && (f.until == "" || day <= f.until)
}

func (s *Server) resource(m Kept) map[string]any {
	var code any
	if m.ErrorCode != 0 {
		code = m.ErrorCode
	}
	at := m.SentAt.UTC().Format(time.RFC1123Z)
	return map[string]any{
		"account_sid": s.credentials.SID, "api_version": "2010-04-01", "body": m.Body, "date_created": at, "date_sent": at, "date_updated": at,
		"direction": m.Direction, "error_code": code, "from": m.From, "num_media": strconv.Itoa(len(m.Files)), "num_segments": "1",
		"sid": m.SID, "status": m.Status, "to": m.To,
	}
}

// media answers the files of a message that is held.
func (s *Server) media(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	message := strings.TrimSuffix(r.URL.Path, "/Media.json")
	for _, m := range s.kept {
		if !strings.HasSuffix(message, "/"+m.SID) {
			continue
		}
		files := []any{}
		for i, kind := range m.Files {
			files = append(files, map[string]any{"content_type": kind, "uri": fmt.Sprintf("%s/Media/ME%032x.json", message, i), "parent_sid": m.SID})
		}
		writeJSON(w, http.StatusOK, map[string]any{"media_list": files, "next_page_uri": nil})
		return
	}
	(&refusal{http.StatusNotFound, 20404, "The requested resource was not found"}).write(w)
}

// Received is an inbound message as the webhook of what is kept would tell it.
func (k Kept) Received() channel.Inbound {
	return channel.Inbound{EventID: k.SID, From: k.From, To: k.To, Text: k.Body}
}
