package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"parley/internal/progress"
	"parley/internal/store"
)

// backupCmd copies the database to a file.
type backupCmd struct {
	File      string `arg:"" help:"Where the backup goes. Keep it as safe as the database: it holds the keys."`
	Overwrite bool   `help:"Replace a file that is there."`
}

// Run implements the command.
func (b *backupCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	bar := progress.New(os.Stderr, "backup", progress.Bytes)
	err := store.Backup(ctx, store.BackupOptions{URL: c.Database, File: b.File, Overwrite: b.Overwrite, Progress: bar.At})
	bar.Close()
	if err != nil {
		return progress.Interrupted(ctx, err, "while copying the database: there is no backup; run it again")
	}
	info, err := os.Stat(b.File)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The database is backed up to %s (%.1f MB).\n", b.File, float64(info.Size())/1e6)
	return nil
}

// restoreCmd makes a database of a backup.
type restoreCmd struct {
	File       string `arg:"" help:"What parley backup made."`
	SendQueued bool   `help:"Send what was still waiting to be sent when the backup was made. It may have been sent since."`
}

// Run implements the command.
func (r *restoreCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	bar := progress.New(os.Stderr, "restore", progress.Bytes)
	err := store.Restore(ctx, store.RestoreOptions{File: r.File, URL: c.Database, SendQueued: r.SendQueued, Progress: bar.At})
	bar.Close()
	if err != nil {
		return progress.Interrupted(ctx, err, "while restoring: there is no database yet; run it again")
	}
	fmt.Fprintln(out, "The backup is restored. Start the server on it: clients run their queries again by themselves, and messages that were on their way show as UNKNOWN.")
	return nil
}
