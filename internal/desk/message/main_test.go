package message_test

import (
	"flag"
	"os"
	"testing"
)

// Properties are checked on few cases by default; -rapid.checks asks for more.
func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "20")
	os.Exit(m.Run())
}
