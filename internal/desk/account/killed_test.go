package account_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel/channeltest"
	"parley/internal/check/parleytest"
	"parley/internal/check/parleytest/victim"
	"parley/internal/desk/account"
	"parley/internal/ground/viewer"
)

// task is a rotation of the key.
type task struct {
	victim.Task

	// Said is the report at which the process is killed; zero for none.
	Said int64
}

func TestMain(m *testing.M) {
	victim.Work(rotateUntilKilled)
	channeltest.Names(map[string][]netip.Addr{"guarded.test": {netip.MustParseAddr("127.0.0.1")}})
	os.Exit(m.Run())
}

func rotateUntilKilled(t task) error {
	a, begin, err := t.Open()
	if err != nil {
		return err
	}
	begin()
	said := victim.Countdown(t.Said)
	return a.Schema.Accounts.RotateKey(viewer.AsSystem(context.Background(), "command line"), func(string, ...any) { said() })
}

// rotation runs a rotation in a process of its own, and reports whether it was killed:
// by itself, or after a time if that is not zero.
func (b *bundle) rotation(statement, said int64, after time.Duration) (killed bool) {
	b.T.Helper()
	ctx := b.T.Context()
	if after > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, after)
		defer cancel()
	}
	return victim.Run(ctx, b.T, task{victim.Task{Database: b.Config.Database, Key: b.key, Statement: statement}, said})
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
	require.False(b.T, b.rotation(0, 0, 0))
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
	try := func(statement, said int64, after time.Duration) (killed bool) {
		if killed = b.rotation(statement, said, after); killed {
			kills++
		}
		require.Equal(t, accounts, b.readable(), "%d %d %s", statement, said, after)
		fresh, err := app.Open(t.Context(), app.Config{Database: b.Config.Database, KeyFile: b.key})
		require.NoError(t, err)
		for a := range fresh.Directory.Accounts() {
			require.NoError(t, a.Problem)
		}
		require.NoError(t, fresh.Close())
		b.finish(accounts)
		return killed
	}
	for said := int64(1); try(0, said, 0); said++ {
	}
	for statement := int64(1); try(statement, 0, 0); statement += 3 {
	}
	require.Greater(t, kills, 6)
	for after := 5 * time.Millisecond; after < 100*time.Millisecond; after += 20 * time.Millisecond {
		try(0, 0, after) // wherever that is
	}
}
