package linking_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/check/parleytest/victim"
)

// runUntilKilled takes in a message that a rule links.
func runUntilKilled(t victim.Task) error {
	a, begin, err := t.Open()
	if err != nil {
		return err
	}
	ch := channelAt(a, parleytest.Sales)
	caller := a.Messenger.Providers[ch.Account.Provider].(channel.Caller)
	m := channel.Inbound{EventID: "E1", ProviderID: "P1", From: ann, To: parleytest.Sales, Text: "Hello"}
	req, err := caller.Compose(ch.Account.Account, a.PublicURL()+"/webhooks/"+ch.Account.Provider+"/"+ch.Account.Key, m)
	if err != nil {
		return err
	}
	begin()
	rec := httptest.NewRecorder()
	a.Server.Handler().ServeHTTP(rec, req)
	if rec.Code != http.StatusOK {
		return fmt.Errorf("%d %s", rec.Code, rec.Body)
	}
	return nil
}

// A message that a rule links, killed at each of its statements: message, anchor, link, event
// and counts are all there, or none is, and the carrier's next try brings them.
func TestALinkKilledAtAnyStepLeavesAllOrNothing(t *testing.T) {
	t.Parallel()
	database, key := parleytest.Database(t), t.TempDir()+"/key"
	b := &bundle{Parley: parleytest.OpenAt(t, database, func(c *app.Config) { c.KeyFile = key })}
	b.define()
	b.rule(nil)
	b.upsert("Visit__c", "V1", "Name", "Ann", "Mobile", ann)
	before := b.whole()
	b.Stop()
	var done map[string]string
	for statement := int64(1); ; statement++ {
		killed := victim.Run(t.Context(), t, victim.Task{Database: database, Key: key, Statement: statement})
		again := &bundle{Parley: parleytest.OpenAt(t, database, func(c *app.Config) { c.KeyFile = key })}
		after := again.whole()
		again.Stop()
		if !killed {
			require.Contains(t, after["links"], "ONLY_MATCH")
			require.Contains(t, after["conversations"], "Visit__c")
			require.Greater(t, statement, int64(5), "it has several steps")
			if done != nil {
				require.Equal(t, done, after, "the try after the commit changed nothing")
			}
			return
		}
		if after["links"] != "" { // killed after its commit
			done = after
			continue
		}
		require.Equal(t, before, after, "killed at statement %d", statement)
	}
}

// whole is all that a message and its link write.
func (b *bundle) whole() map[string]string {
	b.T.Helper()
	rows := map[string]string{}
	for name, statement := range map[string]string{
		"conversations": "SELECT id, record_id, object_type, name, last_seq FROM conversations ORDER BY id", "messages": "SELECT id, kind, text FROM messages ORDER BY id",
		"links": "SELECT messaging_user_id, object_type, record_id, reason FROM record_links ORDER BY id", "events": "SELECT cause, conversation_id FROM events WHERE conversation_id > 0 ORDER BY id",
		"counts": "SELECT owner_id, channel_id, object_type, conversations FROM count_cells ORDER BY 1, 2, 3", "raw": "SELECT event_id, state FROM raw_inbounds ORDER BY id",
		"jobs": "SELECT kind, args FROM river_job WHERE kind LIKE 'link_%' ORDER BY id",
	} {
		rows[name] = strings.Join(parleytest.Rows(b.T, b.Store, statement), "\n")
	}
	return rows
}
