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

	"parley/app"
	"parley/internal/ground/progress"
	"parley/internal/ground/vault"
)

// cli is the command line. Flags before the commands apply to all of them.
type cli struct {
	Database string `default:"parley.db" env:"PARLEY_DATABASE" placeholder:"FILE|URL" help:"SQLite file, or a postgres:// URL."`

	KeyFile string `type:"path" env:"PARLEY_KEY_FILE" placeholder:"FILE" help:"Key that encrypts carriers' credentials; by default the name of the SQLite file and .key. PARLEY_KEY may hold the key itself, in base64."`

	Files string `env:"PARLEY_FILES" placeholder:"FOLDER|URL" help:"Where components' images are kept: a folder, or an s3:// address of a bucket; by default a folder with the name of the SQLite file and .files."`

	Serve        serveCmd        `cmd:"" help:"Serve the graph, the playground and the webhooks."`
	Migrate      migrateCmd      `cmd:"" help:"Create the database or migrate the existing one, then exit. parley serve migrates too."`
	Setup        setupCmd        `cmd:"" help:"Name the organisation, and create the first administrator, carrier account and sender ID; asks for what is not given."`
	Token        tokenCmd        `cmd:"" help:"Print a token for an agent."`
	Organisation organisationCmd `cmd:"" aliases:"organization" help:"Show and change the organisation: name, time zone, locale, country."`
	Agent        agentCmd        `cmd:"" help:"Manage agents, beside a running server too."`
	Permission   permissionCmd   `cmd:"" help:"Manage permission sets, beside a running server too."`
	Customer     customerCmd     `cmd:"" help:"Manage customers, beside a running server too."`
	Object       objectCmd       `cmd:"" help:"Define the types of CRM records, beside a running server too."`
	Record       recordCmd       `cmd:"" help:"List and import CRM records, beside a running server too."`
	Action       actionCmd       `cmd:"" help:"Define CRM actions, and see what they did, beside a running server too."`
	Linking      linkingCmd      `cmd:"" help:"Manage the rules that link customers to CRM records, beside a running server too."`
	Sync         syncCmd         `cmd:"" help:"Manage connections to CRMs, beside a running server too."`
	Component    componentCmd    `cmd:"" help:"Show messaging components, beside a running server too."`
	Access       accessCmd       `cmd:"" help:"Manage access tokens, by which programs sign in."`
	Signing      signingCmd      `cmd:"" help:"Manage the keys that sign Parley's own tokens."`
	Audit        auditCmd        `cmd:"" help:"Read who administered what, and who was refused."`
	Channel      channelCmd      `cmd:"" help:"Manage channels, beside a running server too."`
	Queue        queueCmd        `cmd:"" help:"Manage queues, beside a running server too."`
	Account      accountCmd      `cmd:"" help:"Manage accounts at carriers, beside a running server too."`
	Key          keyCmd          `cmd:"" help:"Manage the key that encrypts carriers' credentials."`
	Seed         seedCmd         `cmd:"" help:"Fill the database with sample conversations."`
	Import       importCmd       `cmd:"" help:"Import records and messages from a desk that kept outbound and inbound messages in two tables."`
	Search       searchCmd       `cmd:"" help:"Maintain the search index."`
	Doctor       doctorCmd       `cmd:"" help:"Diagnose settings, database, bus and carriers, and say what to do. Changes nothing."`
	Health       healthCmd       `cmd:"" help:"Ask the running server whether it is ready; exits with 0 if it is."`
	Backup       backupCmd       `cmd:"" help:"Copy the database to a file while it is in use."`
	Restore      restoreCmd      `cmd:"" help:"Create a database from a backup."`
	Inbound      inboundCmd      `cmd:"" help:"Manage messages received from carriers."`
	Numbers      numbersCmd      `cmd:"" help:"Find and fix conversations filed under a wrong number."`
	Sandbox      sandboxCmd      `cmd:"" help:"Simulate a customer."`

	Formula formulaCmd `cmd:"" help:"Run formulas given as JSON lines, to test them; needs no database."`

	Version  versionCmd  `cmd:"" help:"Print the version; so does --version."`
	Licences licencesCmd `cmd:"" help:"Print the licences of everything in the program."`
}

// config says which database, and where its key is.
func (c *cli) config() app.Config {
	return app.Config{Database: c.Database, Key: os.Getenv("PARLEY_KEY"), KeyFile: c.KeyFile, Files: c.Files}
}

// keyOptions say where a server with these settings has its key.
func (c *cli) keyOptions() vault.Options {
	return app.KeyOptions(c.config())
}

// creating is config for a command that may make the database.
func (c *cli) creating(create bool) app.Config {
	config := c.config()
	config.Create = create
	return config
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
	return told(ctx, named(command, command.Run(&c)))
}

// told is err, with better words than those of the system where the command was
// interrupted before it could say how to go on.
func told(ctx context.Context, err error) error {
	var lite sqlite3.Error
	if errors.Is(err, context.Canceled) || errors.As(err, &lite) && lite.Code == sqlite3.ErrInterrupt {
		return progress.Interrupted(ctx, err, "before it finished; run it again")
	}
	return err
}
