// Command vulncheck says whether the program calls code with a flaw that is known to
// Go's vulnerability database, and fails when it does; accepted.txt lists what is
// taken as it is, and why. It is run by "make vulncheck".
//
// It proves itself first, by a database with one made-up flaw and a program that
// has it. Where the real database does not answer it says so in a line that begins
// with NOT RUN, and does not fail. GOVULNDB names another database (https:// or
// file://).
package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"parley/internal/check/conventions"
)

const (
	publicDatabase = "https://vuln.go.dev"
	program        = "./cmd/parley"
	flawed         = "./internal/check/conventions/vulncheck/testdata/flawed"
	madeUp         = "GO-0000-0001"
)

//go:embed accepted.txt
var acceptedText string

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	root, err := conventions.Root()
	if err != nil {
		return err
	}
	if err := prove(ctx, root); err != nil {
		return err
	}
	database := cmp.Or(os.Getenv("GOVULNDB"), publicDatabase)
	if err := reach(ctx, database); err != nil {
		fmt.Fprintf(out, "NOT RUN: the database of known flaws does not answer, so nothing is known of what the program is built with: %v\n", err)
		return nil
	}
	accepted, err := readAccepted(acceptedText)
	if err != nil {
		return err
	}
	found, err := scan(ctx, root, database, program)
	if err != nil {
		return err
	}
	return judge(out, found, accepted)
}

// prove checks that a flaw that is there is found.
func prove(ctx context.Context, root string) error {
	database := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(root, "internal/check/conventions/vulncheck/testdata/db"))}
	found, err := scan(ctx, root, database.String(), flawed)
	if err != nil {
		return err
	}
	if err := judge(io.Discard, found, nil); err == nil || !strings.Contains(err.Error(), madeUp) {
		return fmt.Errorf("the check does not find the made-up flaw %s in %s, so it finds none: %w", madeUp, flawed, err)
	}
	return nil
}

// reach reports why a database on the network cannot be asked. One in a folder either
// is there or fails the scan.
func reach(ctx context.Context, database string) error {
	if !strings.HasPrefix(database, "http") {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, database+"/index/db.json", http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", database, response.Status)
	}
	return nil
}

// scan looks at what a program calls, by the govulncheck that tools/go.mod pins.
func scan(ctx context.Context, root, database, target string) (flaws, error) {
	command := exec.CommandContext(ctx, "go", "tool", "-modfile=tools/go.mod", "govulncheck", //nolint:gosec // of this file, and the operator's database
		"-format", "json", "-db", database, "-tags", "sqlite_fts5", target)
	var out, failure bytes.Buffer
	command.Dir, command.Stdout, command.Stderr = root, &out, &failure
	if err := command.Run(); err != nil {
		return nil, errors.Join(fmt.Errorf("govulncheck: %w", err), errors.New(strings.TrimSpace(failure.String())))
	}
	return readFlaws(&out)
}
