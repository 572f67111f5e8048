package account_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/ent"
	"parley/ent/provideraccount"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/account"
	"parley/internal/desk/directory"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/vault"
)

type vars = parleytest.Vars

const secret = "hush-hush-4711"

// bundle is the demo organisation with a key file: ada is its only administrator.
type bundle struct {
	*parleytest.Parley
	key string
}

func setup(t *testing.T, options ...func(*app.Config)) *bundle {
	t.Helper()
	return setupAt(t, parleytest.Database(t), filepath.Join(t.TempDir(), "key"), options...)
}

func setupAt(t *testing.T, database, key string, options ...func(*app.Config)) *bundle {
	t.Helper()
	at := func(c *app.Config) { c.KeyFile = key }
	return &bundle{Parley: parleytest.OpenAt(t, database, append([]func(*app.Config){at}, options...)...), key: key}
}

const line = `account { id accountId provider name baseUrl webhookUrl isActive fingerprint previousCredentials { fingerprint validUntil }
	isEncrypted problem lastUsedAt lastFailure { message at } unsentMessages createdAt } errors { code field message }`

func (b *bundle) call(by, mutation string, input vars) parleytest.Tree {
	b.T.Helper()
	selection := line
	if mutation == "testProviderAccount" {
		selection = `test { isOk message whatToDo } errors { code field message }`
	}
	if mutation == "createProviderAccount" && input["idempotencyKey"] == nil {
		input["idempotencyKey"] = rand.Text()
	}
	typed := strings.ToUpper(mutation[:1]) + mutation[1:] + "Input!"
	return b.As(by).Do(`mutation($i: `+typed+`) { `+mutation+`(input: $i) { `+selection+` } }`, vars{"i": input}).Get(mutation)
}

func of(values ...string) (credentials []vars) {
	credentials = []vars{}
	for i := 0; i < len(values); i += 2 {
		credentials = append(credentials, vars{"name": values[i], "value": values[i+1]})
	}
	return credentials
}

// create makes a sandbox account and returns its id.
func (b *bundle) create(accountID, value string) string {
	b.T.Helper()
	made := b.call("ada", "createProviderAccount", vars{"provider": "sandbox", "name": accountID, "accountId": accountID, "credentials": of("secret", value)})
	require.Empty(b.T, made.Get("errors").List(), made.String())
	return made.Get("account", "id").String()
}

func (b *bundle) row(accountID string) *ent.ProviderAccount {
	b.T.Helper()
	return b.Store.Ent.ProviderAccount.Query().Where(provideraccount.Key(accountID)).OnlyX(b.System())
}

// change writes as nobody should.
func (b *bundle) change(do func(ctx context.Context, tx *store.Tx) error) {
	b.T.Helper()
	require.NoError(b.T, b.Directory.Change(b.System(), do))
}

func code(payload parleytest.Tree) string {
	if errs := payload.Get("errors").List(); len(errs) > 0 {
		return errs[0].Get("code").String()
	}
	return ""
}

func message(payload parleytest.Tree) string {
	return payload.Get("errors", 0, "field").String() + ": " + payload.Get("errors", 0, "message").String()
}

// signed posts what a customer wrote, signed by a secret, and returns the status.
func (b *bundle) signed(accountID, by, id string) int {
	b.T.Helper()
	provider := b.Messenger.Providers["sandbox"]
	credentials, err := provider.ParseCredentials([]byte(`{"secret":"` + by + `"}`))
	require.NoError(b.T, err)
	request, err := provider.(channel.Caller).Compose(channel.Account{Key: accountID, Credentials: credentials},
		b.PublicURL()+"/webhooks/sandbox/"+accountID, channel.Inbound{EventID: id, ProviderID: id, From: "+12025550199", To: "+12025550190", Text: "Hello"})
	require.NoError(b.T, err)
	return b.Answer(request).Code
}

func TestOnlyAdministratorsManageAccounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.create("main", secret)
	for _, by := range []string{"amy", "sue"} {
		for mutation, input := range map[string]vars{
			"createProviderAccount":     {"provider": "sandbox", "name": "Mine", "credentials": of("secret", "x"), "idempotencyKey": "mine"},
			"updateProviderAccount":     {"id": id, "name": "Mine"},
			"setProviderCredentials":    {"id": id, "credentials": of("secret", "x")},
			"retirePreviousCredentials": {"id": id},
			"deactivateProviderAccount": {"id": id},
			"activateProviderAccount":   {"id": id},
			"testProviderAccount":       {"id": id},
		} {
			require.Equal(t, "FORBIDDEN", code(b.call(by, mutation, input)), mutation)
			if input["id"] != nil {
				input["id"] = "pac_0000000000000"
				require.Equal(t, "FORBIDDEN", code(b.call(by, mutation, input)), "%s tells nothing of what there is", mutation)
				require.Equal(t, "NOT_FOUND", code(b.call("ada", mutation, input)), mutation)
			}
		}
		seen := b.As(by).Do(`{ providers { name } providerAccounts { id } }`, nil)
		require.Empty(t, seen.Get("providers").List())
		require.Empty(t, seen.Get("providerAccounts").List())
		for _, query := range []string{`query($id: ID!) { providerAccount(id: $id) { id } }`, `query($id: ID!) { node(id: $id) { id } }`} {
			require.Equal(t, []string{"NOT_FOUND"}, b.As(by).Raw(query, vars{"id": id}).Codes())
		}
	}
	seen := b.As("ada").Do(`query($id: ID!) { providers { name credentialFields { name isSecret isRequired } } providerAccounts { name } node(id: $id) { ... on ProviderAccount { name } } }`, vars{"id": id})
	require.Equal(t, "main", seen.Get("node", "name").String())
	require.Len(t, seen.Get("providerAccounts").List(), 3)
	require.Equal(t, "sid", seen.Get("providers", 1, "credentialFields", 0, "name").String())
	require.Equal(t, "main", b.row("main").Name)
}

// What the database holds, in its file, its log and its dump, shows nothing.
func TestCredentialsAreUnreadableInTheDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.create("main", secret)
	require.Empty(t, code(b.call("ada", "setProviderCredentials", vars{"id": id, "credentials": of("secret", secret+"2")})))
	row := b.row("main")
	require.Equal(t, "sealed", row.Credentials)
	require.Empty(t, row.Sid+row.Secret)
	require.NotEmpty(t, row.Sealed)
	require.NotContains(t, b.dump(), "hush-hush")
	require.Contains(t, b.dump(), "sandbox-demo-secret", "the demo's, which an earlier version would have written, are found")
}

// dump is all that is stored.
func (b *bundle) dump() string {
	b.T.Helper()
	if parleytest.OnPostgres() {
		var all strings.Builder
		for _, table := range parleytest.Rows(b.T, b.Store, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'") {
			require.NoError(b.T, b.Store.Read(b.T.Context(), store.System("test"), store.SQL("SELECT CAST(t.* AS text) FROM "+table+" t"), func(rows *sql.Rows) error {
				var text string
				err := rows.Scan(&text)
				all.WriteString(text)
				return err
			}))
		}
		return all.String()
	}
	var all []byte
	files, err := filepath.Glob(b.Config.Database + "*")
	require.NoError(b.T, err)
	for _, file := range files {
		if file != b.key {
			text, err := os.ReadFile(file)
			require.NoError(b.T, err)
			all = append(all, text...)
		}
	}
	return string(all)
}

func TestACiphertextCannotBeMovedToAnotherAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create("one", secret)
	id := b.create("two", "other")
	b.change(func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ProviderAccount.Update().Where(provideraccount.Key("two")).SetSealed(b.row("one").Sealed).Exec(ctx)
	})
	require.Equal(t, http.StatusServiceUnavailable, b.signed("two", secret, "e1"))
	require.Equal(t, http.StatusOK, b.signed("one", secret, "e1"))
	seen := b.As("ada").Do(`query($id: ID!) { providerAccount(id: $id) { problem fingerprint } }`, vars{"id": id}).Get("providerAccount")
	require.Contains(t, seen.Get("problem").String(), "Set them again")
	require.True(t, seen.Get("fingerprint").IsNull())
}

// While credentials are replaced, webhooks signed by either are taken, and calls use the
// new ones.
func TestTwoCredentialsAreValidAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.create("main", "old")
	before := b.call("ada", "updateProviderAccount", vars{"id": id}).Get("account", "fingerprint").String()
	changed := b.call("ada", "setProviderCredentials", vars{"id": id, "credentials": of("secret", "new")}).Get("account")
	require.Equal(t, before, changed.Get("previousCredentials", "fingerprint").String())
	require.NotEqual(t, before, changed.Get("fingerprint").String())
	require.Equal(t, []int{200, 200, 403}, []int{b.signed("main", "old", "e1"), b.signed("main", "new", "e2"), b.signed("main", "guessed", "e3")})
	again := b.call("ada", "setProviderCredentials", vars{"id": id, "credentials": of("secret", " new\n")}).Get("account")
	require.Equal(t, before, again.Get("previousCredentials", "fingerprint").String(), "the same once more changes nothing")

	require.True(t, b.call("ada", "retirePreviousCredentials", vars{"id": id}).Get("account", "previousCredentials").IsNull())
	require.Equal(t, []int{403, 200}, []int{b.signed("main", "old", "e4"), b.signed("main", "new", "e5")})

	b.call("ada", "setProviderCredentials", vars{"id": id, "credentials": of("secret", "newer"), "previousValidHours": 1})
	b.Clock.Advance(59 * time.Minute)
	require.Equal(t, 200, b.signed("main", "new", "e6"))
	b.Clock.Advance(time.Minute)
	require.Equal(t, []int{403, 200}, []int{b.signed("main", "new", "e7"), b.signed("main", "newer", "e8")})
	b.call("ada", "setProviderCredentials", vars{"id": id, "credentials": of("secret", "newest"), "previousValidHours": 0})
	require.Equal(t, []int{403, 200}, []int{b.signed("main", "newer", "e9"), b.signed("main", "newest", "e10")})
}

func TestInputsAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.create("main", secret)
	for want, input := range map[string]vars{
		"input.provider: There is no such provider. Choose one of: sandbox, twilio.":          {"provider": "fax"},
		"input.credentials: secret (Secret) is missing.":                                      {"credentials": of()},
		"input.credentials: sandbox has no such field. Give: secret, verifyToken (optional).": {"credentials": of("token", secret)},
		"input.credentials: secret is given twice.":                                           {"credentials": of("secret", secret, "secret", secret)},
		"input.credentials: secret needs 1 to 2000 characters":                                {"credentials": of("secret", secret+"\nx")},
		"input.credentials: Give at most 20":                                                  {"credentials": of(slices.Repeat([]string{"secret"}, 42)...)},
		"input.name: The name \"main\" is taken":                                              {"name": "MAIN"},
		"input.accountId: Another account has this.":                                          {"accountId": "main"},
		"input.accountId: Use 1 to 64":                                                        {"accountId": "Main"},
		"input.baseUrl: Use https":                                                            {"baseUrl": "http://example.com"},
		"input.baseUrl: Give scheme and host":                                                 {"baseUrl": "https://user:hush-hush@example.com"},
	} {
		all := vars{"provider": "sandbox", "name": "Other", "credentials": of("secret", secret)}
		for name, value := range input {
			all[name] = value
		}
		refused := message(b.call("ada", "createProviderAccount", all))
		require.Contains(t, refused, want)
		require.NotContains(t, refused, "hush")
	}
	require.Equal(t, "input.previousValidHours: Give 0 to 168 hours.",
		message(b.call("ada", "setProviderCredentials", vars{"id": id, "credentials": of("secret", "x"), "previousValidHours": 169})))
	production := setup(t, func(c *app.Config) { c.Mode = "production" })
	require.NoError(t, production.vault().Create())
	for _, url := range []string{"https://127.0.0.1", "https://localhost:1", "https://10.0.0.1", "https://[fe80::1]", "https://0.0.0.0"} {
		require.Contains(t, message(production.call("ada", "createProviderAccount", vars{"provider": "sandbox", "name": url, "credentials": of("secret", "x"), "baseUrl": url})), "public address", url)
	}
}

func (b *bundle) vault() *vault.Vault { return b.Schema.Accounts.Vault }

func TestARepeatCreatesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	input := vars{"provider": "sandbox", "name": "Main", "credentials": of("secret", secret), "idempotencyKey": "once"}
	first := b.call("ada", "createProviderAccount", input).Get("account", "id").String()
	require.Equal(t, first, b.call("ada", "createProviderAccount", input).Get("account", "id").String())
	input["name"] = "Other"
	require.Equal(t, "IDEMPOTENCY_CONFLICT", code(b.call("ada", "createProviderAccount", input)))
}

// An account with messages to send is not deactivated by mistake; by choice they fail.
func TestDeactivatingAnAccountWithUnsentMessages(t *testing.T) {
	t.Parallel()
	b := setup(t) // nothing runs yet, so that messages wait
	b.Say("+12025550199", parleytest.Sales, "Hello")
	conversation := b.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	sent := b.As("amy").Do(`mutation($i: SendMessageInput!) { sendMessage(input: $i) { message { id } errors { code } } }`,
		vars{"i": vars{"conversationId": conversation, "text": "Hello", "idempotencyKey": "k"}}).Get("sendMessage", "message", "id").String()
	var demo parleytest.Tree
	for _, a := range b.As("ada").Do(`{ providerAccounts { id accountId unsentMessages } }`, nil).Get("providerAccounts").List() {
		if a.Get("accountId").String() == "demo" {
			demo = a
		}
	}
	require.Equal(t, 1, demo.Get("unsentMessages").Int())
	id := demo.Get("id").String()
	require.Equal(t, "CONFLICT", code(b.call("ada", "deactivateProviderAccount", vars{"id": id})))
	require.True(t, b.row("demo").Active)
	require.False(t, b.call("ada", "deactivateProviderAccount", vars{"id": id, "unsent": "FAIL"}).Get("account", "isActive").Bool())
	require.Equal(t, http.StatusNotFound, b.Answer(b.Inbound(channel.Inbound{EventID: "e", ProviderID: "e", From: "+12025550199", To: parleytest.Sales})).Code)
	b.Run()
	b.Eventually(func() bool {
		return b.As("amy").Do(`query($id: ID!) { node(id: $id) { ... on Message { status error { code } } } }`, vars{"id": sent}).Get("node").String() == `{"error":{"code":"0005"},"status":"FAILED"}`
	}, "it failed")
	require.True(t, b.call("ada", "activateProviderAccount", vars{"id": id}).Get("account", "isActive").Bool())
	b.Say("+12025550199", parleytest.Sales, "Are you there?")
}

func TestATestSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.create("main", secret)
	found := b.call("ada", "testProviderAccount", vars{"id": id}).Get("test")
	require.True(t, found.Get("isOk").Bool())
	elsewhere := "http://127.0.0.1:1"
	_, err := b.Schema.Accounts.Update(b.Context("ada"), account.UpdateInput{ID: id, BaseURL: &elsewhere})
	require.Equal(t, fault.Forbidden, fault.CodeOf(err), "the credentials would go there")
	_, err = b.Schema.Accounts.Update(b.System(), account.UpdateInput{ID: id, BaseURL: &elsewhere})
	require.NoError(t, err)
	found = b.call("ada", "testProviderAccount", vars{"id": id}).Get("test")
	require.False(t, found.Get("isOk").Bool())
	require.Contains(t, found.Get("message").String(), "cannot be reached")
	require.Contains(t, found.Get("whatToDo").String(), "base URL")
}

func TestTheLastUseAndFailureAreStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say("+12025550199", parleytest.Sales, "Hello")
	conversation := b.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	b.Run()
	for i, text := range []string{"Hello", "Hello #reject=0003"} {
		b.As("amy").Do(`mutation($i: SendMessageInput!) { sendMessage(input: $i) { errors { code } } }`,
			vars{"i": vars{"conversationId": conversation, "text": text, "idempotencyKey": fmt.Sprint(i)}})
		b.Eventually(func() bool {
			require.NoError(t, b.Messenger.WriteUses(t.Context()))
			return b.row("demo").LastUsedAt > 0 && (b.row("demo").LastErrorAt > 0) == (i == 1)
		}, text)
	}
	require.Equal(t, clock.Of(parleytest.Start), b.row("demo").LastUsedAt)
	require.NotEmpty(t, b.row("demo").LastError)
}

// Not parallel: it takes the process's log.
func TestTheLogNeverContainsASecret(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	b := setup(t)
	id := b.create("main", secret)
	b.call("ada", "setProviderCredentials", vars{"id": id, "credentials": of("secret", secret+"2", "wrong", secret)})
	b.call("ada", "setProviderCredentials", vars{"id": id, "credentials": of("secret", secret+"2")})
	b.As("ada").Raw(`mutation { setProviderCredentials(input: {id: "`+id+`", credentials: [{name: "secret", value: "`+secret+`"}], previousValidHours: "x"}) { errors { code } } }`, nil)
	b.call("ada", "testProviderAccount", vars{"id": id})
	b.signed("main", secret, "e1")
	b.change(func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ProviderAccount.Update().SetSealed([]byte(secret)).Exec(ctx)
	})
	require.Contains(t, log.String(), "cannot use a provider account", "the log was taken")
	require.NotContains(t, log.String(), "hush-hush")
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", b.Directory.Account("main"), accountsOf(b), account.Result{}), "hush-hush")
}

func accountsOf(b *bundle) (all []directory.Account) {
	for a := range b.Directory.Accounts() {
		all = append(all, *a)
	}
	return all
}
