package web

import (
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
)

const sessionPath = "/playground/session"

// pageHeader carries the key, and is sent by the playground's script alone. A page of
// another origin cannot send it without a preflight, which no handler here answers.
const pageHeader = "X-Parley-Playground"

func (o Options) handsOutTokens() bool {
	return o.Mode == Development && o.Sessions != nil && o.Key != ""
}

// sessions hands the local tokens to the playground's own script.
func sessions(o Options) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if !isLocal(r) || !isOwnPage(r) || !o.opens(r.Header.Get(pageHeader)) {
			http.Error(w, "Local tokens are only for the playground opened on this machine by the address that parley serve printed.", http.StatusForbidden)
			return
		}
		list, err := o.Sessions(r.Context())
		if err != nil {
			http.Error(w, "The local agents could not be read; the log says why.", http.StatusInternalServerError)
			return
		}
		writeSessions(w, list)
	}
}

// opens compares without telling by its time how much of a key is right. A proxy that
// nobody has declared looks like this machine's browser; it does not know the key.
func (o Options) opens(key string) bool {
	return subtle.ConstantTimeCompare([]byte(key), []byte(o.Key)) == 1
}

func writeSessions(w http.ResponseWriter, list []Session) {
	if list == nil {
		list = []Session{}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string][]Session{"sessions": list})
}

// isLocal reports whether the request was made on this machine, to a name that
// always means this machine. The peer's address alone would not do: a page from
// elsewhere can point its own host name at 127.0.0.1 (DNS rebinding), and a
// proxy on this machine makes the whole world a local peer.
func isLocal(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && isLocalName(r.Host) && !isForwarded(r)
}

func isLocalName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	switch host {
	case "localhost", "127.0.0.1", "::1", "[::1]":
		return true
	}
	return false
}

func isForwarded(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// isOwnPage reports whether the request comes from the playground's script on
// the same origin.
func isOwnPage(r *http.Request) bool {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	return (site == "" || site == "same-origin") && (origin == "" || origin == "http://"+r.Host || origin == "https://"+r.Host)
}
