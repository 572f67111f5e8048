// Package victim kills Parley within a piece of work: the test's own program works in a
// process of its own, which is killed at one of its SQL statements.
//
//	func TestMain(m *testing.M) {
//		victim.Work(workUntilKilled) // in the process that is killed
//		os.Exit(m.Run())
//	}
//
//	for statement := int64(1); victim.Run(t.Context(), t, task{victim.Task{Database: database, Statement: statement}}); statement++ {
//		… // all of it is there, or nothing
//	}
package victim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
)

// given names the variable of the environment that holds the task of a victim, as JSON.
const given = "PARLEY_TEST_VICTIM"

// Task is what every victim needs to know; a test's own task embeds it.
type Task struct {
	Database string
	Key      string // the file of its key; empty where none is needed
	// Statement is the one at which the process is killed, zero for none; the work ends if
	// it has fewer.
	Statement int64
}

// Work does the task and ends the process, if this process is a victim.
func Work[T any](work func(T) error) {
	text := os.Getenv(given)
	if text == "" {
		return
	}
	var task T
	err := json.Unmarshal([]byte(text), &task)
	if err == nil {
		err = work(task)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Open opens the task's Parley. Its statements count from when begin is called.
func (t Task) Open() (a *app.App, begin func(), err error) {
	var begun atomic.Bool
	next := Countdown(t.Statement)
	a, err = app.Open(context.Background(), app.Config{
		Database: t.Database, KeyFile: t.Key, Mode: "development",
		Trace: func(context.Context, string) func(error) {
			if begun.Load() {
				next()
			}
			return nil
		},
	})
	return a, func() { begun.Store(true) }, err
}

// Countdown kills the process when it has been called n times.
func Countdown(n int64) func() {
	var calls atomic.Int64
	return func() {
		if calls.Add(1) == n {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}

// Command is the process that does a task.
func Command(ctx context.Context, t testing.TB, task any) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	text, err := json.Marshal(task)
	require.NoError(t, err)
	c := exec.CommandContext(ctx, self) //nolint:gosec // this very test
	c.Env = append(os.Environ(), given+"="+string(text))
	return c
}

// Run has a task done, and reports whether the process was killed: by itself, or because
// ctx ended.
func Run(ctx context.Context, t testing.TB, task any) (killed bool) {
	t.Helper()
	c := Command(ctx, t, task)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	if err != nil && ctx.Err() != nil {
		return true
	}
	if c.ProcessState != nil && c.ProcessState.Sys().(syscall.WaitStatus).Signaled() { //nolint:forcetypeassert // on Unix
		return true
	}
	require.NoError(t, err, out.String())
	return false
}
