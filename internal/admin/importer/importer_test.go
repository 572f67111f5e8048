package importer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/admin/doctor"
	"parley/internal/admin/importer"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// export is the one in testdata, which holds a row of each kind.
func export() importer.Options {
	in := func(name string) string { return filepath.Join("testdata", name) }
	return importer.Options{Records: in("records.csv"), Outgoing: in("outgoing.csv"), Incoming: in("incoming.csv"), Region: "us"}
}

func importing(p *parleytest.Parley) *importer.Importer {
	return &importer.Importer{Store: p.Store, Directory: p.Directory, Conversations: p.Conversations, Records: p.Schema.Records}
}

func imported(t testing.TB, p *parleytest.Parley, o importer.Options) *importer.Report {
	t.Helper()
	if o.Staging == "" {
		o.Staging = t.TempDir()
	}
	report, err := importing(p).Run(t.Context(), o)
	require.NoError(t, err)
	return report
}

// contents are everything that an import makes, with names in place of keys.
var contents = []string{
	`SELECT r.object_type, r.external_id, r.name, r.mobile_number, CASE WHEN r.opted_out THEN 1 ELSE 0 END, r.updated_at FROM records r
		ORDER BY r.object_type, r.external_id`,
	`SELECT h.address, c.address, u.name, u.country, u.consent_status, a.username, q.name, r.external_id, c.object_type, c.name, c.preview,
		c.last_message_at, c.last_direction, c.last_incoming_at, CASE WHEN c.is_unread THEN 1 ELSE 0 END, c.inbound_count, c.read_count, c.last_seq,
		c.created_at, CASE WHEN c.assigned THEN 1 ELSE 0 END, m.seq
		FROM conversations c JOIN channels h ON h.id = c.channel_id JOIN messaging_users u ON u.id = c.messaging_user_id
		JOIN messages m ON m.id = c.last_message_id
		LEFT JOIN agents a ON a.id = c.owner_id LEFT JOIN queues q ON q.id = c.queue_id LEFT JOIN records r ON r.id = c.record_id
		ORDER BY h.address, c.address`,
	`SELECT h.address, c.address, m.seq, m.direction, m.kind, m.source, m.text, a.username, m.status, m.error_code, m.inbound_ordinal,
		p.key, m.provider_id, m.provider_time, m.created_at, t.number, t.status, t.detail, t.updated_at, t.created_at
		FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN channels h ON h.id = c.channel_id
		LEFT JOIN provider_accounts p ON p.id = m.provider_account_id
		LEFT JOIN agents a ON a.id = m.author_id LEFT JOIN attempts t ON t.message_id = m.id ORDER BY h.address, c.address, m.seq`,
	`SELECT h.address, c.address, a.username, p.last_message_at FROM participants p JOIN conversations c ON c.id = p.conversation_id
		JOIN channels h ON h.id = c.channel_id JOIN agents a ON a.id = p.agent_id ORDER BY h.address, c.address, a.username`,
	`SELECT h.address, i.kind, i.lookup, i.display, i.received FROM identifiers i JOIN channels h ON h.id = i.channel_id ORDER BY h.address, i.lookup`,
	`SELECT r.object_type, r.external_id, l.field, t.object_type, t.external_id FROM lookups l JOIN records r ON r.id = l.record_id
		JOIN records t ON t.id = l.target_id ORDER BY r.object_type, r.external_id`,
	`SELECT username, name, role, CASE WHEN licensed THEN 1 ELSE 0 END, CASE WHEN active THEN 1 ELSE 0 END FROM agents ORDER BY username`,
	`SELECT h.type, h.address, h.country, CASE WHEN h.active THEN 1 ELSE 0 END, p.key FROM channels h
		JOIN provider_accounts p ON p.id = h.provider_account_id ORDER BY h.address`,
}

func listing(t testing.TB, s *store.Store) string {
	t.Helper()
	var b strings.Builder
	for _, statement := range contents {
		for _, row := range parleytest.Rows(t, s, statement) {
			b.WriteString(strings.ReplaceAll(row, "\n", `\n`) + "\n")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// healthy has the doctor look at everything that an import touches.
func healthy(t testing.TB, p *parleytest.Parley) {
	t.Helper()
	looked := map[string]bool{}
	doctor.Examine(context.Background(), doctor.Options{Database: p.Config.Database, Mode: "production", Deep: true}, func(f doctor.Finding) {
		switch f.Check {
		case "database", "event log", "counts", "integrity", "queue", "unknown sends", "jobs", "webhooks":
			looked[f.Check] = true
			require.Equal(t, doctor.OK, f.Level, f.Means)
		}
	})
	require.True(t, looked["counts"] && looked["event log"] && looked["unknown sends"])
	none := func(what, statement string) {
		t.Helper()
		require.Empty(t, parleytest.Rows(t, p.Store, statement), what)
	}
	none("numbers are dense", `SELECT c.id FROM conversations c JOIN messages m ON m.conversation_id = c.id GROUP BY c.id, c.first_seq, c.last_seq
		HAVING COUNT(*) <> c.last_seq - c.first_seq + 1 OR MIN(m.seq) <> c.first_seq OR MAX(m.seq) <> c.last_seq`)
	none("inbound ordinals", `SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.inbound_ordinal <> c.inbound_count -
		(SELECT COUNT(*) FROM messages x WHERE x.conversation_id = m.conversation_id AND x.seq > m.seq AND x.direction = 'INBOUND')`)
	none("the newest is shown", `SELECT c.id FROM conversations c JOIN messages m ON m.id = c.last_message_id
		WHERE m.created_at <> c.last_message_at OR m.created_at <> (SELECT MAX(x.created_at) FROM messages x WHERE x.conversation_id = c.id)`)
	none("participants are those who sent", `SELECT DISTINCT conversation_id, author_id FROM messages WHERE direction = 'OUTBOUND' AND author_id IS NOT NULL
		EXCEPT SELECT conversation_id, agent_id FROM participants`)
	none("participants sort as their conversations", `SELECT p.id FROM participants p JOIN conversations c ON c.id = p.conversation_id
		WHERE p.last_message_at <> c.last_message_at`)
	none("nothing waits to be sent", `SELECT id FROM attempts WHERE status = 'QUEUED' OR status = 'SENDING'`)
	none("no job was made", `SELECT id FROM river_job WHERE kind = 'drain_lane'`)
}

// The same rows come of the export on both databases.
func TestAnExportBecomesTheSameRowsEverywhere(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	dir := t.TempDir()
	o := export()
	o.Refused, o.InboundOnly = filepath.Join(dir, "refused.csv"), filepath.Join(dir, "inbound-only.csv")
	report := imported(t, p, o)
	healthy(t, p)
	said, err := json.MarshalIndent(report, "", " ")
	require.NoError(t, err)
	var printed bytes.Buffer
	require.NoError(t, report.Write(&printed))
	golden(t, "report.json", string(said))
	golden(t, "report.txt", printed.String())
	golden(t, "rows.txt", listing(t, p.Store))
	for _, name := range []string{"refused.csv", "inbound-only.csv"} {
		list, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		golden(t, name, string(list))
	}
}

var update = flag.Bool("update", false, "write testdata/want")

// golden compares to a file of testdata/want, which -update writes.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "want", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, name)
}

func TestADryRunForetellsTheReportAndWritesNothing(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	before := listing(t, p.Store)
	head, err := p.Store.Head(t.Context())
	require.NoError(t, err)
	o := export()
	o.Staging = t.TempDir()
	foretold, err := importer.DryRun(t.Context(), p.Store, o)
	require.NoError(t, err)
	require.Equal(t, before, listing(t, p.Store))
	after, err := p.Store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, head, after)
	require.True(t, foretold.DryRun)
	foretold.DryRun = false
	require.Equal(t, imported(t, p, export()), foretold)

	foretold, err = importer.DryRun(t.Context(), p.Store, o)
	require.NoError(t, err)
	require.Zero(t, foretold.Records+foretold.Outgoing+foretold.Incoming, "it is all there")
	foretold, err = importer.DryRun(t.Context(), nil, o)
	require.NoError(t, err)
	require.Contains(t, foretold.Agents, "amy", "a database that is not there yet has no agents")
	left, err := os.ReadDir(o.Staging)
	require.NoError(t, err)
	require.Empty(t, left, "nothing of the staging stays")
}

func TestAnImportRunTwiceIsAnImport(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	first := imported(t, p, export())
	once := listing(t, p.Store)
	second := imported(t, p, export())
	require.Equal(t, once, listing(t, p.Store))
	require.Zero(t, second.Records+second.Outgoing+second.Incoming)
	require.Equal(t, first.Outgoing, second.Present.Outgoing)
	require.Equal(t, first.Incoming, second.Present.Incoming)
	require.Equal(t, first.Records, second.Present.Records)
	require.Equal(t, first.InboundOnly, second.InboundOnly)
	healthy(t, p)
}

// Of two imports at once, by two processes, one waits for the other and then takes
// what is left: nothing.
func TestTwoImportsAtOnceAreOne(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	second := parleytest.OpenAt(t, p.Config.Database)
	var reports [2]*importer.Report
	var both sync.WaitGroup
	for i, at := range []*parleytest.Parley{p, second} {
		both.Go(func() {
			o := export()
			o.Staging = t.TempDir()
			report, err := importing(at).Run(context.WithoutCancel(t.Context()), o)
			if err != nil {
				t.Error(err)
			}
			reports[i] = report
		})
	}
	both.Wait()
	healthy(t, p)
	whole := imported(t, parleytest.New(t), export())
	require.Equal(t, whole.Incoming, reports[0].Incoming+reports[1].Incoming)
	require.Equal(t, whole.Outgoing, reports[0].Outgoing+reports[1].Outgoing)
	require.Equal(t, whole.Records, reports[0].Records+reports[1].Records)
}

// Wherever it is interrupted, another run completes it.
func TestAnInterruptedImportIsCompletedByTheNext(t *testing.T) {
	t.Parallel()
	whole := parleytest.New(t)
	imported(t, whole, export())
	want := listing(t, whole.Store)
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, seed))
			var left atomic.Int64
			var stop atomic.Pointer[context.CancelFunc]
			p := parleytest.New(t, func(c *app.Config) {
				c.Trace = func(context.Context, string) func(error) {
					if cancel := stop.Load(); cancel != nil && left.Add(-1) == 0 {
						(*cancel)()
					}
					return nil
				}
			})
			o := importer.InBatches(export(), 1+random.IntN(4))
			o.Staging = t.TempDir()
			for range 3 {
				ctx, cancel := context.WithCancel(t.Context())
				left.Store(1 + random.Int64N(120))
				stop.Store(&cancel)
				if _, err := importing(p).Run(ctx, o); err != nil {
					require.ErrorIs(t, err, context.Canceled)
					require.Regexp(t, "^interrupted .*; run it again to continue$", err.Error())
				}
				stop.Store(nil)
				cancel()
			}
			imported(t, p, o)
			require.Equal(t, want, listing(t, p.Store))
			healthy(t, p)
			files, err := os.ReadDir(o.Staging)
			require.NoError(t, err)
			require.Empty(t, files, "nothing of the staging stays")
		})
	}
}
