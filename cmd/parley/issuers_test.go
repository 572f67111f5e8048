package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

func TestAnAgentSignsInByAnotherIssuer(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	issuers := provider(t, key)
	database := parleytest.Database(t)
	args := []string{"--database", database, "--mode", "development", "--issuers", issuers}
	url := serve(t, append(args, "--demo")...)

	status, text := ask(t, url, bearer(t, key, "amy"))
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"data":{"viewer":{"agent":{"username":"amy"}}}}`, text)
	status, _ = ask(t, url, bearer(t, key, "zoe"))
	require.Equal(t, http.StatusUnauthorized, status, "whom the database does not know")
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	status, _ = ask(t, url, bearer(t, stranger, "amy"))
	require.Equal(t, http.StatusUnauthorized, status)

	said, _ := command(t, append([]string{"doctor"}, args...)...)
	require.Contains(t, said, "OK    sign-in: Keys found: 1 of https://id.test.")
}

func TestIssuersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	database, file := parleytest.Database(t), filepath.Join(t.TempDir(), "issuers.json")
	require.NoError(t, os.WriteFile(file, []byte(`[{"issuer":"https://id.test"}]`), 0o600))
	_, err := command(t, "serve", "--database", database, "--issuers", file)
	require.ErrorContains(t, err, "--issuers")
	require.ErrorContains(t, err, "audience and jwks are required")
	said, err := command(t, "doctor", "--database", database, "--issuers", file)
	require.ErrorIs(t, err, errUnwell)
	require.Contains(t, said, "FAIL  settings: The server does not start: --issuers")
}

func TestOnlyListedDocumentsRun(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	issuers, file := provider(t, key), filepath.Join(t.TempDir(), "documents.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"who": "{ viewer { agent { name } } }"}`), 0o600))
	args := []string{"--database", parleytest.Database(t), "--mode", "development", "--issuers", issuers, "--documents", file}
	status, text := ask(t, serve(t, append(args, "--demo")...), bearer(t, key, "amy"))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "FORBIDDEN")

	require.NoError(t, os.WriteFile(file, []byte(`[]`), 0o600))
	_, err = command(t, append([]string{"serve"}, args...)...)
	require.ErrorContains(t, err, "--documents")
	said, err := command(t, append([]string{"doctor"}, args...)...)
	require.ErrorIs(t, err, errUnwell)
	require.Contains(t, said, "one JSON object that maps names to documents")
}

// provider serves a key and returns the file that names it.
func provider(t *testing.T, key *ecdsa.PrivateKey) (file string) {
	t.Helper()
	jwk, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "k"}})
	require.NoError(t, err)
	set, err := json.Marshal(map[string]any{"keys": []any{jwk.Marshal()}})
	require.NoError(t, err)
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) }))
	t.Cleanup(keys.Close)
	file = filepath.Join(t.TempDir(), "issuers.json")
	require.NoError(t, os.WriteFile(file, []byte(`[{"issuer": "https://id.test", "audience": "parley", "jwks": "`+keys.URL+`",
		"algorithms": ["ES256"], "agentClaim": "preferred_username"}]`), 0o600))
	return file
}

func bearer(t *testing.T, key *ecdsa.PrivateKey, agent string) string {
	t.Helper()
	unsigned := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": "https://id.test", "aud": "parley", "sub": "7", "preferred_username": agent, "exp": time.Now().Add(time.Hour).Unix(),
	})
	unsigned.Header["kid"] = "k"
	signed, err := unsigned.SignedString(key)
	require.NoError(t, err)
	return signed
}

func ask(t *testing.T, url, bearer string) (status int, text string) {
	t.Helper()
	body := strings.NewReader(`{"query": "{ viewer { agent { username } } }"}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", body)
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+bearer)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(all)
}
