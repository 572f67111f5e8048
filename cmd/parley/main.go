// Command parley serves CRM conversations as a GraphQL graph.
//
//	parley serve --mode development --database data/parley.db --demo
//	parley token amy
//	parley sandbox say --to +12025550101 "Hello, is anybody there?"
//
// Every flag can also be given by the environment, as the help says.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-sqlite3"

	"parley/internal/progress"
)

// cli is the command line. Flags before the commands apply to all of them.
type cli struct {
	Database string `default:"parley.db" env:"PARLEY_DATABASE" placeholder:"FILE|URL" help:"SQLite file, or a postgres:// URL."`

	Serve   serveCmd   `cmd:"" help:"Serve the graph, the playground and the webhooks."`
	Migrate migrateCmd `cmd:"" help:"Make a new database, or bring the one that is there up to date, and stop. Serving brings it up to date too."`
	Token   tokenCmd   `cmd:"" help:"Print a token for an agent."`
	Seed    seedCmd    `cmd:"" help:"Fill the database with conversations to try things with."`
	Import  importCmd  `cmd:"" help:"Import records and messages of a desk that kept outbound and inbound in two tables."`
	Search  searchCmd  `cmd:"" help:"Look after the search index."`
	Doctor  doctorCmd  `cmd:"" help:"Say what is wrong with settings, database, bus and carriers, and what to do. Changes nothing."`
	Health  healthCmd  `cmd:"" help:"Ask the running server whether it is ready; ends with 0 if it is."`
	Backup  backupCmd  `cmd:"" help:"Copy the database to a file while it is in use."`
	Restore restoreCmd `cmd:"" help:"Make a database of a backup."`
	Inbound inboundCmd `cmd:"" help:"Look after what carriers posted."`
	Numbers numbersCmd `cmd:"" help:"Look after conversations that stand under a number by mistake."`
	Sandbox sandboxCmd `cmd:"" help:"Play the customer."`

	Version  versionCmd  `cmd:"" help:"Print the version; so does --version."`
	Licences licencesCmd `cmd:"" help:"Print the licences of everything that Parley is built from."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "parley: %v\n", err)
		os.Exit(exitCode(err))
	}
}

// exitCode is 1 for an error that has none of its own.
func exitCode(err error) int {
	var own interface{ ExitCode() int }
	if errors.As(err, &own) {
		return own.ExitCode()
	}
	return 1
}

// run runs one command, which writes what it has to say to out and its log to
// standard error.
func run(ctx context.Context, args []string, out io.Writer) error {
	var c cli
	parser, err := kong.New(&c, kong.Name("parley"), kong.UsageOnError(),
		kong.Description("CRM conversations as a GraphQL graph: read, send, assign, and see messages arrive live."))
	if err != nil {
		return err
	}
	if len(args) > 0 && args[0] == "--version" {
		args = []string{"version"}
	}
	command, err := parser.Parse(args)
	if err == nil {
		err = withinBounds(command.Flags())
	}
	if err != nil {
		return fmt.Errorf("%w (run parley --help for the flags)", err)
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	command.BindTo(ctx, (*context.Context)(nil))
	command.BindTo(out, (*io.Writer)(nil))
	return told(ctx, command.Run(&c))
}

// told is err, with better words than those of the system where the command was
// interrupted before it could say how to go on.
func told(ctx context.Context, err error) error {
	var lite sqlite3.Error
	if errors.Is(err, context.Canceled) || errors.As(err, &lite) && lite.Code == sqlite3.ErrInterrupt {
		return progress.Interrupted(ctx, err, "before it was done; run it again")
	}
	return err
}
