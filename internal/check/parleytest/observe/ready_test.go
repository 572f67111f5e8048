package observe_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/admin/seed"
	"parley/internal/check/parleytest"
)

// While the file is away everybody is told: the load balancer, agents, carriers and
// whoever looks at the metrics. When it is back nobody has to do anything.
func TestAMovedDatabaseFileIsToldToEverybody(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "parley.db") // SQLite, whatever the suite runs on
	p := parleytest.OpenAt(t, path, func(c *app.Config) {
		c.Create, c.PrivateAddr = true, "127.0.0.1:0"
	})
	require.NoError(t, seed.Organisation(t.Context(), p.Directory, p.Store))
	p.Run()
	ready := func() (int, string) { return get(t, p.Server.Addr(), "/readyz") }
	eventually := func(status int) {
		t.Helper()
		require.Eventually(t, func() bool { got, _ := ready(); return got == status }, time.Second, 10*time.Millisecond)
	}
	eventually(http.StatusOK)
	p.Say(customer, parleytest.Sales, "Hello")
	id := p.As("ada").Do(inbox, nil).Get("conversations", "nodes", 0, "id").String()
	require.NoError(t, os.Rename(path, path+".away"))
	eventually(http.StatusServiceUnavailable)
	_, reason := ready()
	require.Contains(t, reason, "moved")
	require.NotContains(t, reason, path)
	_, text := scrape(t, p)
	require.Contains(t, text, "parley_database_refuses_writes 1\n")
	require.Equal(t, http.StatusServiceUnavailable, p.Answer(p.Inbound(inbound())).Code)
	require.Equal(t, []string{"UNAVAILABLE"}, p.As("ada").Raw(send, parleytest.Vars{"id": id, "text": "Hello"}).Codes())

	require.NoError(t, os.Rename(path+".away", path))
	eventually(http.StatusOK)
	p.Post(p.Inbound(inbound()))
	_, text = scrape(t, p)
	require.Contains(t, text, "parley_database_refuses_writes 0\n")
}
