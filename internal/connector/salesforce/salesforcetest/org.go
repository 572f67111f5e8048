// Package salesforcetest is a Salesforce of a test's own: a local server that holds to what
// Salesforce documents of its REST API, as far as Parley and its tests use it. Its own test
// is jsforce, which nobody here wrote (clients/salesforce).
//
//	org := salesforcetest.New()
//	id := org.Create("Contact", salesforcetest.Values{"LastName": "Curie"})
//	server := httptest.NewServer(org)
package salesforcetest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Values are a record's fields, by name: texts, numbers, booleans, nil.
type Values map[string]any

// Field is a field as describe shows it.
type Field struct {
	Name       string   `json:"name"`
	Label      string   `json:"label"`
	Type       string   `json:"type"`
	Nillable   bool     `json:"nillable"`
	Createable bool     `json:"createable"`
	Updateable bool     `json:"updateable"`
	ReferTo    []string `json:"referenceTo"`
	ExternalID bool     `json:"externalId"`
}

// object is an object with its records.
type object struct {
	name, prefix string
	fields       []Field
	records      map[string]*record
}

type record struct {
	id     string
	values Values
}

// Org is an organisation at Salesforce. It is safe for concurrent use.
type Org struct {
	// ClientID, ClientSecret, Username and PublicKey are what signs in.
	ClientID, ClientSecret, Username string
	// PublicKey verifies the JWT bearer flow, in PEM; empty for none.
	PublicKey []byte
	// Now is the org's clock, in seconds: that of the machine by default.
	Now func() time.Time

	mu        sync.Mutex
	objects   map[string]*object
	order     int
	tokens    map[string]bool
	pages     map[string]*cursor
	pageSize  int
	failures  []Failure
	calls     []string
	daily     int // calls left
	lost      int // answers to writes that are lost
	hanging   int // calls that are not answered
	signedIns int
}

// Failure is an answer in place of the right one.
type Failure struct {
	Status     int
	Code       string
	RetryAfter string
}

// orgs counts those that were made: no two have a record of the same id.
var orgs atomic.Int64

// New is an org with Account, Contact, Lead, Opportunity and User.
func New() *Org {
	o := &Org{
		order:    int(orgs.Add(1)) * 100_000,
		ClientID: "parley-app", ClientSecret: "org-secret", Username: "sync@example.com", Now: time.Now,
		objects: map[string]*object{}, tokens: map[string]bool{}, pages: map[string]*cursor{}, pageSize: 2_000, daily: mostDaily,
	}
	text := func(names ...string) (fields []Field) {
		for _, n := range names {
			fields = append(fields, Field{Name: n, Label: n, Type: "string", Nillable: true, Createable: true, Updateable: true})
		}
		return fields
	}
	of := func(name, kind string, to ...string) Field {
		return Field{Name: name, Label: name, Type: kind, Nillable: true, Createable: true, Updateable: true, ReferTo: to}
	}
	o.Define("Account", "001", slices.Concat(text("Name", "Industry", "Phone"), []Field{of("MasterRecordId", "reference", "Account")})...)
	o.Define("Contact", "003", slices.Concat(text("FirstName", "LastName", "Name", "Email", "Phone", "MobilePhone", "Title"), []Field{
		{Name: "Parley_Id__c", Label: "Parley Id", Type: "string", Nillable: true, Createable: true, Updateable: true, ExternalID: true},
		{Name: "Home__c", Label: "Home", Type: "location", Nillable: true},
		of("AccountId", "reference", "Account"), of("HasOptedOutOfSMS", "boolean"), of("Home__Latitude__s", "double"), of("Home__Longitude__s", "double"), of("MasterRecordId", "reference", "Contact"), of("Birthdate", "date"),
	})...)
	o.Define("Lead", "00Q", slices.Concat(text("FirstName", "LastName", "Name", "Company", "Phone", "MobilePhone"), []Field{
		of("IsConverted", "boolean"), of("ConvertedContactId", "reference", "Contact"), of("ConvertedAccountId", "reference", "Account"),
		of("ConvertedOpportunityId", "reference", "Opportunity"), of("MasterRecordId", "reference", "Lead"),
	})...)
	o.Define("Opportunity", "006", slices.Concat(text("Name", "StageName"), []Field{of("AccountId", "reference", "Account"), of("CloseDate", "date")})...)
	o.Define("User", "005", text("Name")...)
	return o
}

// Define adds an object; Id, IsDeleted and times come by themselves.
func (o *Org) Define(name, prefix string, fields ...Field) {
	o.mu.Lock()
	defer o.mu.Unlock()
	system := []Field{
		{Name: "Id", Label: "Id", Type: "id"},
		{Name: "IsDeleted", Label: "Deleted", Type: "boolean"},
		{Name: "CreatedDate", Label: "Created", Type: "datetime"},
		{Name: "LastModifiedDate", Label: "Modified", Type: "datetime"},
		{Name: "SystemModstamp", Label: "Stamp", Type: "datetime"},
	}
	o.objects[strings.ToLower(name)] = &object{name: name, prefix: prefix, fields: append(system, fields...), records: map[string]*record{}}
}

// Create adds a record and returns its id.
func (o *Org) Create(name string, values Values) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.create(o.objects[strings.ToLower(name)], values)
}

func (o *Org) create(of *object, values Values) string {
	o.order++
	r := &record{id: idOf(of.prefix, o.order), values: Values{"IsDeleted": false, "CreatedDate": o.stamp()}}
	r.values["Id"] = r.id
	for _, f := range of.fields {
		if f.Type == "boolean" && f.Name != "IsDeleted" {
			r.values[f.Name] = false
		}
	}
	of.records[r.id] = r
	o.set(of, r, values)
	return r.id
}

// set changes a record. SystemModstamp is the org's time, to the second.
func (o *Org) set(of *object, r *record, values Values) {
	for _, f := range of.fields {
		for name, v := range values {
			if strings.EqualFold(name, f.Name) {
				r.values[f.Name] = v
			}
		}
	}
	for _, f := range of.fields {
		if f.Type == "location" { // a compound of two others, which alone are written
			r.values[f.Name] = place(r.values, strings.TrimSuffix(f.Name, "__c"))
		}
	}
	if field(of, "FirstName") != nil {
		r.values["Name"] = strings.TrimSpace(fmt.Sprint(cmp.Or(r.values["FirstName"], any("")), " ", cmp.Or(r.values["LastName"], any(""))))
	}
	r.values["LastModifiedDate"], r.values["SystemModstamp"] = o.stamp(), o.stamp()
}

// place is the compound of a latitude and a longitude; nil without them.
func place(values Values, base string) any {
	latitude, longitude := values[base+"__Latitude__s"], values[base+"__Longitude__s"]
	if latitude == nil || longitude == nil {
		return nil
	}
	return Values{"latitude": latitude, "longitude": longitude}
}

const stampLayout = "2006-01-02T15:04:05.000+0000"

func (o *Org) stamp() string { return o.Now().UTC().Truncate(time.Second).Format(stampLayout) }

func field(of *object, name string) *Field {
	for i := range of.fields {
		if strings.EqualFold(of.fields[i].Name, name) {
			return &of.fields[i]
		}
	}
	return nil
}

// find is a record by its id of 15 or 18 characters.
func (o *Org) find(id string) (*object, *record) {
	for _, of := range o.objects {
		for _, r := range of.records {
			if r.id == id || len(id) == 15 && r.id[:15] == id {
				return of, r
			}
		}
	}
	return nil, nil
}

// Update changes a record.
func (o *Org) Update(id string, values Values) {
	o.mu.Lock()
	defer o.mu.Unlock()
	of, r := o.find(id)
	o.set(of, r, values)
}

// Delete puts a record into the recycle bin.
func (o *Org) Delete(id string) { o.Update(id, Values{"IsDeleted": true}) }

// Purge removes a record for good, without a trace.
func (o *Org) Purge(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	of, _ := o.find(id)
	delete(of.records, id)
}

// Merge merges a record into another.
func (o *Org) Merge(loser, winner string) {
	o.Update(loser, Values{"IsDeleted": true, "MasterRecordId": winner})
	o.Update(winner, nil)
}

// Convert converts a lead to a contact, with an account and an opportunity, which may be
// empty.
func (o *Org) Convert(lead, contact, account, opportunity string) {
	became := Values{"IsConverted": true, "ConvertedContactId": contact}
	for name, id := range map[string]string{"ConvertedAccountId": account, "ConvertedOpportunityId": opportunity} {
		if id != "" {
			became[name] = id
		}
	}
	o.Update(lead, became)
}

// Late changes a record and gives it the stamp of a time before now, as a transaction that
// commits late does; never one before that of its last change.
func (o *Org) Late(id string, values Values, ago time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	of, r := o.find(id)
	before := fmt.Sprint(r.values["SystemModstamp"])
	o.set(of, r, values)
	r.values["SystemModstamp"] = max(before, o.Now().Add(-ago).UTC().Truncate(time.Second).Format(stampLayout))
}

// Names are the names of the records of an object that are there, by id.
func (o *Org) Names(name string) map[string]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	names := map[string]string{}
	for id, r := range o.objects[strings.ToLower(name)].records {
		if r.values["IsDeleted"] == false {
			names[id] = fmt.Sprint(r.values["Name"])
		}
	}
	return names
}

// Values are what a record holds; nil when there is none.
func (o *Org) Values(id string) (values Values) {
	o.locked(func() {
		if _, r := o.find(id); r != nil {
			values = maps.Clone(r.values)
		}
	})
	return values
}

// PageSize has queries be answered in pages of so many records.
func (o *Org) PageSize(n int) { o.locked(func() { o.pageSize = n }) }

// EndTokens ends all tokens.
func (o *Org) EndTokens() { o.locked(func() { clear(o.tokens) }) }

// EndPages has every further page be expired.
func (o *Org) EndPages() { o.locked(func() { clear(o.pages) }) }

// Fail has the next calls be answered with failures, in turn.
func (o *Org) Fail(failures ...Failure) {
	o.locked(func() { o.failures = append(o.failures, failures...) })
}

// Hang has the next calls be answered by nothing, until the caller hangs up.
func (o *Org) Hang(calls int) { o.locked(func() { o.hanging = calls }) }

// Lose has the answers to the next writes be lost: they are done, and nobody is told.
func (o *Org) Lose(answers int) { o.locked(func() { o.lost = answers }) }

// mostDaily is the daily limit of calls.
const mostDaily = 1_000_000

// Leave sets how many calls are left until the daily limit is reached.
func (o *Org) Leave(calls int) { o.locked(func() { o.daily = calls }) }

// SignedIns counts the tokens that were given.
func (o *Org) SignedIns() (n int) {
	o.locked(func() { n = o.signedIns })
	return n
}

// Calls are the calls of the API so far.
func (o *Org) Calls() (calls []string) {
	o.locked(func() { calls = slices.Clone(o.calls) })
	return calls
}

func (o *Org) locked(do func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	do()
}

const (
	letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	checks  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
)

// idOf is an id of 18 characters: 15, and 3 that say which of them are capitals.
func idOf(prefix string, n int) string {
	digits := []byte("000000000000")
	for i := len(digits) - 1; n > 0; i, n = i-1, n/len(letters) {
		digits[i] = letters[n%len(letters)]
	}
	id := prefix + string(digits)
	for part := range 3 {
		bits := 0
		for i := range 5 {
			if c := id[part*5+i]; c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		id += string(checks[bits])
	}
	return id
}
