package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/connector/salesforce/salesforcetest"
	carrier "parley/internal/desk/account"
	"parley/internal/desk/crm"
	"parley/internal/desk/crmsync"
	"parley/internal/desk/linking"
	"parley/internal/desk/match"
	"parley/internal/edge/server"
	"parley/internal/ground/viewer"
)

// records measures calls of upsertRecords, and customers' messages from numbers that
// records have, where every channel has linking rules.
func (s *settings) records(ctx context.Context, r *report) (err error) {
	a, err := s.open(ctx, s.Database, func(c *app.Config) { c.Mode = server.Development }) // it calls a CRM on this machine
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	ctx = viewer.AsSystem(ctx, "bench")
	if err := link(ctx, a); err != nil {
		return err
	}
	for _, measure := range []func(context.Context, *report, *app.App) error{s.upserts, s.known, s.besideSync} {
		if err := measure(ctx, r, a); err != nil {
			return err
		}
	}
	return nil
}

// link gives every channel rules that look at each message again: no lead has a number, and
// contacts are only suggested.
func link(ctx context.Context, a *app.App) error {
	for _, c := range a.Directory.Channels() {
		for objectType, mode := range map[string]match.Mode{"Lead": match.Automatic, "Contact": match.Suggested} {
			_, err := a.Schema.Linking.Create(ctx, linking.CreateInput{ChannelID: c.ID, Name: objectType, ObjectType: objectType, Mode: mode, IdempotencyKey: c.ID + objectType})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// contact is one with a name, two numbers, an account and two texts.
func contact(id, mobile string) *crm.RecordInput {
	in := &crm.RecordInput{ObjectType: "Contact", ExternalID: id}
	for _, f := range [][2]string{
		{"FirstName", "Ann"},
		{"LastName", "Customer " + id},
		{"MobilePhone", mobile},
		{"Phone", "+44 20 7946 0018"},
		{"AccountId", "ACCOUNT"},
		{"Email", "ann@example.com"},
		{"Title", "Engineer"},
	} {
		in.Fields = append(in.Fields, &crm.FieldInput{Name: f[0], Text: &f[1]})
	}
	return in
}

// upserter writes 200 new contacts a call.
func upserter(a *app.App) func(context.Context, int) error {
	var n atomic.Int64
	began := time.Now().UnixNano()
	return func(ctx context.Context, _ int) error {
		in := make([]*crm.RecordInput, crm.MostPerCall)
		for i := range in {
			k := n.Add(1)
			in[i] = contact(fmt.Sprintf("B%d-%d", began, k), fmt.Sprintf("+1202%07d", 5_550_000+k%9_999))
		}
		results, err := a.Schema.Records.Upsert(ctx, in)
		for _, result := range results {
			if err == nil && result.Error != nil {
				return result.Error
			}
		}
		return err
	}
}

// upserts compares calls of upsertRecords to the bare insertion of rows that hold the same.
func (s *settings) upserts(ctx context.Context, r *report, a *app.App) error {
	db, err := openRaw(ctx, s.Database, true, 1)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	before := heap()
	err = s.compare(ctx, r, comparison{group: fmt.Sprintf("upsertRecords, %d records a call", crm.MostPerCall), clients: 1, contenders: []contender{
		{"raw SQL", bareContacts(db)}, {"Parley", upserter(a)},
	}})
	f := &r.Figures[len(r.Figures)-1]
	f.Note = fmt.Sprintf("%.0f records a second; heap %.1f MB before, %.1f after", f.PerSecond*crm.MostPerCall, before, heap())
	return err
}

// heap is what is in use, in MB.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse) / (1 << 20)
}

// bareContacts inserts, in one transaction, the rows that a call writes.
func bareContacts(db *database) func(context.Context, int) error {
	key := -time.Now().UnixNano() // below zero: Parley counts its own from the greatest
	statement := func(table, columns string, rows int) string {
		row := "(?" + strings.Repeat(", ?", strings.Count(columns, ",")) + ")"
		return db.bind("INSERT INTO " + table + " (" + columns + ") VALUES " + row + strings.Repeat(", "+row, rows-1))
	}
	const n = crm.MostPerCall
	records := statement("records", "id, object_type, external_id, name, mobile_number, opted_out, updated_at, body, name_key", n)
	phones := statement("record_phones", "record_id, slot, place, number, own", 2*n)
	lookups := statement("lookups", "record_id, field, target_id", n)
	body := fmt.Sprintf(`{"FirstName":"Ann","LastName":"Customer %d","MobilePhone":"+12025550000","Phone":"+442079460018","AccountId":"ACCOUNT","Email":"ann@example.com","Title":"Engineer"}`, key)
	return func(ctx context.Context, _ int) (err error) {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() {
			if err != nil {
				_ = tx.Rollback()
			}
		}()
		var rows [3][]any
		for range n {
			key++
			id := fmt.Sprint("R", key)
			rows[0] = append(rows[0], key, "Bare", id, "Ann Customer", "+12025550000", false, 1, body, []byte("ann customer"+id))
			rows[1] = append(rows[1], key, 0, 0, "+1202"+id, "+1202"+id, key, 1, 1, "+4420"+id, "+4420"+id)
			rows[2] = append(rows[2], key, "AccountId", 1)
		}
		for i, text := range []string{records, phones, lookups} {
			if _, err = tx.ExecContext(ctx, text, rows[i]...); err != nil {
				return err
			}
		}
		return tx.Commit()
	}
}

// known compares messages from numbers that some records have to one that none has.
func (s *settings) known(ctx context.Context, r *report, a *app.App) error {
	c := comparison{group: "inbound webhook, by how many records have the number", clients: 1}
	for i, records := range []int{0, 1, 10, 1_000} {
		number := fmt.Sprintf("+1202556%04d", i)
		for done := 0; done < records; done += crm.MostPerCall {
			var in []*crm.RecordInput
			for n := done; n < min(records, done+crm.MostPerCall); n++ {
				in = append(in, contact(fmt.Sprintf("K%d-%d", i, n), number))
			}
			if _, err := a.Schema.Records.Upsert(ctx, in); err != nil {
				return err
			}
		}
		c.contenders = append(c.contenders, contender{fmt.Sprintf("%d records", records), messagesFrom(a, number)})
	}
	return s.compare(ctx, r, c)
}

// messagesFrom posts messages of one customer.
func messagesFrom(a *app.App, from string) func(context.Context, int) error {
	handler, out := a.Server.Handler(), sinks(1)[0]
	return func(ctx context.Context, _ int) error {
		req, err := composed(a, channel.Inbound{From: from, To: "+12025550100", Text: rawText})
		if err != nil {
			return err
		}
		out.reset()
		handler.ServeHTTP(out, req.WithContext(ctx))
		if out.status != http.StatusOK {
			return fmt.Errorf("the webhook was answered %d: %s", out.status, out.body.String())
		}
		return nil
	}
}

// besideSync measures messages while all is quiet, and while the contacts of a Salesforce
// are read as fast as a sync reads them.
func (s *settings) besideSync(ctx context.Context, r *report, a *app.App) error {
	message := contender{"inbound webhook", messagesFrom(a, "+12025569999")}
	quiet, err := s.pages(ctx, message, nil)
	if err != nil {
		return err
	}
	const group = "inbound webhook beside a sync"
	r.add(figure{Group: group, Name: "quiet", Clients: 1, P50: percentile(quiet, 50), P99: percentile(quiet, 99)})
	remote := httptest.NewServer(salesforce())
	defer remote.Close()
	if err := connect(ctx, a, remote.URL); err != nil {
		return err
	}
	syncing, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		var err error
		for err == nil && syncing.Err() == nil {
			err = a.Schema.Syncs.Pull(syncing)
		}
		ended <- err
	}()
	busy, err := s.pages(ctx, message, nil)
	stop()
	if synced := <-ended; !errors.Is(synced, context.Canceled) {
		err = errors.Join(err, synced)
	}
	f := figure{Group: group, Name: "full speed", Clients: 1, P50: percentile(busy, 50), P99: percentile(busy, 99)}
	f.Note = fmt.Sprintf("p50 %.1f times the quiet p50, p99 %.1f times the quiet p99", f.P50/percentile(quiet, 50), f.P99/percentile(quiet, 99))
	r.add(f)
	return err
}

// salesforce has contacts for a while.
func salesforce() *salesforcetest.Org {
	org := salesforcetest.New()
	for n := range 20_000 {
		org.Create("Contact", salesforcetest.Values{"FirstName": "Ann", "LastName": fmt.Sprint("Customer ", n), "MobilePhone": fmt.Sprintf("+1202%07d", 5_570_000+n%9_999)})
	}
	return org
}

// connect starts a connection to a Salesforce of the tests.
func connect(ctx context.Context, a *app.App, address string) error {
	org := salesforcetest.New()
	made, _, err := a.Schema.Syncs.Create(ctx, crmsync.CreateInput{
		Name: "Bench", Kind: crmsync.Salesforce, Address: &address, ObjectTypes: []crmsync.TypeInput{{ObjectType: "Contact"}}, IdempotencyKey: address,
		Credentials: []carrier.CredentialInput{{Name: "clientId", Value: org.ClientID}, {Name: "clientSecret", Value: org.ClientSecret}},
	})
	if err != nil {
		return err
	}
	_, err = a.Schema.Syncs.Start(ctx, made.ID())
	return err
}
