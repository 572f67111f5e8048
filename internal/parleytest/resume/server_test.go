package resume_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/app"
	"parley/internal/parleytest"
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

// server is "parley serve" as a process of its own, which is killed and started
// again on the same database and port.
type server struct {
	t        *testing.T
	program  string
	database string
	address  string
	url      string
	tokens   map[string]string

	process *exec.Cmd
	log     bytes.Buffer
}

func startServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, program: program(t), database: parleytest.Database(t), tokens: map[string]string{}}
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.address = free.Addr().String()
	s.url = "http://" + s.address
	require.NoError(t, free.Close())
	a := s.open()
	for _, agent := range a.Directory.Agents() {
		s.tokens[agent.Username], err = a.Tokens.Mint(agent.Username, time.Hour)
		require.NoError(t, err)
	}
	require.NoError(t, a.Close())
	s.start()
	t.Cleanup(s.kill)
	return s
}

// open opens the database from this process.
func (s *server) open() *app.App {
	s.t.Helper()
	a, err := app.Open(s.t.Context(), app.Config{Database: s.database})
	require.NoError(s.t, err)
	return a
}

// start starts the process and waits until it answers.
func (s *server) start() {
	s.t.Helper()
	s.process = exec.CommandContext(context.WithoutCancel(s.t.Context()), s.program, //nolint:gosec // the program built here
		"serve", "--addr", s.address, "--database", s.database, "--public-url", s.url)
	s.process.Stderr, s.process.WaitDelay = &s.log, time.Second
	require.NoError(s.t, s.process.Start())
	require.Eventually(s.t, func() bool { return s.get("/readyz") == http.StatusOK }, 20*time.Second, 5*time.Millisecond, "the server answers")
}

// kill ends the process as a crash does: at once, wherever it stands.
func (s *server) kill() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	_ = s.process.Wait() // tells that it was killed
	s.process = nil
	if s.t.Failed() {
		fmt.Fprintln(os.Stderr, tail(s.log.String(), 4000))
	}
	s.log.Reset()
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

func (s *server) get(path string) int {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		return 0
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}
