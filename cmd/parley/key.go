package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"parley/internal/desk/account"
)

// keyCmd manages the key file, beside running servers or without any.
type keyCmd struct {
	List   listKeysCmd  `cmd:"" help:"List the keys, and how many accounts' credentials need each."`
	Create createKeyCmd `cmd:"" help:"Create the key file."`
	Add    addKeyCmd    `cmd:"" help:"Add a key that encrypts nothing before parley key rotate. With several servers, copy the file to all of them in between."`
	Rotate rotateKeyCmd `cmd:"" help:"Encrypt all credentials with the newest key, adding one if it is in use already. Can be interrupted and run again."`
	Retire retireKeyCmd `cmd:"" help:"Remove a key that nothing needs any more."`
}

type listKeysCmd struct{ asJSON }

// keyLine is a key as it is printed.
type keyLine struct {
	Key      string `json:"key"`
	State    string `json:"state"`
	Accounts int    `json:"accounts"`
}

func keyLineOf(k account.KeyUse) keyLine {
	line := keyLine{k.ID, "old", k.Values}
	switch {
	case k.ID == "":
		line.Key, line.State = "none", "plain text: run parley key rotate"
	case k.IsMissing:
		line.State = "missing: copy its file back, or set these accounts' credentials again"
	case k.IsPrimary:
		line.State = "encrypts"
	case k.IsNew:
		line.State = "new: encrypts after parley key rotate"
	}
	return line
}

// Run implements the command.
func (l *listKeysCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asKeeper(ctx, c, func(ctx context.Context, d *operator) error {
		lines, err := keyLines(ctx, d)
		if err != nil {
			return err
		}
		if l.JSON {
			return printJSON(out, lines)
		}
		if len(lines) == 0 {
			fmt.Fprintln(out, "There is no key yet. Create one: parley key create")
			return nil
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "KEY\tACCOUNTS\tSTATE")
		for _, k := range lines {
			fmt.Fprintf(table, "%s\t%d\t%s\n", k.Key, k.Accounts, k.State)
		}
		return table.Flush()
	})
}

func keyLines(ctx context.Context, d *operator) ([]keyLine, error) {
	keys, err := d.Schema.Accounts.Keys(ctx)
	lines := make([]keyLine, len(keys))
	for i, k := range keys {
		lines[i] = keyLineOf(k)
	}
	return lines, err
}

// sayKeys prints what a command did: a sentence, or as JSON the keys as they are now.
func (j *asJSON) sayKeys(ctx context.Context, d *operator, out io.Writer, format string, args ...any) error {
	if !j.JSON {
		_, err := fmt.Fprintf(out, format, args...)
		return err
	}
	lines, err := keyLines(ctx, d)
	if err != nil {
		return err
	}
	return printJSON(out, lines)
}

type createKeyCmd struct {
	asJSON
	ReplaceLost bool `help:"Give up credentials whose key is lost for good; their accounts need new ones."`
}

// Run implements the command.
func (k *createKeyCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asKeeper(ctx, c, func(ctx context.Context, d *operator) error {
		givenUp, err := d.Schema.Accounts.CreateKey(ctx, k.ReplaceLost)
		if err != nil {
			return err
		}
		said := fmt.Sprintf("The key is in %s. Keep a copy apart from the database and its backups: without it, the credentials are lost.\n", d.Schema.Accounts.Vault.Where())
		if givenUp > 0 {
			said += fmt.Sprintf("Accounts, actions, connections and time selectors that need new credentials: %d. See parley account list, parley action list, parley sync list, and renewComponentSecret for time selectors with a provider.\n", givenUp)
		}
		return k.sayKeys(ctx, d, out, "%s", said)
	})
}

type addKeyCmd struct{ asJSON }

// Run implements the command.
func (k *addKeyCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asKeeper(ctx, c, func(ctx context.Context, d *operator) error {
		id, err := d.Schema.Accounts.AddKey(ctx)
		if err != nil {
			return err
		}
		return k.sayKeys(ctx, d, out, "Added key %s. Copy %s to every server, then run parley key rotate.\n", id, d.Schema.Accounts.Vault.Where())
	})
}

type rotateKeyCmd struct{ asJSON }

// Run implements the command.
func (k *rotateKeyCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asKeeper(ctx, c, func(ctx context.Context, d *operator) error {
		say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
		if k.JSON {
			say = func(string, ...any) {} // the keys say it
		}
		err := d.Schema.Accounts.RotateKey(ctx, say)
		if errors.Is(err, context.Canceled) {
			return errors.New("interrupted: everything is readable; run parley key rotate again")
		}
		if err != nil {
			return err
		}
		return k.sayKeys(ctx, d, out, "")
	})
}

type retireKeyCmd struct {
	asJSON
	Key string `arg:"" help:"The key, as parley key list shows it."`
}

// Run implements the command.
func (k *retireKeyCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asKeeper(ctx, c, func(ctx context.Context, d *operator) error {
		if err := d.Schema.Accounts.RetireKey(ctx, k.Key); err != nil {
			return err
		}
		return k.sayKeys(ctx, d, out, "Removed key %s. Backups made before parley key rotate need it: keep a copy as long as they are kept.\n", k.Key)
	})
}
