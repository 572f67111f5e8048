package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
	"parley/internal/ground/allowance"
	"parley/internal/ground/clock"
)

func TestOperationsInFlight(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.InFlight = 1 })
	c := b.connect(t)
	c.write(subscribe("a", `{ deadline }`))
	<-b.schema.waiting
	for _, accept := range []string{plain, response} {
		a := b.query(t, `{ me }`, "Accept", accept)
		require.Equal(t, http.StatusTooManyRequests, a.StatusCode)
		require.Equal(t, "1", a.Header.Get("Retry-After"))
		require.Equal(t, "LIMIT_EXCEEDED", a.code())
	}
	require.Contains(t, b.query(t, `{ me }`, "Accept", events).text, "LIMIT_EXCEEDED")
	c.write(subscribe("b", `{ me }`))
	problem := c.expectError("b")
	require.Equal(t, "LIMIT_EXCEEDED", problem.Extensions.Code)
	require.Equal(t, 1, problem.Extensions.RetryAfter)
	require.Contains(t, b.query(t, `{ me }`, "Authorization", "Bearer bo").text, `"bo"`, "others are not held up")

	c.write(`{"type":"complete","id":"a"}`)
	require.Eventually(t, func() bool { return b.query(t, `{ me }`).code() == "" }, patience, time.Millisecond)
}

// TestAnAnswerOverTheBound asks for what fits to the byte, and for one more, by
// every way an answer goes out.
func TestAnAnswerOverTheBound(t *testing.T) {
	t.Parallel()
	const bound = 1000
	b := start(t, func(o *server.Options) { o.Answers = allowance.Bounds{Answer: bound} })
	fits := `{ echo(text: "` + strings.Repeat("x", bound-len(`{"echo":""}`)) + `") }`
	over := strings.Replace(fits, `"x`, `"xx`, 1)
	for _, accept := range []string{plain, response, events} {
		require.Contains(t, b.query(t, fits, "Accept", accept).text, "xxx")
		text := b.query(t, over, "Accept", accept).text
		require.Contains(t, text, "LIMIT_EXCEEDED")
		require.Contains(t, text, "1000 bytes")
		require.NotContains(t, text, "xxx")
	}
	c := b.connect(t)
	c.write(subscribe("a", fits))
	require.Contains(t, c.read(), "xxx")
	c.expect(`{"type":"complete","id":"a"}`)
	c.write(subscribe("b", over))
	require.Equal(t, "LIMIT_EXCEEDED", c.expectError("b").Extensions.Code)
}

func TestAProcessFullOfAnswersSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	const megabyte = 1 << 20 // of which four are for all
	b := start(t, func(o *server.Options) {
		o.Answers = allowance.Bounds{Answer: megabyte, Process: 1, Wait: 10 * time.Millisecond}
	})
	bo := b.dial(t, "graphql-transport-ws", "Authorization", "Bearer bo")
	bo.write(`{"type":"connection_init"}`)
	bo.expect(`{"type":"connection_ack"}`)
	for _, c := range []*client{b.connect(t), bo} {
		for _, id := range []string{"a", "b"} {
			c.write(subscribe(id, `{ hold(bytes: 900000) }`))
			<-b.schema.waiting
		}
	}
	for _, media := range []string{plain, response} {
		a := b.query(t, `{ hold(bytes: 900000) }`, "Accept", media)
		require.Equal(t, "UNAVAILABLE", a.code())
		require.Equal(t, "1", a.Header.Get("Retry-After"))
		require.Equal(t, 1, a.body.Errors[0].Extensions.RetryAfter)
		require.Equal(t, media == response, a.StatusCode == http.StatusServiceUnavailable, a.StatusCode)
	}
	require.Empty(t, b.query(t, `{ me }`).code(), "what is small always passes")
}

// Answers that one agent leaves unread take no more than their share of the room.
func TestAnAgentHasAShareOfTheAnswers(t *testing.T) {
	t.Parallel()
	const megabyte = 1 << 20
	b := start(t, func(o *server.Options) {
		o.Answers = allowance.Bounds{Answer: megabyte, Process: 12 * megabyte, Wait: 10 * time.Millisecond}
	})
	c := b.connect(t) // a share is three
	for _, id := range []string{"a", "b", "c"} {
		c.write(subscribe(id, `{ hold(bytes: 900000) }`))
		<-b.schema.waiting
	}
	a := b.query(t, `{ hold(bytes: 900000) }`)
	require.Equal(t, "LIMIT_EXCEEDED", a.code())
	require.Equal(t, "1", a.Header.Get("Retry-After"))
	bo := b.dial(t, "graphql-transport-ws", "Authorization", "Bearer bo")
	bo.write(`{"type":"connection_init"}`)
	bo.expect(`{"type":"connection_ack"}`)
	bo.write(subscribe("a", `{ hold(bytes: 900000) }`))
	<-b.schema.waiting
}

// What is asked costs by its bytes before it is read, and holds so many values.
func TestWhatIsReadIsPaidForAndBounded(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Rate = 100 }) // a thousand at once
	body := func(values int) string {
		return `{"query":"{ me }","variables":{"v":[` + strings.Repeat(`0,`, values) + `0]}}`
	}
	many := b.send(t, http.MethodPost, "/graphql", body(21_000), "Authorization", "Bearer bo", "Content-Type", "application/json")
	require.Equal(t, "LIMIT_EXCEEDED", many.code())
	require.Contains(t, many.text, "20000 JSON values")
	require.Empty(t, b.send(t, http.MethodPost, "/graphql", body(15_000), "Authorization", "Bearer amy", "Content-Type", "application/json").code())
	for range 3 {
		b.send(t, http.MethodPost, "/graphql", body(15_000), "Authorization", "Bearer amy", "Content-Type", "application/json")
	}
	late := b.send(t, http.MethodPost, "/graphql", body(15_000), "Authorization", "Bearer amy", "Content-Type", "application/json")
	require.Equal(t, http.StatusTooManyRequests, late.StatusCode, late.text)
	require.NotEmpty(t, late.Header.Get("Retry-After"))
}

// A document that is refused costs its reading.
func TestRefusedDocumentsCost(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Rate = 100 })
	nonsense := `{ me(` + strings.Repeat("a: 1 ", 300) + `) }`
	require.Equal(t, "GRAPHQL_VALIDATION_FAILED", b.query(t, nonsense).code())
	for range 8 {
		b.query(t, nonsense)
	}
	require.Equal(t, "LIMIT_EXCEEDED", b.query(t, `{ me }`).code())
}

// Messages that cost nothing are short.
func TestMessagesThatCostNothingAreShort(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for _, kind := range []string{"ping", "pong"} {
		c := b.connect(t)
		c.write(`{"type":"` + kind + `","payload":{"a":"` + strings.Repeat("x", 5_000) + `"}}`)
		c.expectClose(4400)
	}
	c := b.dial(t, "graphql-transport-ws")
	c.write(`{"type":"connection_init","payload":{"authorization":"amy","a":"` + strings.Repeat("x", 20_000) + `"}}`)
	c.expectClose(4400)
}

func TestFramesAreCharged(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Rate = 2 }) // twenty at once
	c := b.connect(t)
	c.write(subscribe("a", `subscription { count(to: 9) }`)) // 11, and 1 each
	for range 9 {
		require.Contains(t, c.read(), `"next"`)
	}
	c.expect(`{"type":"complete","id":"a"}`)
	require.Equal(t, "LIMIT_EXCEEDED", b.query(t, `{ me }`).code(), "all twenty are gone")
}

// A viewer in debt waits for the next frame, which is not made until then; none is
// lost, and no goroutine waits.
func TestFramesWaitUntilTheDebtIsOver(t *testing.T) {
	t.Parallel()
	const frames, rate = 240, 20 // two hundred at once
	b := start(t, func(o *server.Options) { o.Rate, o.Clock = rate, clock.Real{} })
	c := b.connect(t)
	c.write(subscribe("a", `subscription { driven }`))
	src := <-b.schema.sources
	c.write(subscribe("b", `subscription { driven }`))
	other := <-b.schema.sources
	values := make([]int, frames)
	for i := range values {
		values[i] = i
	}
	began := time.Now()
	src.put(values...)
	for i := range frames {
		require.Contains(t, c.read(), fmt.Sprintf(`"driven":%d}`, i))
		if i == frames-10 {
			src.mu.Lock()
			require.NotEmpty(t, src.queue, "the last are not made yet")
			src.mu.Unlock()
			src.wake() // who is woken early owes still
		}
	}
	require.Greater(t, time.Since(began), time.Second)

	other.put(values...)
	c.write(`{"type":"complete","id":"b"}`)
	eventually(t, other.closed.Load, "a stream that waits is ended at once")
	require.NotEmpty(t, other.queue)
}

func TestEventsWaitUntilTheDebtIsOver(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Rate, o.Clock = 20, clock.Real{} })
	began := time.Now()
	text := b.query(t, `subscription { count(to: 230) }`, "Accept", events).text
	require.Equal(t, 230, strings.Count(text, "event: next"))
	require.Contains(t, text, "event: complete")
	require.Greater(t, time.Since(began), time.Second)
}

func TestAFrameOverTheBoundEndsItsStream(t *testing.T) {
	t.Parallel()
	const bound = 1000
	b := start(t, func(o *server.Options) { o.Answers = allowance.Bounds{Answer: bound} })
	field := strings.Repeat("x", bound)
	c := b.connect(t)
	c.write(subscribe("a", `subscription { `+field+`: driven }`))
	src := <-b.schema.sources
	src.put(1)
	problem := c.expectError("a")
	require.Equal(t, "LIMIT_EXCEEDED", problem.Extensions.Code)
	require.Equal(t, "before", problem.Extensions.Cursor)
	eventually(t, src.closed.Load, "the stream is over")

	text := b.query(t, `subscription { `+field+`: count(to: 3) }`, "Accept", events).text
	require.Equal(t, 1, strings.Count(text, "event: next"), text)
	require.Contains(t, text, "LIMIT_EXCEEDED")
}

// What a refused event held of the room that all share is given back.
func TestARefusedEventGivesItsRoomBack(t *testing.T) {
	t.Parallel()
	const megabyte = 1 << 20
	b := start(t, func(o *server.Options) { o.Answers = allowance.Bounds{Answer: megabyte, Process: 1, Wait: time.Second} })
	for range 20 {
		require.Contains(t, b.query(t, `subscription { large }`, "Accept", events).text, "LIMIT_EXCEEDED")
	}
	b.connect(t).write(subscribe("a", `{ hold(bytes: 900000) }`))
	<-b.schema.waiting
}
