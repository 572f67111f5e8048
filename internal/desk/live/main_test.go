package live_test

import (
	"flag"
	"os"
	"testing"

	"parley/internal/check/parleytest"
)

// TestMain keeps to a few seconds what -rapid.checks may draw out: each case is a
// Parley of its own.
func TestMain(m *testing.M) {
	flag.Parse()
	const checks = "rapid.checks"
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == checks })
	few := map[bool]string{false: "40", true: "8"}[parleytest.OnPostgres()]
	if !asked {
		if err := flag.Set(checks, few); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
