package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unique"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/answer"
	"parley/internal/edge/persisted"
	"parley/internal/ground/fault"
)

// The protocol graphql-transport-ws
// (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md).
const subprotocol = "graphql-transport-ws"

// Message types.
const (
	typeInit      = "connection_init"
	typeAck       = "connection_ack"
	typePing      = "ping"
	typePong      = "pong"
	typeSubscribe = "subscribe"
	typeNext      = "next"
	typeError     = "error"
	typeComplete  = "complete"
)

// maxIDBytes bounds an operation's id, which every event repeats.
const maxIDBytes = 128

// closing is how the server ends a socket. The zero value means "continue".
type closing struct {
	code   websocket.StatusCode
	reason string // at most 123 bytes
}

var (
	goingAway     = closing{websocket.StatusGoingAway, "The server is stopping. Connect again and subscribe from the last cursor."}
	serverError   = closing{websocket.StatusInternalError, "Something failed on the server. Connect again and subscribe from the last cursor."}
	notAcceptable = closing{4406, "Subprotocol not acceptable. Speak " + subprotocol + "."}
	unauthorised  = closing{4401, "Unauthorized: Send connection_init with a token first."}
	expired       = because(4401, "Unauthorized: ", errExpired)
	notAFrame     = closing{websocket.StatusProtocolError, "Not a frame of a WebSocket"}
	initTimeout   = closing{4408, "Connection initialisation timeout. Send connection_init as soon as the socket is open."}
	secondInit    = closing{4429, "Too many initialisation requests. Send connection_init once."}
)

// maxReasonBytes is what a closing frame has room for.
const maxReasonBytes = 123

// because closes with the message of err, as HTTP answers with it.
func because(code websocket.StatusCode, words string, err error) closing {
	var f *fault.Error
	if !errors.As(err, &f) {
		return serverError
	}
	reason := words + f.Message
	return closing{code, strings.ToValidUTF8(reason[:min(len(reason), maxReasonBytes)], "")}
}

func forbidden(err error) closing { return because(4403, "Forbidden: ", err) }

func later(err error) closing { return because(websocket.StatusTryAgainLater, "", err) }

func invalid(reason string) closing { return closing{4400, reason} }

func tooBig(most int64) closing {
	return closing{websocket.StatusMessageTooBig, fmt.Sprintf("A message may have at most %d bytes", most)}
}

func subscriberExists(id string) closing {
	id = strings.ToValidUTF8(id[:min(len(id), 60)], "") // a reason has 123 bytes
	return closing{4409, "Subscriber for " + id + " already exists"}
}

// message is a client's message.
type message struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

const notAMessage = "A message is one JSON object with type, id and payload"

// malformedAs returns the message for JSON that decode refused: the fault's, otherwise
// what the JSON should be.
func malformedAs(err error, what string) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return what
}

// mostPayload bounds the bytes of messages that are free of charge. connection_init
// holds the largest token twice.
var mostPayload = map[string]int{typeInit: 16 * kilobyte, typePing: 4 * kilobyte, typePong: 4 * kilobyte, typeComplete: kilobyte}

// parseMessage reads a message of any type that a client may send. It does not check
// the payload of subscribe.
func parseMessage(kind websocket.MessageType, text []byte) (message, closing) {
	var m message
	if kind != websocket.MessageText {
		return m, invalid(notAMessage)
	}
	if err := decode(text, &m); err != nil {
		return m, invalid(malformedAs(err, notAMessage))
	}
	if most := mostPayload[m.Type]; most > 0 && len(text) > most {
		return m, invalid(fmt.Sprintf("A %s may have at most %d bytes", m.Type, most))
	}
	switch m.Type {
	case typeInit, typePing, typePong:
		if !isObject(m.Payload) {
			return m, invalid("The payload must be an object")
		}
	case typeSubscribe, typeComplete:
		if m.ID == "" || len(m.ID) > maxIDBytes {
			return m, invalid(fmt.Sprintf("The id must be a string of 1 to %d bytes", maxIDBytes))
		}
	default:
		return m, invalid("Unknown message type")
	}
	return m, closing{}
}

// isObject reports whether an optional payload is an object, null or absent.
func isObject(payload json.RawMessage) bool {
	return len(payload) == 0 || payload[0] == '{' || string(payload) == "null"
}

// parseSubscribe reads the payload of subscribe.
func parseSubscribe(payload json.RawMessage) (*graphql.RawParams, closing) {
	params, err := parseParams(payload)
	if err != nil || payload[0] != '{' || params.Query == "" && !persisted.Names(params) {
		return nil, invalid("The payload must have a query or documentId, and may have operationName, variables and extensions")
	}
	params.Query = unique.Make(params.Query).Value() // subscribers share one text
	return params, closing{}
}

// parseInit returns the Authorization of connection_init, a bearer token with or
// without its scheme; empty if there is none.
func parseInit(payload json.RawMessage) (authorization string, _ closing) {
	var members map[string]json.RawMessage
	if len(payload) > 0 && decode(payload, &members) != nil {
		return "", invalid("The payload must be an object")
	}
	for _, name := range []string{"Authorization", "authorization"} {
		value, found := members[name]
		if !found {
			continue
		}
		if json.Unmarshal(value, &authorization) != nil {
			return "", invalid("Authorization must be a text")
		}
		if authorization != "" {
			break
		}
	}
	return authorization, closing{}
}

// frame encodes a server's message around a payload of JSON.
func frame(id, kind string, payload []byte) []byte {
	b := make([]byte, 0, len(payload)+len(id)+48)
	b = append(b, `{"type":"`+kind+`"`...)
	if id != "" {
		quoted, _ := json.Marshal(id) // a string always can be
		b = append(append(b, `,"id":`...), quoted...)
	}
	if len(payload) > 0 {
		b = append(append(b, `,"payload":`...), payload...)
	}
	return append(b, '}')
}

func errorFrame(id string, errs gqlerror.List) []byte {
	payload, err := answer.Errors(errs)
	if err != nil {
		panic(err) // extensions hold plain values only
	}
	return frame(id, typeError, payload)
}

func errOperations(limit int) error {
	return fault.New(fault.LimitExceeded, "A socket may have at most %d live operations. Complete one first.", limit)
}
