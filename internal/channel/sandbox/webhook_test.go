package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/ground/clock"
)

const secret = "a secret of the sandbox"

var account = accountOf(secret)

func accountOf(secret channel.Secret) channel.Account {
	return channel.Account{Credentials: sandbox.Credentials{Secret: secret}}
}

func parse(body string) channel.Delivery {
	return sandbox.New(sandbox.Options{}).Parse(channel.Account{}, channel.Webhook{Body: []byte(body), Query: url.Values{"attempt": {"k1"}}})
}

func TestParseEntries(t *testing.T) {
	t.Parallel()
	at := clock.Of(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	cases := []struct {
		name, body string
		want       channel.Delivery
	}{
		{
			"message", `{"type":"message","id":"m1","from":"+1","to":"+2","fromName":"Zoë","text":"a\u0000b","at":"2026-11-23T10:00:00+01:00"}`,
			channel.Delivery{Messages: []channel.Inbound{{EventID: "m1", ProviderID: "m1", From: "+1", To: "+2", FromName: "Zoë", Text: "ab", At: at}}},
		},
		{
			"file", `{"type":"message","id":"m1","from":"+1","to":"+2","media":[{"contentType":"image/png","url":"https://x.example.com/1"}]}`,
			channel.Delivery{Messages: []channel.Inbound{{EventID: "m1", ProviderID: "m1", From: "+1", To: "+2", Media: []channel.Media{{ContentType: "image/png", URL: "https://x.example.com/1"}}}}},
		},
		{
			"sticker", `{"type":"message","id":"m1","from":"+1","to":"+2","unsupported":"sticker"}`,
			channel.Delivery{Messages: []channel.Inbound{{EventID: "m1", ProviderID: "m1", From: "+1", To: "+2", Unsupported: "sticker"}}},
		},
		{
			"failed", `{"type":"receipt","id":"r1","messageId":"SB1","status":"FAILED","code":"2004"}`,
			channel.Delivery{Receipts: []channel.Receipt{{EventID: "r1", AttemptKey: "k1", ProviderID: "SB1", Status: channel.Failed, Code: channel.CarrierBlocks}}},
		},
		{
			"failed for no known reason", `{"type":"receipt","id":"r1","messageId":"SB1","status":"FAILED","code":"x"}`,
			channel.Delivery{Receipts: []channel.Receipt{{EventID: "r1", AttemptKey: "k1", ProviderID: "SB1", Status: channel.Failed, Code: channel.CannotBeSent}}},
		},
		{"nothing", `[]`, channel.Delivery{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, parse(c.body))
			if c.body[0] == '{' {
				require.Equal(t, c.want, parse("["+c.body+"]"))
			}
		})
	}
}

func TestBadEntriesLoseNoNeighbour(t *testing.T) {
	t.Parallel()
	const good = `{"type":"receipt","id":"r1","messageId":"SB1","status":"READ"}`
	for _, bad := range []string{
		`null`, `5`, `{}`, `"x"`, `[]`,
		`{"type":"poke","id":"p1"}`,
		`{"type":"message","id":"","from":"+1","to":"+2"}`,
		`{"type":"message","id":"m1","from":"+1"}`,
		`{"type":"message","id":"m1","from":"+1","to":"+2","text":5}`,
		`{"type":"receipt","id":"r1","messageId":"SB1","status":"READ","at":"yesterday"}`,
		`{"type":"message","id":"m\u0000","from":"+1","to":"+2"}`,
		`{"type":"receipt","id":"r1","status":"READ"}`,
		`{"type":"receipt","id":"r1","messageId":"SB1","status":"QUEUED"}`,
		`{"type":"message","id":"` + strings.Repeat("x", 300) + `","from":"+1","to":"+2"}`,
	} {
		t.Run(bad[:min(len(bad), 60)], func(t *testing.T) {
			t.Parallel()
			d := parse("[" + good + "," + bad + "," + good + "]")
			require.Len(t, d.Receipts, 2)
			require.Empty(t, d.Messages)
			require.Len(t, d.Bad, 1)
			require.Equal(t, bad, string(d.Bad[0].Raw))
			require.Len(t, d.Bad[0].EventID, 64)
		})
	}
}

func TestLongArraysKeepTheirRest(t *testing.T) {
	t.Parallel()
	var entries []sandbox.Entry
	for i := range 250 {
		entries = append(entries, sandbox.ReceiptEntry(fmt.Sprint("SB", i), channel.Sent, ""))
	}
	body, err := json.Marshal(entries)
	require.NoError(t, err)
	seen := 0
	for body != nil {
		d := parse(string(body))
		seen += len(d.Receipts)
		body = nil
		if len(d.Bad) > 0 {
			body = d.Bad[0].Raw
		}
	}
	require.Equal(t, 250, seen, "running the rest again must find every entry")
}

func TestComposeManyEntries(t *testing.T) {
	t.Parallel()
	req, err := sandbox.Compose(secret, "https://desk.example.com/w", sandbox.ReceiptEntry("SB1", channel.Sent, ""), sandbox.Entry{Type: "?"})
	require.NoError(t, err)
	body, err := io.ReadAll(req.Body)
	require.NoError(t, err)
	w := channel.Webhook{PublicURL: req.URL.String(), Header: req.Header, Body: body}
	p := sandbox.New(sandbox.Options{})
	require.True(t, p.Verify(account, w))
	d := p.Parse(channel.Account{}, w)
	require.Len(t, d.Receipts, 1)
	require.Len(t, d.Bad, 1)
}

func TestEachSayingIsAMessageOfItsOwn(t *testing.T) {
	t.Parallel()
	p := sandbox.New(sandbox.Options{})
	id := func() string {
		req, err := p.Compose(account, "https://d.example.com/w", channel.Inbound{From: "+1", To: "+2", Text: "hi"})
		require.NoError(t, err)
		body, err := io.ReadAll(req.Body)
		require.NoError(t, err)
		return parse(string(body)).Messages[0].EventID
	}
	require.NotEqual(t, id(), id())
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"type":"message","id":"m1","from":"+1","to":"+2","text":"\ud800"},{"type":"receipt"}]`))
	f.Add([]byte(`{"type":"receipt","id":"r","messageId":"m","status":"FAILED"}`))
	f.Add([]byte(`[null,[[[]]]]`))
	f.Add([]byte(`{"type":"message","id":"m","from":"1","to":"2","channel":"WEB","event":{"type":"answer","token":"\ud800","title":"\u0000"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := parse(string(body))
		for _, m := range d.Messages {
			for _, s := range []string{m.EventID, m.From, m.To, m.FromName, m.Text, m.Tapped, m.Unsupported} {
				if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
					t.Fatalf("unclean: %+v", m)
				}
			}
		}
		if len(d.Messages)+len(d.Receipts) > 100 {
			t.Fatal("more than 100 entries")
		}
		for _, b := range d.Bad {
			if b.EventID == "" || b.Reason == "" {
				t.Fatalf("unfit to be kept: %+v", b)
			}
		}
	})
}

func FuzzVerify(f *testing.F) {
	f.Add("https://d.example.com/w", []byte("{}"), "sha256=00")
	p := sandbox.New(sandbox.Options{})
	a := account
	f.Fuzz(func(t *testing.T, address string, body []byte, given string) {
		w := channel.Webhook{PublicURL: address, Body: body, Header: http.Header{sandbox.SignatureHeader: {given}}}
		if p.Verify(a, w) {
			t.Fatal("a guessed signature passed")
		}
		w.Header = http.Header{sandbox.SignatureHeader: {sandbox.Sign(secret, address, bytes.Clone(body))}}
		if !p.Verify(a, w) {
			t.Fatal("our own signature fails")
		}
	})
}
