package vault_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/internal/ground/vault"
)

const here = "table/column/row"

func open(t *testing.T, o vault.Options) *vault.Vault {
	t.Helper()
	v, err := vault.Open(o)
	require.NoError(t, err)
	return v
}

// made is a vault with a key file.
func made(t *testing.T) (v *vault.Vault, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "key")
	v = open(t, vault.Options{File: file})
	require.NoError(t, v.Create())
	return v, file
}

func seal(t *testing.T, v *vault.Vault) []byte {
	t.Helper()
	sealed, err := v.Seal([]byte("hush"), here)
	require.NoError(t, err)
	return sealed
}

func TestASealedValueOpensWhereItWasSealedAlone(t *testing.T) {
	t.Parallel()
	v, file := made(t)
	sealed := seal(t, v)
	require.NotContains(t, string(sealed), "hush")
	require.NotEqual(t, sealed, seal(t, v), "each has a key of its own")
	value, err := v.Unseal(sealed, here)
	require.NoError(t, err)
	require.Equal(t, "hush", string(value))
	require.Equal(t, v.Keys()[0].ID, vault.KeyID(sealed))
	_, err = v.Unseal(sealed, "table/column/another row")
	require.ErrorIs(t, err, vault.ErrMoved)
	for i := range sealed {
		spoilt := bytes.Clone(sealed)
		spoilt[i] ^= 1
		_, err = v.Unseal(spoilt, here)
		require.Error(t, err, "byte %d", i)
	}
	is, err := os.Stat(file)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, is.Mode().Perm())
}

func TestWithoutAKeyNothingIsSealedAndWhatWasIsLocked(t *testing.T) {
	t.Parallel()
	v, file := made(t)
	sealed := seal(t, v)
	require.NoError(t, os.Remove(file))
	lost := open(t, vault.Options{File: file})
	_, err := lost.Seal([]byte("hush"), here)
	require.ErrorIs(t, err, vault.ErrNoKey)
	_, err = lost.Unseal(sealed, here)
	require.ErrorIs(t, err, vault.ErrLocked)
	require.NoError(t, lost.Fits([]string{vault.KeyID(sealed)}))
	_, err = v.Unseal(sealed, here)
	require.NoError(t, err, "a process that has read the key goes on")

	require.NoError(t, lost.Create())
	require.ErrorContains(t, lost.Fits([]string{vault.KeyID(sealed)}), "belongs to another database")
	require.NoError(t, lost.Fits([]string{vault.KeyID(sealed), lost.Keys()[0].ID}), "one fits")
	require.NoError(t, lost.Fits(nil))
}

func TestInDevelopmentTheFileIsMadeWhenItIsNeeded(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	v := open(t, vault.Options{File: file, Make: true})
	require.NoFileExists(t, file)
	seal(t, v)
	require.FileExists(t, file)
	_, err := open(t, vault.Options{Make: true}).Seal([]byte("hush"), here)
	require.ErrorIs(t, err, vault.ErrNoKey, "nobody said where")
}

// Two that create the file at once get one key.
func TestAFileIsNeverReplacedByCreating(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	var all sync.WaitGroup
	var sealed [8][]byte
	for i := range sealed {
		all.Go(func() {
			v, err := vault.Open(vault.Options{File: file, Make: true})
			if assert.NoError(t, err) {
				sealed[i], err = v.Seal([]byte("hush"), here)
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	last := open(t, vault.Options{File: file})
	require.Len(t, last.Keys(), 1)
	for _, s := range sealed {
		_, err := last.Unseal(s, here)
		require.NoError(t, err)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing else stays")
}

// A key is added, made the primary one and retired; another process follows without a
// restart.
func TestKeysAreExchangedBesideARunningProcess(t *testing.T) {
	t.Parallel()
	v, file := made(t)
	running := open(t, vault.Options{File: file})
	first := seal(t, running)
	id, err := v.Add()
	require.NoError(t, err)
	require.Equal(t, vault.KeyID(first), vault.KeyID(seal(t, running)), "added, not used")
	require.NoError(t, v.Promote(id))
	require.Equal(t, id, vault.KeyID(seal(t, v)))
	_, err = running.Unseal(seal(t, v), here)
	require.NoError(t, err)
	require.Equal(t, id, vault.KeyID(seal(t, running)), "it follows")
	require.Error(t, v.Retire(id), "the primary key stays")
	require.NoError(t, v.Retire(vault.KeyID(first)))
	differs, err := running.Reread()
	require.NoError(t, err)
	require.True(t, differs)
	_, err = running.Unseal(first, here)
	require.ErrorIs(t, err, vault.ErrLocked)
}

func TestTheEnvironmentMayHoldTheKey(t *testing.T) {
	t.Parallel()
	v, file := made(t)
	sealed := seal(t, v)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	key := base64.StdEncoding.EncodeToString(text)
	e := open(t, vault.Options{Key: key})
	_, err = e.Unseal(sealed, here)
	require.NoError(t, err)
	_, err = e.Add()
	require.ErrorContains(t, err, "PARLEY_KEY_FILE")
	_, err = vault.Open(vault.Options{Key: key, File: file})
	require.ErrorContains(t, err, "give one of them")
}

func TestWhatIsNoKeysetIsRefusedWithoutAQuote(t *testing.T) {
	t.Parallel()
	v, file := made(t)
	for _, text := range []string{"", "hush", "{}", `{"primaryKeyId":1,"key":[{"keyData":{"value":"hush"}}]}`} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := vault.Open(vault.Options{File: file})
		require.ErrorContains(t, err, file)
		require.NotContains(t, err.Error(), "hush")
		_, err = vault.Open(vault.Options{Key: base64.StdEncoding.EncodeToString([]byte(text)) + "!"})
		require.ErrorContains(t, err, "PARLEY_KEY")
	}
	_, err := v.Reread()
	require.Error(t, err)
	require.Len(t, v.Keys(), 1, "the keys read before stay in use")
}
