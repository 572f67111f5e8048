package importer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/importer"
	"parley/internal/check/parleytest"
)

// An export is read by the rule of webhooks and starts: what is no number for
// certain is refused, and senders that wrote in are kept as they came.
func TestWhatIsANumberInAnExport(t *testing.T) {
	t.Parallel()
	for region, test := range map[string]struct {
		sender           string
		in, out, refused []string // by the address that comes of what is written, separated by =
	}{
		"US": {
			"+12025550100",
			[]string{"68849", "SUPPORT", "202555ABCD", "365CABS", "1800FLOWERS", "2025550111=+12025550111", "\u202a+12025550112\u202c=+12025550112"},
			[]string{"(202) 555-0113=+12025550113", "1-800-FLOWERS=+18003569377", "+15555550123"},
			[]string{"68850", "OFFERS", "203555ABCD", "5550123", "366CABS", "2025550178 (Axel)", "202-555-0178 x45", "911"},
		},
		"GB": {
			"+442079460000",
			[]string{"07700900ABC", "60777", "118118", "365Taxi", "My Bank", "07400 123456=+447400123456", "+447700900222"},
			[]string{"020 7946 0018=+442079460018"},
			[]string{"900128", "07700 900222", "60778", "+4460777"},
		},
		"DE": {
			"+493012345678",
			[]string{"80888", "0170123JKMP"},
			[]string{"0170/1234567=+491701234567"},
			[]string{"0170 123 45 67 (Axel)", "0170 1234568 Mama", "110", "2345 6789", "0170 1234567/8"},
		},
	} {
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			p, dir := parleytest.New(t), t.TempDir()
			incoming, outgoing := "Id;FromNumber;SenderId;Text;ReceivedAt\n", "Id;ToNumber;SenderId;Text;Status;SentAt\n"
			want := map[string]bool{}
			row := func(i int, written string) string {
				written, address, differs := strings.Cut(written, "=")
				if !differs {
					address = strings.Trim(written, "\u202a\u202c")
				}
				want[test.sender+" "+address] = true
				return fmt.Sprintf("%d;%s;%s;Hello", i, written, test.sender)
			}
			for i, written := range test.in {
				incoming += row(i, written) + ";2026-06-01T09:00:00Z\n"
			}
			for i, written := range test.out {
				outgoing += row(i, written) + ";Sent;2026-06-01T09:00:00Z\n"
			}
			for i, written := range test.refused {
				outgoing += fmt.Sprintf("r%d;%s;%s;Hello;Sent;2026-06-01T09:00:00Z\n", i, written, test.sender)
			}
			o := importer.Options{Incoming: filepath.Join(dir, "in.csv"), Outgoing: filepath.Join(dir, "out.csv")}
			require.NoError(t, os.WriteFile(o.Incoming, []byte(incoming), 0o600))
			require.NoError(t, os.WriteFile(o.Outgoing, []byte(outgoing), 0o600))
			report := imported(t, p, o)
			got := map[string]bool{}
			for _, r := range parleytest.Rows(t, p.Store, "SELECT h.address || ' ' || c.address FROM conversations c JOIN channels h ON h.id = c.channel_id") {
				got[r] = true
			}
			require.Equal(t, want, got)
			require.Len(t, report.Refusals, len(test.refused))
			for _, r := range report.Refusals {
				require.Contains(t, r.Reason, "is not a number that can be messaged: ")
			}
			healthy(t, p)
		})
	}
}

// A word that stands where there is no number is nobody's name.
func TestAMissingNumberIsNoSender(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	content := incomingHeader
	for i, word := range []string{"unknown", "Unknown", "NULL", "n/a", "Anonymous", ""} {
		content += fmt.Sprintf("%d,%s,%s,Hello,2026-06-01\n", i, word, parleytest.Sales)
	}
	got := imported(t, p, incomingFile(t, content))
	require.Zero(t, got.Incoming)
	require.EqualValues(t, 6, got.Refused)
	require.Contains(t, got.Refusals[0].Reason, `the number is missing: the row has "unknown" instead`)
}
