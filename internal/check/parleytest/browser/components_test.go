//go:build browser

package browser_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/check/conventions"
	"parley/internal/check/parleytest"
	"parley/internal/check/parleytest/browser"
)

type vars = parleytest.Vars

const visitor, chat = "visitor-7", "shop-chat"

// TestComponentsAreDrawnInABrowser has a component with an image of the file store and a
// question sent to a web channel, and drawn by the reference renderer: for the customer, who
// taps, for the agent, and with texts that nobody should send. The page's policy refuses
// whatever would turn a text into markup.
func TestComponentsAreDrawnInABrowser(t *testing.T) {
	web := &shop{mux: http.NewServeMux()}
	server := httptest.NewServer(web)
	t.Cleanup(server.Close)
	web.Parley = parleytest.New(t, func(c *app.Config) { c.PublicURL = server.URL }).Run()
	web.open()
	web.send("ENHANCED_LINK", vars{
		"constants": []vars{{"name": "Front", "type": "IMAGE", "imageId": web.upload(), "alt": "The shop's door"}},
		"formats":   []vars{{"format": "RICH_LINK", "title": "Our <b>shop</b>", "url": "https://shop.example.com/", "imageUrl": "{!$Constants.Front}", "imageAlt": "{!$Constants.Front.Alt}"}},
	})
	web.send("STATIC_QUESTION", vars{
		"constants": []vars{{"name": "Sizes", "type": "LIST", "items": []vars{{"name": "Small"}, {"name": "<i>Large</i>"}}}},
		"options":   vars{"constant": "Sizes"}, "formats": []vars{{"format": "BUTTONS", "text": "Which size?\nWe have two."}},
	})
	const option = `[...document.querySelectorAll("#chat button.component-option")]`
	browser.CheckPage(t, strings.TrimPrefix(server.URL, "http://"), server.URL, []browser.Step{
		{What: "the page", Expression: `document.body.dataset.ready === "true"`},
		{What: "the image of the file store, for customer and agent", Expression: `["chat", "thread"].every((id) => { const i = document.querySelector("#" + id + " img"); return i.alt === "The shop's door" && i.naturalWidth === 3 && i.referrerPolicy === "no-referrer"; })`},
		{What: "a link that opens apart", Expression: `(({ href, rel, target, textContent }) => href === "https://shop.example.com/" && rel === "noopener noreferrer" && target === "_blank" && textContent === "Our <b>shop</b>shop.example.com")(document.querySelector("#chat a"))`},
		{What: "a question that its text names", Expression: `(() => { const g = document.querySelector("#chat [role=group]"); return document.getElementById(g.getAttribute("aria-labelledby")).innerText === "Which size?\nWe have two."; })()`},
		{What: "no buttons for the agent", Expression: `document.querySelectorAll("#thread .component-option").length === 2 && document.querySelector("#thread button") === null`},
		{What: "hostile texts as texts", Expression: `[...document.querySelectorAll("#hostile .component-text, #hostile .component-title, #hostile summary, #hostile .component-alt")].filter((e) => e.textContent.startsWith("<img src=x") && e.dir === "auto" && getComputedStyle(e).unicodeBidi.includes("isolate")).length >= 10`},
		{What: "nothing that runs or leads anywhere", Expression: `document.title === "Components" && document.querySelector("#hostile img, #hostile a, #hostile script") === null`},
		{What: "the parts of a registered message as texts", Expression: `[".component-header", "dt", "dd", ".component-list > summary"].every((part) => [...document.querySelectorAll("#hostile " + part)].some((e) => e.textContent.startsWith("<img src=x")))`},
		{What: "a time where the viewer is", Expression: `[...document.querySelectorAll("#hostile time")].at(-1).textContent === "30 Nov 2026, 17:30"`},
		{What: "an option that the keyboard reaches and taps", Expression: `(() => { const b = ` + option + `[1]; b.focus(); b.click(); b.click(); return document.activeElement === b && b.getAttribute("aria-pressed") === "true"; })()`},
		{What: "the answer in the thread", Expression: `document.querySelector("#thread .component-answer")?.textContent === "<i>Large</i>"`},
	})
	require.EqualValues(t, 1, web.taps, "a question takes one tap")
}

// shop is a web channel, its page, and the program behind them at one address.
type shop struct {
	*parleytest.Parley

	mux          *http.ServeMux
	conversation string
	made, taps   int
}

// open serves the page, makes the channel, and has a visitor write to it.
func (s *shop) open() {
	root, err := conventions.Root()
	require.NoError(s.T, err)
	program, err := url.Parse(s.URL())
	require.NoError(s.T, err)
	s.mux.Handle("/", http.FileServerFS(os.DirFS("testdata/components")))
	s.mux.Handle("/renderer/", http.StripPrefix("/renderer", http.FileServerFS(os.DirFS(filepath.Join(root, "clients", "renderer")))))
	s.mux.Handle("/graphql", httputil.NewSingleHostReverseProxy(program))
	s.mux.Handle("/files/", httputil.NewSingleHostReverseProxy(program))
	s.mux.HandleFunc("/config", s.config)
	s.mux.HandleFunc("POST /tap", s.tap)
	s.mux.HandleFunc("/favicon.ico", func(http.ResponseWriter, *http.Request) {})
	s.channel()
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'")
	s.mux.ServeHTTP(w, r)
}

func (s *shop) admin(mutation string, input vars, kind, selection string) parleytest.Tree {
	s.T.Helper()
	payload := s.As("ada").Do(`mutation($i: `+kind+`!) { `+mutation+`(input: $i) { errors { field message } `+selection+` } }`, vars{"i": input}).Get(mutation)
	require.Empty(s.T, payload.Get("errors").List(), payload.String())
	return payload
}

func (s *shop) channel() {
	for _, a := range s.As("ada").Do(`{ providerAccounts { id provider } }`, nil).Get("providerAccounts").List() {
		if a.Get("provider").String() == "sandbox" {
			s.admin("createChannel", vars{
				"providerAccountId": a.Get("id").String(), "type": "WEB", "address": chat, "name": "Chat", "idempotencyKey": "chat",
				"memberIds": []string{s.Directory.AgentNamed("amy").ID},
			}, "CreateChannelInput", "")
			break
		}
	}
	s.Say(visitor, chat, "Hello")
	for _, n := range s.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 100) { nodes { id channel { address } } } }`, nil).Get("conversations", "nodes").List() {
		if n.Get("channel", "address").String() == chat {
			s.conversation = n.Get("id").String()
		}
	}
	require.NotEmpty(s.T, s.conversation)
}

func (s *shop) upload() string {
	var picture bytes.Buffer
	require.NoError(s.T, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 3, 2))))
	made, err := s.Schema.Pictures.Upload(s.Context("ada"), &picture)
	require.NoError(s.T, err)
	return made.ID()
}

func (s *shop) send(kind string, design vars) {
	s.T.Helper()
	s.made++
	name := kind
	made := s.admin("createComponent", vars{"name": name, "developerName": name, "kind": kind, "design": design, "idempotencyKey": name}, "CreateComponentInput", "component { id }")
	token := s.As("amy").Do(`query($i: PrepareComponentInput!) { prepareComponent(input: $i) { token } }`, vars{"i": vars{
		"componentId": made.Get("component", "id").String(), "conversationId": s.conversation,
	}}).Get("prepareComponent", "token").String()
	sent := s.As("amy").Do(`mutation($i: SendMessageInput!) { sendMessage(input: $i) { errors { message } } }`, vars{"i": vars{
		"conversationId": s.conversation, "component": token, "idempotencyKey": name,
	}}).Get("sendMessage")
	require.Empty(s.T, sent.Get("errors").List(), sent.String())
	s.Eventually(func() bool { return len(s.Carrier.Got()) == s.made }, "the carrier has it")
}

// config is what the page shows: the documents that the customer got.
func (s *shop) config(w http.ResponseWriter, _ *http.Request) {
	var documents []json.RawMessage
	for _, got := range s.Carrier.Got() {
		documents = append(documents, json.RawMessage(got.Payload))
	}
	token, err := s.Tokens.Mint("amy", time.Hour)
	require.NoError(s.T, err)
	_ = json.NewEncoder(w).Encode(map[string]any{"conversation": s.conversation, "token": token, "documents": documents})
}

// tap brings the customer's answer to the program, as the web channel's server would.
func (s *shop) tap(w http.ResponseWriter, r *http.Request) {
	s.taps++
	var answer struct{ Title string }
	body, _ := io.ReadAll(r.Body)
	if json.Unmarshal(body, &answer) != nil || answer.Title != "<i>Large</i>" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, ch := range s.Directory.Channels() {
		if ch.Address == chat {
			req, err := s.Messenger.Providers["sandbox"].(channel.Tapper).ComposeTap(ch.Account.Account, s.PublicURL()+"/webhooks/sandbox/"+ch.Account.Key,
				channel.Inbound{EventID: "tap", ProviderID: "tap", From: visitor, To: chat}, 2)
			require.NoError(s.T, err)
			s.Post(req)
		}
	}
}
