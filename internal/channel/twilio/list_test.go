package twilio_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/twilio"
	"parley/internal/channel/twilio/twiliotest"
	"parley/internal/channel/wire"
	"parley/internal/ground/clock"
)

var day = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

func TestAPageOfTheListIsReadAsTwilioDocuments(t *testing.T) {
	t.Parallel()
	server, a := serve(t)
	p := twilio.New(twilio.Options{})
	at := func(minute int) time.Time { return day.Add(time.Duration(minute) * time.Minute) }
	server.Keep(
		twiliotest.Kept{SID: "SM1", From: "+14155550100", To: "+14155550199", Body: "a\x00b", SentAt: at(1)},
		twiliotest.Kept{SID: "MM2", From: "55555", To: "+14155550199", Files: []string{"image/png"}, SentAt: at(2)},
		twiliotest.Kept{SID: "SM3", Direction: "outbound-api", Status: "delivered", SentAt: at(3)},
		twiliotest.Kept{SID: "SM4", Direction: "outbound-api", Status: "failed", ErrorCode: 21610, SentAt: at(4)},
		twiliotest.Kept{SID: "SM5", Direction: "outbound-api", Status: "queued", SentAt: at(5)},
		twiliotest.Kept{SID: "SM6", From: "+14155550100", To: "+14155550199", Body: "START", SentAt: at(24 * 60)},
	)
	got, err := p.List(t.Context(), a, day, "")
	require.NoError(t, err)
	require.Equal(t, channel.Listing{
		Messages: []channel.Listed{
			{FileCount: 1, Inbound: channel.Inbound{EventID: "MM2", ProviderID: "MM2", From: "55555", To: "+14155550199", At: clock.Of(at(2))}},
			{Inbound: channel.Inbound{EventID: "SM1", ProviderID: "SM1", From: "+14155550100", To: "+14155550199", Text: "ab", At: clock.Of(at(1))}},
		},
		Receipts: []channel.Receipt{
			{EventID: "SM4.failed", ProviderID: "SM4", Status: channel.Failed, Code: channel.RecipientBlocked, Detail: "Twilio error 21610"},
			{EventID: "SM3.delivered", ProviderID: "SM3", Status: channel.Delivered},
		},
	}, got)
	got, err = p.List(t.Context(), a, day.AddDate(0, 0, 1), "")
	require.NoError(t, err)
	require.Len(t, got.Messages, 1)
	require.Empty(t, got.Messages[0].Consent, "an old START opts nobody in")
}

func TestPagesOfTheListFollowOneAnother(t *testing.T) {
	t.Parallel()
	server, a := serve(t)
	p := twilio.New(twilio.Options{})
	for n := range 1100 {
		server.Keep(twiliotest.Kept{SID: fmt.Sprint("SM", n), From: "+14155550100", To: "+14155550199", SentAt: day.Add(time.Duration(n) * time.Second)})
	}
	seen := map[string]bool{}
	pages := 0
	for next := ""; pages == 0 || next != ""; pages++ {
		page, err := p.List(t.Context(), a, day, next)
		require.NoError(t, err)
		for _, m := range page.Messages {
			seen[m.EventID] = true
		}
		next = page.Next
	}
	require.Len(t, seen, 1100)
	require.Equal(t, 3, pages)
}

// The secret goes with every call, so that it goes nowhere but to the account's list.
func TestAListThatCannotBeHadSaysWhy(t *testing.T) {
	t.Parallel()
	server, a := serve(t)
	p := twilio.New(twilio.Options{})
	server.Keep(twiliotest.Kept{SID: "SM1", To: "+14155550199", SentAt: day})
	for why, change := range map[string]func(*channel.Account){
		"auth token":        func(a *channel.Account) { a.Credentials = twilio.Credentials{SID: accountSID, Token: "another"} },
		"HTTP 404":          func(a *channel.Account) { a.BaseURL += "elsewhere" },
		"https":             func(a *channel.Account) { a.BaseURL = "http://api.example.com" },
		"cannot be reached": func(a *channel.Account) { a.BaseURL = "http://127.0.0.1:1" },
	} {
		other := a
		change(&other)
		_, err := p.List(t.Context(), other, day, "")
		require.ErrorContains(t, err, why)
		require.NotContains(t, err.Error(), token)
	}
	for why, document := range map[string]string{
		"cannot be read":             `{"messages": 5}`,
		"belongs to another account": `{"messages": [], "next_page_uri": "/2010-04-01/Accounts/ACother/Messages.json?Page=1"}`,
	} {
		p := twilio.New(twilio.Options{Transport: answering(document)})
		_, err := p.List(t.Context(), account, day, "")
		require.ErrorContains(t, err, why)
	}
	require.ErrorContains(t, p.Files(t.Context(), a, &channel.Inbound{ProviderID: "SM9"}), "HTTP 404")
}

// answering is a carrier that answers everything with one document.
func answering(document string) http.RoundTripper {
	return wire.InProcess(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, document) }))
}
