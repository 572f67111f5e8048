package account_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/ent/provideraccount"
	"parley/internal/check/parleytest"
	"parley/internal/desk/account"
	"parley/internal/ground/store"
	"parley/internal/ground/vault"
)

func silent(string, ...any) {}

func (b *bundle) rotate() {
	b.T.Helper()
	require.NoError(b.T, b.Schema.Accounts.RotateKey(b.System(), silent))
}

func (b *bundle) keys() []account.KeyUse {
	b.T.Helper()
	keys, err := b.Schema.Accounts.Keys(b.System())
	require.NoError(b.T, err)
	return keys
}

// A rotation that is cut off between any two steps leaves everything readable, for a
// process that starts then and one that runs; it is then finished.
func TestARotationMayBeCutOffAnywhere(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(b *bundle){
		"before it begins": func(*bundle) {},
		"after adding": func(b *bundle) {
			_, err := b.vault().Add()
			require.NoError(b.T, err)
		},
		"after promoting": func(b *bundle) {
			id, err := b.vault().Add()
			require.NoError(b.T, err)
			require.NoError(b.T, b.vault().Promote(id))
		},
		"after a value of another process": func(b *bundle) {
			id, err := b.vault().Add()
			require.NoError(b.T, err)
			require.NoError(b.T, b.vault().Promote(id))
			b.create("between", secret)
		},
		"after all": func(b *bundle) { b.rotate() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := parleytest.Database(t)
			b := setupAt(t, database, filepath.Join(t.TempDir(), "key"))
			running := setupAt(t, database, b.key)
			b.create("main", secret)
			b.rotate() // the demo's accounts
			old := b.keys()[0].ID
			begin(b)
			readable := func(by *bundle, id string) {
				require.NoError(t, by.Directory.Refresh(t.Context()))
				require.Equal(t, http.StatusOK, by.signed("main", secret, id))
			}
			readable(running, "e1")
			readable(setupAt(t, database, b.key), "e2")
			b.rotate()
			readable(running, "e3")
			for _, k := range b.keys() {
				require.Equal(t, k.IsPrimary, k.Values > 0, "all by the new key: %+v", k)
				require.False(t, k.IsMissing)
			}
			require.NoError(t, b.Schema.Accounts.RetireKey(b.System(), old))
			readable(running, "e4")
			running.create("later", secret)
			require.Equal(t, http.StatusOK, b.signed("main", secret, "e5"))
		})
	}
}

func TestARotationEncryptsPlainText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Error(t, b.Schema.Accounts.RotateKey(b.System(), silent), "there is no key yet")
	_, err := b.Schema.Accounts.CreateKey(b.System(), false)
	require.NoError(t, err)
	require.Equal(t, 2, b.keys()[1].Values)
	b.Say("+12025550199", parleytest.Sales, "Hello")
	b.rotate()
	require.Len(t, b.keys(), 1)
	require.Equal(t, 2, b.keys()[0].Values)
	row := b.row("twilio-demo")
	require.Equal(t, "sealed", row.Credentials+row.Sid+row.Secret)
	b.Say("+12025550199", parleytest.Sales, "Hello again")
	b.Say("+12025550199", parleytest.Billing, "Hello")
}

func TestAKeyThatIsNeededStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create("main", secret)
	old := b.keys()[0].ID
	require.ErrorContains(t, b.Schema.Accounts.RetireKey(b.System(), old), "parley key rotate")
	id, err := b.Schema.Accounts.AddKey(b.System())
	require.NoError(t, err)
	require.NoError(t, b.vault().Promote(id))
	require.ErrorContains(t, b.Schema.Accounts.RetireKey(b.System(), old), "still need this key")
	require.ErrorContains(t, b.Schema.Accounts.RetireKey(b.System(), "00000000"), "parley key list")
	require.Len(t, b.vault().Keys(), 2)
}

// In production nothing is stored without a key, and what an earlier version stored is
// still read.
func TestWithoutAKeyProductionStoresNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *app.Config) { c.Mode = "production" })
	refused := b.call("ada", "createProviderAccount", vars{"provider": "sandbox", "name": "Main", "credentials": of("secret", secret)})
	require.Equal(t, "CONFLICT", code(refused))
	require.Contains(t, message(refused), "PARLEY_KEY_FILE")
	require.NoFileExists(t, b.key)
	b.Say("+12025550199", parleytest.Sales, "Hello")
}

// A lost key locks the accounts that need it, and nothing else.
func TestALostKeyLocksItsAccountsAlone(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	before := setupAt(t, database, filepath.Join(t.TempDir(), "key"))
	id := before.create("main", secret)
	text, err := os.ReadFile(before.key)
	require.NoError(t, err)
	require.NoError(t, os.Remove(before.key))

	b := setupAt(t, database, before.key, func(c *app.Config) { c.Mode = "production" })
	b.Say("+12025550199", parleytest.Sales, "Hello")
	require.Equal(t, http.StatusServiceUnavailable, b.signed("main", secret, "e1"), "carriers repeat")
	require.False(t, b.Directory.Account("main").CanSend())
	locked := b.As("ada").Do(`query($id: ID!) { providerAccount(id: $id) { problem } }`, vars{"id": id}).Get("providerAccount", "problem").String()
	require.Contains(t, locked, "key")
	require.Equal(t, []account.KeyUse{{Values: 2}, {ID: before.keys()[0].ID, IsMissing: true, Values: 1}}, b.keys())
	_, err = b.Schema.Accounts.CreateKey(b.System(), false)
	require.ErrorContains(t, err, "Copy its file back")
	require.NoFileExists(t, b.key)

	require.NoError(t, os.WriteFile(b.key, text, 0o600))
	require.NoError(t, b.Directory.Refresh(t.Context()))
	require.Equal(t, http.StatusOK, b.signed("main", secret, "e1"), "the file is back")
}

// A key that is lost for good is replaced, and its accounts get new credentials.
func TestALostKeyIsReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.create("main", secret)
	require.NoError(t, os.Remove(b.key))
	after := setupAt(t, b.Config.Database, b.key)
	givenUp, err := after.Schema.Accounts.CreateKey(after.System(), true)
	require.NoError(t, err)
	require.Equal(t, 1, givenUp)
	require.Equal(t, http.StatusServiceUnavailable, after.signed("main", secret, "e1"))
	again := setupAt(t, b.Config.Database, b.key)
	set := again.call("ada", "setProviderCredentials", vars{"id": id, "credentials": of("secret", "new")})
	require.Empty(t, code(set))
	require.True(t, set.Get("account", "problem").IsNull())
	require.Equal(t, http.StatusOK, again.signed("main", "new", "e1"))
}

// A key of another database is refused, but to those who put that right.
func TestTheKeyOfAnotherDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create("main", secret)
	other := filepath.Join(t.TempDir(), "other")
	v, err := vault.Open(vault.Options{File: other})
	require.NoError(t, err)
	require.NoError(t, v.Create())
	c := app.Config{Database: b.Config.Database, KeyFile: other}
	_, err = app.Open(t.Context(), c)
	require.ErrorContains(t, err, "belongs to another database")
	require.ErrorContains(t, err, b.keys()[0].ID)
	c.AnyKey = true
	a, err := app.Open(t.Context(), c)
	require.NoError(t, err)
	require.NoError(t, a.Close())
}

// A version that reads the column credentials, and not sealed, answers 503.
func TestASealedAccountIsUnreadableWithoutItsColumn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create("main", secret)
	b.change(func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ProviderAccount.Update().Where(provideraccount.Key("main")).ClearSealed().Exec(ctx)
	})
	_, err := b.Messenger.Providers["sandbox"].ParseCredentials([]byte(b.row("main").Credentials))
	require.Error(t, err)
	require.Equal(t, http.StatusServiceUnavailable, b.signed("main", secret, "e1"))
}
