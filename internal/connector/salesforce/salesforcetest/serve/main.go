// Command serve serves a Salesforce of a test's own at a free port of this machine, and
// prints its address and the credentials to sign in with. It is for jsforce, the client that tests it
// (clients/salesforce). The environment variable PUBLIC_KEY verifies the JWT bearer flow.
//
// A line of standard input does what no call of the API does. It is answered by "done", or
// by what is wrong with it:
//
//	merge LOSER WINNER
//	leave CALLS
//
// Closing standard input ends the server.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"parley/internal/connector/salesforce/salesforcetest"
)

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // for the life of the process
	if err != nil {
		return err
	}
	org := salesforcetest.New()
	org.PageSize(3)
	server := &http.Server{Handler: org, ReadHeaderTimeout: 10 * time.Second}
	org.PublicKey = []byte(os.Getenv("PUBLIC_KEY"))
	fmt.Fprintf(out, "http://%s %s %s %s\n", listener.Addr(), org.ClientID, org.ClientSecret, org.Username)
	go func() {
		for lines := bufio.NewScanner(in); lines.Scan(); {
			fmt.Fprintln(out, obey(org, strings.Fields(lines.Text())))
		}
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// obey does what a line says, and returns its answer.
func obey(org *salesforcetest.Org, words []string) string {
	switch {
	case len(words) == 3 && words[0] == "merge":
		org.Merge(words[1], words[2])
	case len(words) == 2 && words[0] == "leave":
		calls, err := strconv.Atoi(words[1])
		if err != nil {
			return err.Error()
		}
		org.Leave(calls)
	default:
		return fmt.Sprintf("unknown line: %q", words)
	}
	return "done"
}
