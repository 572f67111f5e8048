package resume_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/blackbox"
	"parley/internal/check/parleytest"
)

// program builds the command line as it is shipped, but for optimisation.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "parley")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "sqlite_fts5", "-o", path, "parley/cmd/parley") //nolint:gosec // the path is the test's own
	build.Env = append(os.Environ(), "CGO_CFLAGS=-O1 -g0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// server is "parley serve" as a process of its own, and a client of it.
type server struct {
	*blackbox.Process
	*blackbox.Client
	t *testing.T
}

func startServer(t *testing.T) *server {
	t.Helper()
	address, err := blackbox.FreeAddress(t.Context())
	require.NoError(t, err)
	p := &blackbox.Process{Program: []string{program(t)}, Database: parleytest.Database(t), Address: address}
	s := &server{t: t, Process: p, Client: &blackbox.Client{URL: p.URL(), Tokens: map[string]string{}}}
	a := s.open()
	for _, agent := range a.Directory.Agents() {
		s.Tokens[agent.Username], err = a.Tokens.Mint(agent.Username, time.Hour)
		require.NoError(t, err)
	}
	require.NoError(t, a.Close())
	s.start()
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Log(s.Log())
		}
	})
	return s
}

// open opens the database from this process.
func (s *server) open() *app.App {
	s.t.Helper()
	a, err := app.Open(s.t.Context(), app.Config{Database: s.Database})
	require.NoError(s.t, err)
	return a
}

// start starts the process and waits until it answers.
func (s *server) start() {
	s.t.Helper()
	require.NoError(s.t, s.Start(s.t.Context()))
}
