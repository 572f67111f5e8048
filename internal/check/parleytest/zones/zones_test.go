// Package zones holds Parley to one time everywhere: what it stores, orders and
// shows is the same whatever zone the process runs in.
package zones_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones, where the system has none

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/clock"
)

// child names the process that tells its story instead of comparing.
const child = "PARLEY_TEST_ZONES_CHILD"

// The driver of SQLite stores a time as text in its own zone, and cursors made of
// such times skip rows or run in a circle: this would find it.
func TestEveryZoneTellsTheSameStory(t *testing.T) {
	if os.Getenv(child) != "" {
		fmt.Print(begin, story(t), end) //nolint:forbidigo // the parent process reads it
		return
	}
	t.Parallel()
	t.Logf("on PostgreSQL: %t", parleytest.OnPostgres()) // what the processes run on is this result's too
	stories := map[string]string{}
	for _, zone := range []string{"UTC", "America/New_York", "Asia/Kolkata"} {
		stories[zone] = told(t, zone)
		require.NotEmpty(t, stories[zone])
	}
	require.Equal(t, stories["UTC"], stories["America/New_York"])
	require.Equal(t, stories["UTC"], stories["Asia/Kolkata"])
}

const begin, end = "<<<story\n", "story>>>\n"

// told runs this test as a process of its own in a zone and returns its story.
func told(t *testing.T, zone string) string {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestEveryZoneTellsTheSameStory$", "-test.count=1") //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), "TZ="+zone, child+"=1")
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Run(), out.String())
	_, after, _ := strings.Cut(out.String(), begin)
	text, _, found := strings.Cut(after, end)
	require.True(t, found, out.String())
	offset, text, _ := strings.Cut(text, "\n")
	location, err := time.LoadLocation(zone)
	require.NoError(t, err)
	require.Equal(t, parleytest.Start.In(location).Format("-07:00"), offset, "the process ran in the zone")
	return text
}

// story writes, changes and pages, and tells what it saw: no ids, which differ
// by database.
func story(t *testing.T) string {
	t.Helper()
	p := parleytest.New(t)
	var b strings.Builder
	fmt.Fprintln(&b, parleytest.Start.In(time.Local).Format("-07:00")) //nolint:gosmopolitan // the zone is the point
	// Over midnights, and the hour that New York has twice.
	p.Clock.Advance(time.Date(2026, 11, 1, 3, 30, 0, 0, time.UTC).Sub(parleytest.Start))
	for i := range 30 {
		p.Clock.Advance(time.Duration(1+i%5) * 17 * time.Minute)
		at := p.Clock.Now().Std().In(time.FixedZone("", (i%25-12)*3600))
		p.Post(p.Inbound(channel.Inbound{
			EventID: fmt.Sprint("e", i), ProviderID: fmt.Sprint("e", i), From: fmt.Sprintf("+12025550%03d", 200+i%23),
			To: parleytest.Sales, Text: fmt.Sprint("message ", i), At: clock.Of(at),
		}))
	}
	amy := p.As("amy")
	for _, direction := range []string{"DESC", "ASC"} {
		walk(&b, amy, direction, nil)
	}
	walk(&b, amy, "DESC", parleytest.Vars{"lastMessageFrom": "2026-11-01T01:00:00-05:00", "lastMessageBefore": "2026-11-01T15:30:00+05:30"})
	id := amy.Do(`{ conversations(view: {kind: ALL}, first: 1, orderBy: {field: LAST_MESSAGE_AT, direction: ASC}) { nodes { id } } }`, nil).
		Get("conversations", "nodes", 0, "id").String()
	p.Clock.Advance(time.Hour)
	amy.Do(`mutation($id: ID!) { addNote(input: {conversationId: $id, text: "noted", idempotencyKey: "n"}) { errors { code } } }`, parleytest.Vars{"id": id})
	messages := amy.Do(`query($id: ID!) { conversation(id: $id) { lastMessageAt lastIncomingAt messages(last: 10) { nodes { createdAt } } } }`, parleytest.Vars{"id": id})
	fmt.Fprintln(&b, messages.Get("conversation").String())
	return b.String()
}

// walk pages through all conversations, four at a time, and back again.
func walk(b *strings.Builder, amy *parleytest.Client, direction string, filter parleytest.Vars) {
	const forth = `query($d: OrderDirection!, $f: ConversationFilter, $c: String) { conversations(view: {kind: ALL}, filterBy: $f,
		orderBy: {field: LAST_MESSAGE_AT, direction: $d}, first: 4, after: $c) { totalCount nodes { preview lastMessageAt lastIncomingAt }
		pageInfo { hasNextPage endCursor } } }`
	const most = 20 // pages: an endless walk is a failure, not a hang
	var cursor any
	for page := range most {
		got := amy.Do(forth, parleytest.Vars{"d": direction, "f": filter, "c": cursor}).Get("conversations")
		fmt.Fprintln(b, direction, page, got.Get("totalCount").String(), got.Get("nodes").String())
		if !got.Get("pageInfo", "hasNextPage").Bool() {
			return
		}
		cursor = got.Get("pageInfo", "endCursor").String()
	}
	fmt.Fprintln(b, "the walk has no end")
}
