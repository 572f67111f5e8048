package importer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/importer"
	"parley/internal/check/parleytest"
)

func importCustomers(p *parleytest.Parley, lines ...string) *importer.CustomerReport {
	p.T.Helper()
	file := filepath.Join(p.T.TempDir(), "customers.csv")
	require.NoError(p.T, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	report, err := importer.Customers(p.System(), p.Schema.Customers, importer.CustomerOptions{File: file, Zone: time.UTC})
	require.NoError(p.T, err)
	return report
}

// consents are the customers with the consent that each has, and how it was proved.
func consents(p *parleytest.Parley) []string {
	p.T.Helper()
	return parleytest.Rows(p.T, p.Store, `SELECT u.address, u.name, u.consent_status, COALESCE(c.reason, '') FROM messaging_users u
		LEFT JOIN consent_entries c ON c.messaging_user_id = u.id ORDER BY u.address, c.id`)
}

const header = "Channel;Address;Name;Consent;Proof;At;External_Id"

func TestCustomersComeWithTheirConsent(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	lines := []string{
		header,
		"+12025550100;(202) 555-0161;Nora;EXPLICIT_OPT_IN;form 17;2026-01-02 10:00;C-1",
		"Sales;+12025550162;;OPT_OUT;letter;;",
		"sales;+12025550163;Max;;;;",
		"Sales;+12025550164;Eva;DOUBLE_OPT_IN;;;",
		"Sales;555;Short;;;;",
		"Nowhere;+12025550165;;;;;",
		"Sales;+12025550166;;MAYBE;;;",
		"Sales;+12025550167;;OPT_OUT;;tomorrow;",
	}
	report := importCustomers(p, lines...)
	require.Equal(t, [6]int64{8, 3, 0, 0, 2, 5}, [6]int64{report.Rows, report.Added, report.Changed, report.Unchanged, report.Consents, report.Refused})
	var refused []int
	for _, r := range report.Refusals {
		refused = append(refused, r.Line)
		require.NotEmpty(t, r.Reason)
	}
	require.ElementsMatch(t, []int{5, 6, 7, 8, 9}, refused)
	require.Equal(t, []string{
		"+12025550161|Nora|EXPLICIT_OPT_IN|form 17", "+12025550162||OPT_OUT|letter", "+12025550163|Max|IMPLICIT_OPT_IN|",
	}, consents(p))

	again := importCustomers(p, lines...)
	require.Equal(t, [4]int64{0, 0, 3, 0}, [4]int64{again.Added, again.Changed, again.Unchanged, again.Consents}, "a second time changes nothing")
	importCustomers(p, header, "Sales;+12025550162;Ida;EXPLICIT_OPT_IN;a list;;", "Sales;+12025550163;Moritz;OPT_OUT;call;;C-3")
	require.Equal(t, []string{
		"+12025550161|Nora|EXPLICIT_OPT_IN|form 17", "+12025550162|Ida|OPT_OUT|letter", "+12025550163|Max|OPT_OUT|call",
	}, consents(p), "nobody is opted in again by a file, and a name stays")
}

// Refused rows are in the file by their addresses, which stays until a whole run refuses none.
func TestRefusedCustomersAreInTheFile(t *testing.T) {
	t.Parallel()
	p, dir := parleytest.New(t), t.TempDir()
	refused := filepath.Join(dir, "refused.csv")
	run := func(lines ...string) error {
		file := filepath.Join(dir, "customers.csv")
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
		_, err := importer.Customers(p.System(), p.Schema.Customers, importer.CustomerOptions{File: file, Zone: time.UTC, Refused: refused})
		return err
	}
	require.NoError(t, run(header, "Nowhere;+12025550165;;;;;", "Sales;555;;;;;"))
	text, err := os.ReadFile(refused)
	require.NoError(t, err)
	require.Regexp(t, `(?s)^Line,Id,Reason\n2,\+12025550165,.*\n3,555,.*\n$`, string(text))
	require.Error(t, run("Name", "Nora"))
	require.FileExists(t, refused)
	require.NoError(t, run(header, "Sales;+12025550161;;;;;"))
	require.NoFileExists(t, refused)
}
