package doctor

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"runtime"

	"parley/internal/channel"
	"parley/internal/desk/credential"
	"parley/internal/ground/vault"
)

// openVault reads the key that encrypts credentials; what cannot be read is refused by
// the server too.
func (e *examination) openVault() {
	v, err := vault.Open(e.Key)
	if err != nil {
		e.Refused = errors.Join(e.Refused, err)
		v, _ = vault.Open(vault.Options{}) // without a key nothing can fail
	}
	e.vault = v
}

// credentialKey looks whether the credentials of accounts are encrypted, by a key that is
// there. Each account that is locked has a finding of its own.
func (e *examination) credentialKey(ctx context.Context) (Finding, error) {
	var needed []string
	plain := int64(0)
	err := e.rows(ctx, "SELECT sealed, credentials FROM provider_accounts WHERE provider <> '"+channel.NoCarrier+"'", func(rows *sql.Rows) error {
		var sealed []byte
		var text string
		err := rows.Scan(&sealed, &text)
		switch {
		case len(sealed) > 0:
			needed = append(needed, vault.KeyID(sealed))
		case text != credential.Sealed:
			plain++
		}
		return err
	})
	if err != nil {
		return Finding{}, err
	}
	actions, err := e.actionKeys(ctx)
	if err != nil {
		return Finding{}, err
	}
	const create = "Run parley key create, or say where the key is: --key-file or PARLEY_KEY_FILE."
	if err := e.vault.Fits(append(actions, needed...)); err != nil {
		return fail("Give the server the right key by --key-file.", "The server does not start: %v.", err), nil
	}
	switch {
	case len(e.vault.Keys()) == 0 && len(needed) > 0:
		return fail("Copy the key file back; see parley key list.", "There is no key in %s: %s locked.", e.vault.Where(), count(int64(len(needed)), "account is", "accounts are")), nil
	case e.readableByOthers():
		return warn("Run chmod 600 on it.", "The key file %s can be read by other users of this machine.", e.Key.File), nil
	case len(e.vault.Keys()) == 0 && e.Mode == production && !e.Demo:
		return e.unlessNew(ctx, warn(create, "There is no key: credentials of accounts cannot be stored."))
	case plain > 0 && e.Mode == production && !e.Demo:
		return warn("Run parley key rotate once no server of an earlier version runs.", "The credentials of %s are stored in plain text.", count(plain, "account", "accounts")), nil
	}
	return ok("Credentials are encrypted by the key in %s.", e.vault.Where()), nil
}

// actionKeys names the keys that the secrets of actions are encrypted with.
func (e *examination) actionKeys(ctx context.Context) (ids []string, err error) {
	if e.pending {
		return nil, nil
	}
	err = e.rows(ctx, "SELECT sealed FROM crm_actions WHERE sealed IS NOT NULL", func(rows *sql.Rows) error {
		var sealed []byte
		err := rows.Scan(&sealed)
		ids = append(ids, vault.KeyID(sealed))
		return err
	})
	return ids, err
}

func (e *examination) readableByOthers() bool {
	if e.Key.File == "" || runtime.GOOS == "windows" {
		return false
	}
	is, err := os.Stat(e.Key.File)
	return err == nil && is.Mode().Perm()&0o007 != 0
}
