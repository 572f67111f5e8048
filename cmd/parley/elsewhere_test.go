package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// Whoever forgets --database, or whose disk is not mounted, is told so and gets no
// stray file, and no empty Parley that knows nobody.
func TestADatabaseThatIsNotThereIsNotMade(t *testing.T) {
	t.Parallel()
	backup := filepath.Join(t.TempDir(), "backup")
	for name, args := range map[string][]string{
		"serve":          {"serve", "--addr", "127.0.0.1:0"},
		"serve the demo": {"serve", "--addr", "127.0.0.1:0", "--demo"},
		"import":         {"import", "--incoming", "../../internal/admin/importer/testdata/incoming.csv"},
		"search rebuild": {"search", "rebuild"},
		"token":          {"token", "amy"},
		"inbound":        {"inbound", "rerun"},
		"sandbox say":    {"sandbox", "say", "--to", "+12025550100", "Hello"},
		"backup":         {"backup", backup},
		"doctor":         {"doctor"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := parleytest.Empty(t)
			printed, err := command(t, append(args, "--database", database)...)
			require.Error(t, err)
			told := printed + err.Error()
			require.Contains(t, told, "ive --database the server's value")
			require.Contains(t, told, "parley setup")
			require.Contains(t, told, "parley migrate")
			require.NoFileExists(t, backup)
			if parleytest.OnPostgres() {
				return
			}
			files, err := os.ReadDir(filepath.Dir(database))
			require.NoError(t, err)
			require.Empty(t, files)
		})
	}
}

// A first start is told, or in development.
func TestADatabaseIsMadeOnAFirstStart(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"told":           {"--create"},
		"in development": {"--mode", "development"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := parleytest.Empty(t)
			url := serve(t, append(args, "--database", database)...)
			response, err := http.Get(url + "/readyz")
			require.NoError(t, err)
			defer response.Body.Close()
			require.Equal(t, http.StatusOK, response.StatusCode)
		})
	}
}

func TestAnImportMakesADatabaseWhenTold(t *testing.T) {
	t.Parallel()
	_, err := command(t, "import", "--create", "--database", parleytest.Empty(t), "--incoming", "../../internal/admin/importer/testdata/incoming.csv",
		"--refused", filepath.Join(t.TempDir(), "refused"), "--inbound-only", filepath.Join(t.TempDir(), "inbound-only"), "--region", "US")
	require.ErrorContains(t, err, "2 rows were refused")
}

func TestAnEmptyDatabaseIsSaidToBePerhapsTheWrongOne(t *testing.T) {
	t.Parallel()
	database := parleytest.Empty(t)
	require.NoError(t, run(t.Context(), []string{"migrate", "--database", database}, io.Discard))
	err := run(t.Context(), []string{"token", "amy", "--database", database}, io.Discard)
	require.ErrorContains(t, err, "none; give --database the server's value")
}
