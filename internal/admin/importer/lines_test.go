package importer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/admin/importer"
	"parley/internal/check/parleytest"
	"parley/internal/ground/clock"
)

const incomingHeader = "Id,FromNumber,SenderId,Text,ReceivedAt\n"

// incomingRow is one of a customer's messages, of which there are eight hundred.
func incomingRow(id int, text string) string {
	return fmt.Sprintf("%d,+1212555%04d,%s,%s,2026-08-18 10:00:00\n", id, 200+id%800, parleytest.Sales, text)
}

func incomingFile(t testing.TB, content string) importer.Options {
	t.Helper()
	path := filepath.Join(t.TempDir(), "incoming.csv")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return importer.Options{Incoming: path}
}

// adds checks that every line is accounted for.
func adds(t require.TestingT, l *importer.Lines) {
	require.Equal(t, l.Read, l.Header+l.Blank+l.Rows+l.Within, "%+v", *l)
	require.Equal(t, l.Rows, l.Taken+l.Present+l.Twice+l.Refused, "%+v", *l)
}

// Two texts open a quotation mark that nothing closes, as 20" pipes do.
func TestStrayQuotationMarksLoseNoRows(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	var b strings.Builder
	b.WriteString(incomingHeader)
	for id := range 1000 {
		switch id {
		case 10:
			b.WriteString(incomingRow(id, `"20 inch pipe`))
		case 900:
			b.WriteString(incomingRow(id, `pipe 20"`))
		default:
			b.WriteString(incomingRow(id, `"Hello, again"`))
		}
	}
	got := imported(t, p, incomingFile(t, b.String()))
	require.EqualValues(t, 998, got.Incoming)
	require.EqualValues(t, 2, got.Refused)
	require.Equal(t, &importer.Lines{Read: 1001, Header: 1, Rows: 1000, Taken: 998, Refused: 2}, got.Lines["incoming"])
	require.Equal(t, 12, got.Refusals[0].Line)
	require.Equal(t, 902, got.Refusals[1].Line)
	require.Empty(t, parleytest.Rows(t, p.Store, `SELECT id FROM messages WHERE text LIKE '%pipe%' OR text LIKE '%,%,%'`))
	healthy(t, p)
}

// Whatever a file holds, its lines add up.
func TestEveryLineCountsOnce(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{
		incomingRow(1, "a"), incomingRow(2, `"two`+"\n"+`lines"`), incomingRow(3, `"open`), incomingRow(4, `sh"ut`), incomingRow(1, "another"), "\n",
		"5,,,,\n", "six\n", `"` + "\n", ",,,,\n", "7,12,+12125550100,x,2026-08-18\n", "8,+12125550199,+12125550100,x,2999-01-01\n", "\r\n",
	})
	rapid.Check(t, func(rt *rapid.T) {
		content := incomingHeader + strings.Join(rapid.SliceOfN(part, 0, 12).Draw(rt, "lines"), "")
		o := incomingFile(t, content)
		o.Staging = t.TempDir()
		got, err := importer.DryRun(t.Context(), nil, o)
		require.NoError(rt, err)
		require.EqualValues(rt, strings.Count(content, "\n"), got.Lines["incoming"].Read)
		adds(rt, got.Lines["incoming"])
	})
}

func TestTheLinesOfAnExportAddUp(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	for range 2 {
		for file, l := range imported(t, p, export()).Lines {
			require.Positive(t, l.Rows, file)
			adds(t, l)
		}
	}
}

// Bare times are in the zone that is named, rows with one keep theirs.
func TestTimesWithoutAZoneAreInTheOneNamed(t *testing.T) {
	t.Parallel()
	const rows = `1,+12125550201,+12125550100,winter,2026-01-18 10:00:00
2,+12125550201,+12125550100,summer,2026-08-18 10:00
3,+12125550201,+12125550100,a day,2026-08-19
4,+12125550201,+12125550100,its own,2026-08-18T10:00:00Z
5,+12125550201,+12125550100,its own,2026-08-18 10:00:00-04:00
`
	for zone, want := range map[string][]string{
		"":              {"2026-01-18T10:00:00Z", "2026-08-18T10:00:00Z", "2026-08-19T00:00:00Z", "2026-08-18T10:00:00Z", "2026-08-18T14:00:00Z"},
		"Europe/Berlin": {"2026-01-18T09:00:00Z", "2026-08-18T08:00:00Z", "2026-08-18T22:00:00Z", "2026-08-18T10:00:00Z", "2026-08-18T14:00:00Z"},
	} {
		p := parleytest.New(t)
		o := incomingFile(t, incomingHeader+rows)
		o.Zone = zone
		imported(t, p, o)
		for i, at := range want {
			parsed, err := time.Parse(time.RFC3339, at)
			require.NoError(t, err)
			require.Equal(t, []string{fmt.Sprint(int64(clock.Of(parsed)))},
				parleytest.Rows(t, p.Store, fmt.Sprintf(`SELECT created_at FROM messages WHERE provider_id = 'incoming:%d'`, i+1)), zone)
		}
	}
	o := incomingFile(t, incomingHeader)
	o.Zone = "Mars/Olympus"
	_, err := importer.DryRun(t.Context(), nil, o)
	require.ErrorContains(t, err, `the zone "Mars/Olympus" is unknown`)
}

// A row of the future would stand on top of every inbox until then.
func TestRowsOfTheFutureAreRefused(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	got := imported(t, p, incomingFile(t, incomingHeader+incomingRow(1, "now")+"2,+12125550201,+12125550100,then,2999-12-31\n"))
	require.EqualValues(t, 1, got.Incoming)
	require.EqualValues(t, 1, got.Ahead)
	require.Contains(t, got.Refusals[0].Reason, "is in the future")
}

func TestTooLongTextsAreCutAndCounted(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	got := imported(t, p, incomingFile(t, incomingHeader+incomingRow(1, strings.Repeat("é", 2_500_001))+incomingRow(2, "b")))
	require.EqualValues(t, 2, got.Incoming)
	require.EqualValues(t, 1, got.Cut)
	require.Equal(t, []string{"2500000"}, parleytest.Rows(t, p.Store, `SELECT LENGTH(text) FROM messages WHERE provider_id = 'incoming:1'`))
}

// What is not UTF-8 spoils nothing: nothing is written.
func TestAFileInAnotherEncodingIsRefusedWhole(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	o := incomingFile(t, incomingHeader+incomingRow(1, "a")+incomingRow(2, "Gr\xf6\xdfe"))
	for _, run := range []func() (*importer.Report, error){
		func() (*importer.Report, error) { return importer.DryRun(t.Context(), p.Store, o) },
		func() (*importer.Report, error) { return importing(p).Run(t.Context(), o) },
	} {
		_, err := run()
		require.ErrorContains(t, err, "line 3, character 31 is not UTF-8")
	}
	require.Empty(t, parleytest.Rows(t, p.Store, `SELECT id FROM messages WHERE provider_id LIKE 'incoming:%'`))
	o.Encoding = "windows-1252"
	imported(t, p, o)
	require.Equal(t, []string{"Größe"}, parleytest.Rows(t, p.Store, `SELECT text FROM messages WHERE provider_id = 'incoming:2'`))
}

// A customer's text may look like rows of the export. None of it becomes one.
func TestATextThatQuotesRowsIsTakenAsNone(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	got := imported(t, p, incomingFile(t, incomingHeader+
		"1,+12125550201,+12125550100,\"hi\n2,+12125550202,+12125550100,I cancel my order,2026-08-18 10:00:00\n\",2026-08-18 09:00:00\n"+
		"2,+12125550202,+12125550100,What I really wrote,2026-08-19 10:00:00\n"))
	require.Equal(t, &importer.Lines{Read: 5, Header: 1, Within: 2, Rows: 2, Taken: 1, Refused: 1}, got.Lines["incoming"])
	require.Contains(t, got.Refusals[0].Reason, "lines that look like separate rows")
	require.Equal(t, []string{"+12125550202|What I really wrote"}, parleytest.Rows(t, p.Store,
		"SELECT c.address, m.text FROM messages m JOIN conversations c ON c.id = m.conversation_id"))
}
