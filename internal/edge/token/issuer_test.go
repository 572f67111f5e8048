package token_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/token"
)

func TestIssuersAreReadFromAFile(t *testing.T) {
	t.Parallel()
	issuers, err := token.ReadIssuers(written(t, `[
		{"issuer": "https://a.test", "audience": "parley", "jwks": "https://a.test/keys"},
		{"issuer": "https://b.test", "audience": "desk", "jwks": "https://b.test/keys?v=1", "algorithms": ["ES256", "EdDSA"],
		 "agentClaim": "preferred_username", "types": [""], "leeway": "60s"}]`), false)
	require.NoError(t, err)
	require.Equal(t, []token.Issuer{
		{
			Issuer: "https://a.test", Audience: "parley", JWKS: "https://a.test/keys", Algorithms: []string{"RS256"},
			AgentClaim: "sub", Types: []string{"JWT", "at+jwt"}, Leeway: token.Duration(30 * time.Second),
		},
		{
			Issuer: "https://b.test", Audience: "desk", JWKS: "https://b.test/keys?v=1", Algorithms: []string{"ES256", "EdDSA"},
			AgentClaim: "preferred_username", Types: []string{""}, Leeway: token.Duration(time.Minute),
		},
	}, issuers)
	_, err = token.ReadIssuers(filepath.Join(t.TempDir(), "none"), false)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestIssuersThatAreRefused(t *testing.T) {
	t.Parallel()
	with := func(members string) string {
		return `[{"issuer": "https://a.test", "audience": "parley", "jwks": "https://a.test/keys"` + members + `}]`
	}
	at := func(jwks string) string { return `[{"issuer": "a", "audience": "parley", "jwks": "` + jwks + `"}]` }
	for name, c := range map[string]struct {
		text, says string
		loopback   bool
	}{
		"no JSON":              {text: `[`, says: "JSON array"},
		"an object":            {text: `{}`, says: "JSON array"},
		"text after it":        {text: `[] []`, says: "nothing after the array"},
		"an unknown member":    {text: with(`, "alg": "RS256"`), says: "alg"},
		"no issuer":            {text: `[{"audience": "parley", "jwks": "https://a.test/keys"}]`, says: "required"},
		"no audience":          {text: `[{"issuer": "a", "jwks": "https://a.test/keys"}]`, says: "required"},
		"no key set":           {text: `[{"issuer": "a", "audience": "parley"}]`, says: "required"},
		"HMAC":                 {text: with(`, "algorithms": ["RS256", "HS256"]`), says: "HS256"},
		"none":                 {text: with(`, "algorithms": ["none"]`), says: "none"},
		"a long leeway":        {text: with(`, "leeway": "61s"`), says: "at most 1m"},
		"unseen for -1 days":   {text: with(`, "unseenDays": -1`), says: "unseenDays"},
		"agents, no claim":     {text: with(`, "agents": {"rules": [{"value": "a"}]}`), says: "groups is required"},
		"agents, no rules":     {text: with(`, "agents": {"groups": "groups"}`), says: "rules"},
		"a rule for nothing":   {text: with(`, "agents": {"groups": "groups", "rules": [{"role": "ADMIN"}]}`), says: "rule 1: value"},
		"an unknown role":      {text: with(`, "agents": {"groups": "groups", "rules": [{"value": "a", "role": "BOSS"}]}`), says: "STANDARD, SUPERVISOR or ADMIN"},
		"a set without a name": {text: with(`, "agents": {"groups": "groups", "rules": [{"value": "a", "permissionSets": [""]}]}`), says: "by name"},
		"a long issuer":        {text: `[{"issuer": "` + strings.Repeat("a", 201) + `", "audience": "parley", "jwks": "https://a.test/keys", "logoutAudience": "a"}]`, says: "at most 200 bytes"},
		"a negative leeway":    {text: with(`, "leeway": "-1s"`), says: "leeway"},
		"a number as leeway":   {text: with(`, "leeway": 30`), says: "JSON array"},
		"http":                 {text: at("http://a.test/keys"), says: "https"},
		"http, development":    {text: at("http://a.test/keys"), says: "https", loopback: true},
		"http, this machine":   {text: at("http://127.0.0.1:1/keys"), says: "https"},
		"a file":               {text: at("file:///etc/passwd"), says: "plain URL"},
		"a password":           {text: at("https://u:p@a.test/keys"), says: "plain URL"},
		"no host":              {text: at("https:///keys"), says: "plain URL"},
		"twice":                {text: "[" + strings.Trim(with(""), "[]") + "," + strings.Trim(with(""), "[]") + "]", says: "already used"},
		"Parley's own":         {text: `[{"issuer": "parley", "audience": "parley", "jwks": "https://a.test/keys"}]`, says: "already used"},
		"very many":            {text: "[" + strings.Repeat("{},", 20) + "{}]", says: "20 issuers"},
		"a file of any length": {text: strings.Repeat(" ", 65<<10), says: "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := token.ReadIssuers(written(t, c.text), c.loopback)
			require.ErrorContains(t, err, c.says)
		})
	}
	for _, host := range []string{"127.0.0.1:1", "localhost:1", "[::1]:1"} {
		_, err := token.ReadIssuers(written(t, at("http://"+host+"/keys")), true)
		require.NoError(t, err, host)
	}
}

func written(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "issuers.json")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}
