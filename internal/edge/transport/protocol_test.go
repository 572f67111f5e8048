package transport

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"parley/internal/ground/fault"
)

// FuzzProtocol looks for panics, and for messages that are let through without
// what acting on them needs.
func FuzzProtocol(f *testing.F) {
	for _, seed := range []string{
		`{"type":"connection_init","payload":{"Authorization":"Bearer x"}}`,
		`{"type":"subscribe","id":"a","payload":{"query":"{ me }","variables":{"a":1}}}`,
		`{"type":"complete","id":"a"}`,
		`{"type":"ping","payload":null}`,
		`{"type":"ping"}x`,
		`[]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, c := parseMessage(websocket.MessageText, text)
		if c != (closing{}) {
			require.EqualValues(t, 4400, c.code)
			return
		}
		require.True(t, json.Valid(frame(m.ID, typePong, m.Payload)), "what is echoed is JSON")
		switch m.Type {
		case typeInit:
			_, _ = parseInit(m.Payload)
		case typeSubscribe:
			require.NotEmpty(t, m.ID)
			if params, c := parseSubscribe(m.Payload); c == (closing{}) {
				require.NotEmpty(t, params.Query)
			}
		}
	})
}

func TestCloseReasonsFitTheirFrame(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("☃", maxIDBytes/3)
	for _, c := range []closing{
		goingAway, serverError, later(fault.New(fault.LimitExceeded, "%s", long+long+long)), notAcceptable, unauthorised, expired, forbidden(fault.New(fault.Forbidden, "%s", long+long+long)), initTimeout, secondInit,
		subscriberExists(long), subscriberExists("a"),
	} {
		require.LessOrEqual(t, len(c.reason), 123, c.reason)
		require.True(t, utf8.ValidString(c.reason))
	}
}
