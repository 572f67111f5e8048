package crmsync_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/check/parleytest/victim"
	"parley/internal/connector/salesforce/salesforcetest"
	"parley/internal/ground/store"
)

func TestMain(m *testing.M) {
	victim.Work(runUntilKilled)
	os.Exit(m.Run())
}

type task struct {
	victim.Task

	// Writes has it write instead of read.
	Writes bool
}

func runUntilKilled(t task) error {
	a, begin, err := t.Open()
	if err != nil {
		return err
	}
	a.Schema.Syncs.Page = 2
	begin()
	if t.Writes {
		return a.Schema.Syncs.WriteBack(context.Background())
	}
	return a.Schema.Syncs.Pull(context.Background())
}

// Killed at each statement of a write, a record is created once, and a change of it after
// that is made.
func TestAWriteKilledAtAnyStepIsMadeOnce(t *testing.T) {
	t.Parallel()
	database, key := parleytest.Database(t), t.TempDir()+"/key"
	withKey := func(c *app.Config) { c.KeyFile = key }
	w := (&bundle{Parley: parleytest.OpenAt(t, database, withKey)}).writing(keyed)
	kills, made := 0, 0
	for statement := int64(1); ; statement += 2 {
		made++
		name := fmt.Sprint("N", statement)
		w.Parley = parleytest.OpenAt(t, database, withKey)
		own := w.run(w.create, "New "+name).Get("record", "externalId").String()
		w.run(w.update, name)
		w.Stop()
		killed := victim.Run(t.Context(), t, task{victim.Task{Database: database, Key: key, Statement: statement}, true})
		if killed {
			kills++
		}
		w.Parley = parleytest.OpenAt(t, database, withKey)
		require.NoError(t, w.Store.Write(w.System(), func(ctx context.Context, tx *store.Tx) error { // the hold of the process that was killed is over
			return tx.Ent.RecordWrite.Update().SetHeldUntil(0).Exec(ctx)
		}))
		w.Clock.Advance(time.Since(w.Clock.Now().Std())) // the process that was killed went by its own
		w.write()
		require.Equal(t, [2]int{0, 0}, w.counts(), "killed at statement %d", statement)
		require.Len(t, w.org.Names("Contact"), made, "killed at statement %d", statement)
		id := w.record(own).Get("confirmedExternalId").String()
		require.Equal(t, name, w.org.Values(id)["LastName"], "killed at statement %d", statement)
		require.Equal(t, name, w.name(id))
		w.Stop()
		if !killed {
			require.Greater(t, kills, 15)
			return
		}
	}
}

// Killed at statements all through a run, reading goes on where it stopped and ends with
// what the CRM has.
func TestASyncKilledAtAnyStepGoesOn(t *testing.T) {
	t.Parallel()
	database, key := parleytest.Database(t), t.TempDir()+"/key"
	withKey := func(c *app.Config) { c.KeyFile = key }
	s := (&bundle{Parley: parleytest.OpenAt(t, database, withKey)}).sync(0, vars{"objectType": "Contact"})
	var ids []string
	for i := range 9 {
		ids = append(ids, s.org.Create("Contact", salesforcetest.Values{"LastName": fmt.Sprint("N", i)}))
	}
	s.Stop()
	kills := 0
	for statement := int64(1); ; statement += 5 {
		s.org.Update(ids[statement%9], salesforcetest.Values{"LastName": fmt.Sprint("K", statement)})
		killed := victim.Run(t.Context(), t, task{victim.Task{Database: database, Key: key, Statement: statement}, false})
		after := &bundle{Parley: parleytest.OpenAt(t, database, withKey)}
		if killed {
			kills++
			// The hold of the process that was killed is over.
			require.NoError(t, after.Store.Write(after.System(), func(ctx context.Context, tx *store.Tx) error {
				return tx.Ent.CrmSync.Update().SetHeldUntil(0).Exec(ctx)
			}))
			after.Stop()
			continue
		}
		after.Clock.Advance(30 * 24 * time.Hour) // past the pause that the last process noted by its own clock
		require.NoError(t, after.Schema.Syncs.Pull(t.Context()))
		require.Equal(t, s.org.Names("Contact"), after.names())
		require.Greater(t, kills, 5)
		after.Stop()
		return
	}
}
