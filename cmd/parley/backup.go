package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"parley/app"
	"parley/internal/ground/progress"
	"parley/internal/ground/store/backup"
)

// backupCmd copies the database to a file.
type backupCmd struct {
	File      string `arg:"" help:"File to write the backup to. Protect it like the database: it contains the keys."`
	Overwrite bool   `help:"Overwrite an existing file."`
}

// Run implements the command.
func (b *backupCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	bar := progress.New(os.Stderr, "backup", progress.Bytes)
	err := backup.Write(ctx, backup.Options{URL: c.Database, File: b.File, Overwrite: b.Overwrite, Progress: bar.At})
	bar.Close()
	if err != nil {
		return progress.Interrupted(ctx, err, "while copying the database: no backup was written; run it again")
	}
	info, err := os.Stat(b.File)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Backed up the database to %s (%.1f MB).\n", b.File, float64(info.Size())/1e6)
	return nil
}

// restoreCmd makes a database of a backup.
type restoreCmd struct {
	File       string `arg:"" help:"File written by parley backup."`
	SendQueued bool   `help:"Send the messages that were queued when the backup was made. They may have been sent since."`
}

// Run implements the command.
func (r *restoreCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	bar := progress.New(os.Stderr, "restore", progress.Bytes)
	err := backup.Restore(ctx, backup.RestoreOptions{File: r.File, URL: c.Database, Settle: app.Restored(r.SendQueued), Progress: bar.At})
	bar.Close()
	if err != nil {
		return progress.Interrupted(ctx, err, "while restoring: no database was created; run it again")
	}
	fmt.Fprintln(out, "Restored the backup. Start the server on it: clients run their queries again automatically, and messages that were being sent show as UNKNOWN.")
	return nil
}
