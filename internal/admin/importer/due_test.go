package importer_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent/provideraccount"
	"parley/internal/admin/importer"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

const whatsApp = "+12025550210"

// withWhatsApp is a Parley with a number that has a care window of a day.
func withWhatsApp(t *testing.T) *parleytest.Parley {
	t.Helper()
	p := parleytest.New(t)
	require.NoError(t, p.Directory.Change(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		account, err := tx.Ent.ProviderAccount.Query().Where(provideraccount.Provider("sandbox")).First(ctx)
		if err != nil {
			return err
		}
		return tx.Ent.Channel.Create().SetAccount(account).SetType(channel.WhatsApp).SetName("WhatsApp").
			SetAddress(whatsApp).SetCreatedAt(tx.Now).Exec(ctx)
	}))
	return p
}

// received is an export of a message from each of the customers, received at a time.
func received(t *testing.T, at time.Time, customers ...string) importer.Options {
	t.Helper()
	var rows strings.Builder
	rows.WriteString("Id;FromNumber;SenderId;Text;ReceivedAt\n")
	for i, number := range customers {
		fmt.Fprintf(&rows, "W%d-%d;%s;%s;Hello;%s\n", at.Unix(), i, number, whatsApp, at.Format(time.RFC3339))
	}
	file := filepath.Join(t.TempDir(), "incoming.csv")
	require.NoError(t, os.WriteFile(file, []byte(rows.String()), 0o600))
	return importer.Options{Incoming: file, Region: "us"}
}

func sweep(t *testing.T, p *parleytest.Parley) int {
	t.Helper()
	n, err := p.Conversations.SweepDue(context.Background())
	require.NoError(t, err)
	return n
}

const (
	wrote    = "+12025550181"
	imports  = "+12025550182"
	longAgo  = "+12025550183"
	returned = "+12025550184"
)

// What is imported announces the close of its care window as what came in by
// webhook does; a window that closed long ago announces nothing.
func TestTheCareWindowOfWhatWasImportedCloses(t *testing.T) {
	t.Parallel()
	p := withWhatsApp(t)
	p.Say(wrote, whatsApp, "Hello")
	imported(t, p, received(t, parleytest.Start, imports))
	imported(t, p, received(t, parleytest.Start.AddDate(-2, 0, 0), longAgo, returned))
	imported(t, p, received(t, parleytest.Start.AddDate(-1, 0, 0), returned)) // goes on with what is there
	require.Equal(t, []string{"1", "1", "0", "0"}, parleytest.Rows(t, p.Store,
		`SELECT CASE WHEN due_at > 0 THEN 1 ELSE 0 END FROM conversations ORDER BY address`))
	require.Zero(t, sweep(t, p), "years of history are no news")

	p.Clock.Advance(12 * time.Hour)
	imported(t, p, received(t, parleytest.Start.Add(6*time.Hour), returned)) // opens it again
	p.Clock.Advance(13 * time.Hour)
	require.Equal(t, 2, sweep(t, p))
	p.Clock.Advance(6 * time.Hour)
	require.Equal(t, 1, sweep(t, p))
	healthy(t, p)
}

// A customer's message becomes the same rows whether it came by webhook or was
// imported: all columns but those that say which row it is.
func TestWhatIsImportedIsAsIfItHadComeIn(t *testing.T) {
	t.Parallel()
	p := withWhatsApp(t)
	p.Say(wrote, whatsApp, "Hello")
	imported(t, p, received(t, parleytest.Start, imports))
	for table, own := range map[string][]string{
		"conversations": {"id", "messaging_user_id", "address", "last_message_id"},
		// The export knows when the carrier took it, and its ids are a source's own.
		"messages": {"id", "conversation_id", "provider_account_id", "provider_id", "provider_time"},
		// An import reads every number as a phone's.
		"messaging_users": {"id", "address", "country"},
	} {
		columns := slices.DeleteFunc(parleytest.Columns(t, table), func(c string) bool { return slices.Contains(own, c) })
		rows := parleytest.Rows(t, p.Store, "SELECT "+strings.Join(columns, ", ")+" FROM "+table)
		require.Len(t, rows, 2, table)
		require.Equal(t, rows[0], rows[1], "%s: %v", table, columns)
	}
	require.Equal(t, []string{"2|2|2"}, parleytest.Rows(t, p.Store, `SELECT SUM(conversations), SUM(unread), SUM(new) FROM count_cells`))
}
