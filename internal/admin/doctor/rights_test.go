package doctor_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/doctor"
	"parley/internal/check/parleytest"
)

// A file that others may read is named, with what to run; PostgreSQL has its own
// rights.
func TestFilesThatOthersMayRead(t *testing.T) {
	t.Parallel()
	p := admit(t)
	found, _ := examine(t, p.options())
	if parleytest.OnPostgres() {
		require.Empty(t, found["file rights"])
		return
	}
	require.Equal(t, doctor.OK, found["file rights"][0].Level)
	for _, beside := range []string{"", "-wal", "-shm"} {
		file := p.Config.Database + beside
		require.NoError(t, os.Chmod(file, 0o640))
		found, well := examine(t, p.options())
		require.True(t, well)
		require.Equal(t, doctor.Warn, found["file rights"][0].Level)
		require.Contains(t, found["file rights"][0].Do, "chmod 600 "+file+" ")
		require.NoError(t, os.Chmod(file, 0o600))
	}
}
