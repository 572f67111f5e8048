package crmsync_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/connector/salesforce/salesforcetest"
)

// An answer that is lost leaves one record, and one change.
func TestAnAnswerThatIsLost(t *testing.T) {
	t.Parallel()
	w := setup(t, quick).writing(keyed)
	own := w.run(w.create, "Meitner").Get("record", "externalId").String()
	w.org.Lose(1)
	w.write()
	w.requireDelivery("PENDING", "cannot be reached")
	w.write()
	w.requireDelivery("DELIVERED", "")
	require.Len(t, w.org.Names("Contact"), 1)
	id := w.record(own).Get("confirmedExternalId").String()
	w.Clock.Advance(time.Minute)
	w.run(w.update, "Noether")
	w.org.Lose(1)
	w.write()
	w.requireDelivery("PENDING", "cannot be reached")
	w.write()
	w.requireDelivery("DELIVERED", "")
	require.Len(t, w.delivery().Get("attempts").List(), 2)
	require.Equal(t, "Noether", w.org.Values(id)["LastName"])
}

// A CRM that never answers costs its own writes a try, and nobody else a wait without end.
func TestACRMThatNeverAnswersIsCounted(t *testing.T) {
	t.Parallel()
	w := setup(t, quick).writing(keyed)
	w.Schema.Syncs.CallFor = 200 * time.Millisecond
	w.run(w.create, "Meitner")
	w.org.Hang(1)
	w.write()
	w.requireDelivery("PENDING", "")
	require.Len(t, w.delivery().Get("attempts").List(), 1)
	w.Schema.Syncs.CallFor = 0
	w.write()
	w.requireDelivery("DELIVERED", "")
	require.Len(t, w.org.Names("Contact"), 1)
}

func TestWithoutAnExternalIDALostCreationIsForPeople(t *testing.T) {
	t.Parallel()
	w := setup(t, quick).writing(vars{"objectType": "Contact", "writesBack": true})
	own := w.run(w.create, "Meitner").Get("record", "externalId").String()
	w.org.Fail(salesforcetest.Failure{Status: http.StatusServiceUnavailable, Code: "SERVER_UNAVAILABLE"})
	w.org.Lose(1)
	w.write()
	w.requireDelivery("PENDING", "limit is reached")
	w.Clock.Advance(time.Hour)
	w.write()
	w.requireDelivery("FAILED", "Nobody knows whether it created the record")
	require.Len(t, w.org.Names("Contact"), 1, "it is not created twice")
	require.True(t, w.record(own).Get("confirmedExternalId").IsNull())
	w.settle()
	require.Len(t, w.names(), 2, "the CRM's record comes by itself")
	run := w.As("ada").Do(`{ crmActionRuns(first: 1) { nodes { id } } }`, nil).Get("crmActionRuns", "nodes", 0, "id").String()
	w.mutate(rerun, "rerunCrmAction", vars{"runId": run})
	w.write()
	w.requireDelivery("DELIVERED", "")
	require.Len(t, w.org.Names("Contact"), 2, "who asks for it gets it")
}

// The CRM's record may come before Parley knows that it is its own.
func TestAnEchoBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t).writing(keyed)
	own := w.run(w.create, "Meitner").Get("record", "externalId").String()
	w.org.Lose(1)
	w.write()
	w.requireDelivery("PENDING", "")
	w.settle()
	require.Len(t, w.names(), 2)
	w.Clock.Advance(time.Minute)
	w.write()
	w.requireDelivery("DELIVERED", "")
	w.requireSame("Contact")
	for id := range w.org.Names("Contact") {
		require.Equal(t, id, w.record(own).Get("externalId").String())
		require.Len(t, w.record(id).Get("conversations", "nodes").List(), 1)
	}
}

func TestChangesOfARecordGoInTheirOrder(t *testing.T) {
	t.Parallel()
	w := setup(t).writing(keyed)
	id := w.contact()
	w.run(w.update, "One")
	w.org.Fail(salesforcetest.Failure{Status: http.StatusServiceUnavailable, Code: "SERVER_UNAVAILABLE", RetryAfter: "40"})
	w.write()
	w.requireDelivery("PENDING", "limit")
	w.org.EndTokens()
	w.Clock.Advance(20 * time.Second)
	w.run(w.update, "Two")
	w.write()
	require.Equal(t, "Curie", w.org.Values(id)["LastName"], "the CRM asked to wait, and the second waits for the first")
	w.Clock.Advance(21 * time.Second)
	w.write()
	require.Equal(t, "Two", w.org.Values(id)["LastName"])
	require.Equal(t, "Marie Two", w.name(id))
	require.Equal(t, [2]int{0, 0}, w.counts(), "none of the two was a conflict with the other")
}

func TestACRMThatIsAwayIsTriedForADay(t *testing.T) {
	t.Parallel()
	w := setup(t).writing(keyed)
	id := w.contact()
	w.run(w.update, "One")
	w.org.ClientSecret = "changed"
	for range 12 {
		w.write()
		w.Clock.Advance(15 * time.Hour)
	}
	w.requireDelivery("FAILED", "does not accept the credentials")
	require.Len(t, w.delivery().Get("attempts").List(), 9)
	require.Equal(t, "One", w.last(id), "what the CRM has is not known")
	w.org.ClientSecret = "org-secret"
	w.write()
	require.Equal(t, "Curie", w.last(id), "what the CRM has counts")
	require.Equal(t, "Curie", w.org.Values(id)["LastName"])
}

// An action that a change in the CRM sets off, and that sets one off there, comes to an end.
func TestALoopThroughTheCRMEnds(t *testing.T) {
	t.Parallel()
	w := setup(t, func(c *app.Config) { c.Mode = "development" }).writing(keyed)
	id := w.contact()
	w.action(vars{
		"performs": "UPDATE_RECORD", "type": "AUTOMATIC", "trigger": "RECORD_CHANGED", "objectTypes": []string{"Contact"},
		"parameters": []vars{fixed("Title", "Ours")}, "conditions": []vars{{"object": "Contact", "field": "Title", "operator": "EQUALS", "value": "Theirs"}},
	})
	runs := func(outcome string) int {
		return len(w.As("ada").Do(`query($o: CrmActionOutcome!) { crmActionRuns(filterBy: {outcome: $o}, first: 50) { nodes { trigger } } }`, vars{"o": outcome}).Get("crmActionRuns", "nodes").List())
	}
	before := runs("DONE")
	w.Run()
	for range 8 { // a rule of the CRM's own sets the title back each time
		w.Clock.Advance(time.Minute)
		w.org.Update(id, salesforcetest.Values{"Title": "Theirs"})
		done := runs("DONE") + runs("REFUSED")
		w.pull()
		if runs("REFUSED") > 0 {
			break
		}
		w.Eventually(func() bool { return runs("DONE")+runs("REFUSED") > done }, "the action runs")
		w.write()
		w.Eventually(func() bool {
			waits := parleytest.Rows(t, w.Store, "SELECT id FROM river_job WHERE kind = 'run_crm_actions' AND finalized_at IS NULL")
			return w.counts()[0] == 0 && len(waits) == 0
		}, "a worker may be writing it, or be about to look at the action's own change")
	}
	require.Positive(t, runs("REFUSED"))
	require.Equal(t, 5, runs("DONE")-before)
	require.Equal(t, "Theirs", w.org.Values(id)["Title"])
	require.Contains(t, w.As("ada").Do(`{ crmActionRuns(filterBy: {outcome: REFUSED}, first: 1) { nodes { problem { message } } } }`, nil).String(), "Actions set each other off")
}

func quick(c *app.Config) { c.WebhookPauses = []time.Duration{0, 0, 0} }

func TestWritingTakesSoManyStatements(t *testing.T) {
	t.Parallel()
	var statements atomic.Int64
	w := setup(t, func(c *app.Config) {
		c.Trace = func(_ context.Context, statement string) func(error) {
			if !strings.Contains(statement, "log_heads") && !strings.Contains(statement, "processes") { // asked in the background too
				statements.Add(1)
			}
			return nil
		}
	}).writing(keyed)
	w.contact()
	for i := range 2 {
		w.run(w.update, fmt.Sprint("Name ", i))
		before := statements.Load()
		w.write()
		require.LessOrEqual(t, statements.Load()-before, int64(32))
	}
	w.requireDelivery("DELIVERED", "")
}
