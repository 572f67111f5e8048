package resolvers_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/content"
)

// TestALongTextIsWholeOnItsMessageAlone lets a customer write more than lists show.
func TestALongTextIsWholeOnItsMessageAlone(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	// The word stands where search stops to read; characters beyond the basic plane
	// are two code units each.
	const word = "needle"
	shown := strings.Repeat("😀", content.MostListed-len(word)-1) + " " + word
	long := shown + strings.Repeat(" beyond", 300_000)
	amy := p.As("amy")
	p.Say("+12025550151", parleytest.Sales, "hello")
	frames := amy.Subscribe(`subscription { conversationsChanged(view: {kind: ALL}) { conversation { lastMessage { content { ... on TextContent { text isTruncated } } } } } }`, nil)
	frames.Next()
	p.Say("+12025550151", parleytest.Sales, long)

	cut := func(content parleytest.Tree) {
		t.Helper()
		require.Equal(t, shown, content.Get("text").String())
		require.True(t, content.Get("isTruncated").Bool())
	}
	const row = `lastMessage { id content { ... on TextContent { text isTruncated } } } messages(last: 2) { nodes { content { ... on TextContent { text isTruncated } } } }`
	// The executor alone knows __schema, so the second document is its own.
	for _, executor := range []string{"", " __schema { queryType { name } }"} {
		list := amy.Do(`{ conversations(view: {kind: ALL}, first: 5) { nodes { `+row+` } }`+executor+` }`, nil).Get("conversations", "nodes", 0)
		cut(list.Get("lastMessage", "content"))
		cut(list.Get("messages", "nodes", 1, "content"))
		require.False(t, list.Get("messages", "nodes", 0, "content", "isTruncated").Bool())

		whole := amy.Do(`query($id: ID!) { node(id: $id) { ... on Message { content { ... on TextContent { text isTruncated } } } }`+executor+` }`,
			parleytest.Vars{"id": list.Get("lastMessage", "id").String()}).Get("node", "content")
		require.Equal(t, utf8.RuneCountInString(long), utf8.RuneCountInString(whole.Get("text").String()))
		require.False(t, whole.Get("isTruncated").Bool())
	}

	for {
		last := frames.Next().Get("conversationsChanged", "conversation", "lastMessage", "content")
		if last.Get("text").String() != "hello" {
			cut(last)
			break
		}
	}

	var hits []parleytest.Tree
	require.Eventually(t, func() bool {
		hits = amy.Do(`{ search(query: "needle", kinds: [TEXT]) { nodes { highlights { start end } message { content { ... on TextContent { text isTruncated } } } } } }`, nil).
			Get("search", "nodes").List()
		return len(hits) > 0
	}, 20*time.Second, 50*time.Millisecond)
	found := hits[0].Get("message", "content")
	cut(found)
	units := utf16.Encode([]rune(found.Get("text").String()))
	place := hits[0].Get("highlights", 0)
	require.Equal(t, word, string(utf16.Decode(units[place.Get("start").Int():place.Get("end").Int()])))
}
