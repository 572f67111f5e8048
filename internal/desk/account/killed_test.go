package account_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel/channeltest"
	"parley/internal/check/parleytest"
	"parley/internal/desk/account"
	"parley/internal/ground/viewer"
)

// victim describes, as JSON in the environment, a process that is killed within a rotation
// of the key.
const victim = "PARLEY_TEST_KEY_VICTIM"

type task struct {
	Database, Key string
	// Statement is the one at which the process is killed, and Said the report; the work
	// ends if it has fewer. Zero for neither.
	Statement, Said int64
}

func TestMain(m *testing.M) {
	if text := os.Getenv(victim); text != "" {
		if err := rotateUntilKilled(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	channeltest.Names(map[string][]netip.Addr{"guarded.test": {netip.MustParseAddr("127.0.0.1")}})
	os.Exit(m.Run())
}

// countdown kills the process when it has been called n times.
func countdown(n int64) func() {
	var calls atomic.Int64
	return func() {
		if calls.Add(1) == n {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}

func rotateUntilKilled(text string) error {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return err
	}
	var begun atomic.Bool
	statement, said := countdown(t.Statement), countdown(t.Said)
	a, err := app.Open(context.Background(), app.Config{Database: t.Database, KeyFile: t.Key, Trace: func(context.Context, string) func(error) {
		if begun.Load() {
			statement()
		}
		return nil
	}})
	if err != nil {
		return err
	}
	begun.Store(true)
	return a.Schema.Accounts.RotateKey(viewer.AsSystem(context.Background(), "command line"), func(string, ...any) { said() })
}

// rotation runs a rotation in a process of its own, and reports whether it was killed:
// by itself, or after a time if that is not zero.
func (b *bundle) rotation(t task, after time.Duration) (killed bool) {
	b.T.Helper()
	self, err := os.Executable()
	require.NoError(b.T, err)
	t.Database, t.Key = b.Config.Database, b.key
	text, err := json.Marshal(t)
	require.NoError(b.T, err)
	c := exec.CommandContext(b.T.Context(), self) //nolint:gosec // this very test
	c.Env = append(os.Environ(), victim+"="+string(text))
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	require.NoError(b.T, c.Start())
	if after > 0 {
		time.AfterFunc(after, func() { _ = c.Process.Kill() })
	}
	if err = c.Wait(); err == nil {
		return false
	}
	require.Equal(b.T, "signal: killed", err.Error(), out.String())
	return true
}

// readable is every account's fingerprint, as a process that has just read the key and
// the accounts has it.
func (b *bundle) readable() map[string]string {
	b.T.Helper()
	_, err := b.vault().Reread()
	require.NoError(b.T, err)
	require.NoError(b.T, b.Directory.Refresh(b.T.Context()))
	prints := map[string]string{}
	for a := range b.Directory.Accounts() {
		require.NoError(b.T, a.Problem, a.Key)
		require.NotNil(b.T, a.Credentials, a.Key)
		previous, _ := a.Previous(b.Clock.Now())
		prints[a.Key] = a.Fingerprint + " " + previous
	}
	return prints
}

// finish runs the rotation to its end and retires all keys but the new one.
func (b *bundle) finish(accounts map[string]string) {
	b.T.Helper()
	require.False(b.T, b.rotation(task{}, 0))
	require.Equal(b.T, accounts, b.readable())
	for _, k := range b.keys() {
		require.Equal(b.T, account.KeyUse{ID: k.ID, IsPrimary: k.IsPrimary, Values: k.Values}, k, "none is missing, and none waits")
		require.Equal(b.T, k.IsPrimary, k.Values == len(accounts), "all are encrypted with the new key")
		if !k.IsPrimary {
			require.NoError(b.T, b.Schema.Accounts.RetireKey(b.System(), k.ID))
		}
	}
	require.Equal(b.T, accounts, b.readable())
}

// A process that is killed anywhere within a rotation leaves every credential readable,
// for running processes and for those that start then; the next rotation ends the work.
func TestARotationThatIsKilledLosesNothing(t *testing.T) {
	t.Parallel()
	b := setupAt(t, parleytest.Database(t), filepath.Join(t.TempDir(), "key")) // the demo's accounts are in plain text
	for _, id := range []string{"one", "two", "three"} {
		b.create(id, secret+id)
	}
	key := b.create("rotated", secret)
	require.Empty(t, code(b.call("ada", "setProviderCredentials", vars{"id": key, "credentials": of("secret", secret+"new")})))
	accounts := b.readable()
	require.Len(t, accounts, 6)
	kills := 0
	try := func(at task, after time.Duration) (killed bool) {
		if killed = b.rotation(at, after); killed {
			kills++
		}
		require.Equal(t, accounts, b.readable(), "%+v", at)
		fresh, err := app.Open(t.Context(), app.Config{Database: b.Config.Database, KeyFile: b.key})
		require.NoError(t, err)
		for a := range fresh.Directory.Accounts() {
			require.NoError(t, a.Problem)
		}
		require.NoError(t, fresh.Close())
		b.finish(accounts)
		return killed
	}
	for said := int64(1); try(task{Said: said}, 0); said++ {
	}
	for statement := int64(1); try(task{Statement: statement}, 0); statement += 3 {
	}
	require.Greater(t, kills, 6)
	for after := 5 * time.Millisecond; after < 100*time.Millisecond; after += 20 * time.Millisecond {
		try(task{}, after) // wherever that is
	}
}
