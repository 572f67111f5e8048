// Command serve serves a Salesforce of a test's own at a free port of this machine, and
// prints its address. It is for jsforce, the client that tests it (clients/salesforce).
// Closing standard input ends it.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
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
	fmt.Fprintf(out, "http://%s %s %s\n", listener.Addr(), org.ClientID, org.ClientSecret)
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
