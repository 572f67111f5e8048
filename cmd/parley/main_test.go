package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// command runs one command to its end and returns what it printed.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, &out)
	return out.String(), err
}

// serve starts the serve command and returns the address it printed.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...), out)
		_ = out.Close()
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	lines := bufio.NewScanner(in)
	address := regexp.MustCompile(`GraphQL +(http://\S+)/graphql`)
	for lines.Scan() {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, in) }()
			return m[1]
		}
	}
	require.Fail(t, "serve printed no address")
	return ""
}

func TestServeThenTokenThenSayThenQuery(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	url := serve(t, "--database", database, "--mode", "development", "--demo")

	printed, err := command(t, "token", "amy", "--database", database, "--ttl", "5m")
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(printed, "\n"), "the token alone")

	said, err := command(t, "sandbox", "say", "--database", database, "--url", url, "--to", parleytest.Direct, "Hello", "there")
	require.NoError(t, err)
	require.Regexp(t, `^Delivered: a new conversation, cnv_\w+, in the inbox of Amy \w+ \(amy\)\.\n$`, said)
	said, err = command(t, "sandbox", "say", "--database", database, "--url", url, "--to", parleytest.Direct, "Hello", "there")
	require.NoError(t, err)
	require.Regexp(t, `^Delivered: message 2 of conversation cnv_\w+, in the inbox of Amy`, said)
	said, err = command(t, "sandbox", "say", "--database", database, "--url", url, "--to", parleytest.Sales, "--from", "+12025550177", "Hello")
	require.NoError(t, err)
	require.Regexp(t, `^Delivered: a new conversation, cnv_\w+, unassigned: it is in Unassigned, and in the list of Sales\.\n$`, said)

	body := strings.NewReader(`{"query": "{ conversations(view: {kind: MY_INBOX}, first: 1) { nodes { preview } } }"}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", body)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(printed))
	response, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer response.Body.Close()
	var answer struct {
		Data struct {
			Conversations struct{ Nodes []struct{ Preview string } }
		}
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	require.Equal(t, "Hello there", answer.Data.Conversations.Nodes[0].Preview)
}

func TestMistakesAreToldInPlainWords(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no such command":    {[]string{"sever"}, "unexpected argument sever"},
		"no such agent":      {[]string{"token", "zoe", "--database", database}, "its agents are: ada"},
		"token for too long": {[]string{"token", "amy", "--ttl", "9000h", "--database", database}, "30 days"},
		"no such sender ID":  {[]string{"sandbox", "say", "--to", "+1999", "--database", database, "Hi"}, parleytest.Sales},
		"no server": {
			[]string{"sandbox", "say", "--to", parleytest.Sales, "--url", "http://127.0.0.1:1", "--database", database, "Hi"},
			"is it running",
		},
		"bad database URL": {[]string{"migrate", "--database", "postgres://%zz"}, "postgres://user:password@host:port/name"},
		"bad path":         {[]string{"migrate", "--database", "a?b"}, "file path"},
		"bad NATS URL":     {[]string{"serve", "--nats", "localhost", "--database", database}, "nats://host:port"},
		"bad proxies":      {[]string{"serve", "--proxies", "10.0.0.0/8,proxy.test", "--database", database}, `"proxy.test" is not an address`},
		"no public URL":    {[]string{"serve", "--public-url", "foo", "--database", database}, "--public-url: it is not a plain address"},
		"no file":          {[]string{"import", "--incoming", "missing.csv", "--database", database}, "--incoming: open missing.csv"},
		"a folder":         {[]string{"import", "--records", ".", "--database", database}, "--records: .: it is a folder"},
		"an empty file":    {[]string{"import", "--outgoing", "/dev/null", "--database", database}, "--outgoing: /dev/null: the file is empty"},
		"bad mode":         {[]string{"serve", "--mode", "test"}, "production"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := command(t, c.args...)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestMigrateMakesTheFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "deep", "down", "parley.db")
	printed, err := command(t, "migrate", "--database", file)
	require.NoError(t, err)
	require.Equal(t, "The database is up to date.\n", printed)
	require.FileExists(t, file)
}

// Every flag of serve stands in the README's table with its variable and default.
func TestTheReadmeListsEverySetting(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	for _, settings := range []any{serveCmd{}, cli{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(settings)) {
			variable := field.Tag.Get("env")
			if variable == "" {
				continue
			}
			flag := regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(strings.Replace(field.Name, "URL", "Url", 1), "$1-$2")
			row := "| `--" + strings.ToLower(flag) + "` | `" + variable + "` |"
			require.Contains(t, string(readme), row)
			if value := field.Tag.Get("default"); value != "" {
				require.Regexp(t, regexp.QuoteMeta(row)+" `"+regexp.QuoteMeta(value)+"` ", string(readme))
			}
		}
	}
}

func TestTheVersionIsPrinted(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"version", "--version"} {
		printed, err := command(t, word)
		require.NoError(t, err)
		require.Regexp(t, `^parley \S+ \(go1\.\S+, \w+/\w+\)\n$`, printed)
	}
}

// Which of the two addresses is taken is said, with its flag.
func TestAnAddressThatIsTakenIsNamed(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	database, address := parleytest.Database(t), taken.Addr().String()
	_, err = command(t, "serve", "--database", database, "--addr", address)
	require.ErrorContains(t, err, "cannot listen on "+address+"; give another address with --addr")
	_, err = command(t, "serve", "--database", database, "--addr", "127.0.0.1:0", "--private-addr", address)
	require.ErrorContains(t, err, "cannot listen on "+address+" for metrics; give another address with --private-addr")
}
