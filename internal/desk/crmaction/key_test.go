package crmaction_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/ground/viewer"
)

func operator() context.Context {
	return viewer.AsSystem(context.Background(), "command line")
}

// Rotating the key leaves webhooks signed with the secret that was shown, and no key is
// retired that a secret needs.
func TestSecretsFollowTheKey(t *testing.T) {
	t.Parallel()
	b := setup(t, quick)
	h := newHook(t)
	id, secret := b.calling(h)
	conversation := b.conversation("+12025550190")
	accounts := b.Schema.Accounts
	keys, err := accounts.Keys(operator())
	require.NoError(t, err)
	first := keys[0].ID
	require.Positive(t, keys[0].Values)
	for range 2 { // the first encrypts the accounts that are in plain text
		require.NoError(t, accounts.RotateKey(operator(), func(string, ...any) {}))
	}
	require.NoError(t, accounts.RetireKey(operator(), first))
	b.Run()
	b.run("amy", id, conversation, nil)
	b.delivered(id, "DELIVERED")
	require.True(t, verified(t, h.calls()[0], secret))

	_, err = accounts.AddKey(operator())
	require.NoError(t, err)
	keys, err = accounts.Keys(operator())
	require.NoError(t, err)
	require.ErrorContains(t, accounts.RetireKey(operator(), keys[0].ID), "rotate")
}

// A secret whose key is lost for good is given up, and renewed.
func TestALostSecretIsRenewed(t *testing.T) {
	t.Parallel()
	database, file := parleytest.Database(t), t.TempDir()+"/key"
	open := func() *bundle {
		return &bundle{Parley: parleytest.OpenAt(t, database, func(c *app.Config) { c.KeyFile, c.WebhookPauses = file, []time.Duration{} }), made: 100}
	}
	b := open()
	b.define()
	h := newHook(t)
	id, _ := b.calling(h)
	conversation := b.conversation("+12025550190")
	b.Stop()
	require.NoError(t, os.Remove(file))

	b = open()
	b.made = 200
	_, err := b.Schema.Accounts.CreateKey(operator(), true)
	require.NoError(t, err)
	b.Run()
	b.run("amy", id, conversation, nil)
	delivery := b.delivered(id, "FAILED")
	require.Contains(t, delivery.Get("attempts", 0, "problem").String(), "renew")
	const renew = `mutation($i: RenewCrmActionSecretInput!) { renewCrmActionSecret(input: $i) { webhookSecret errors { code message } } }`
	fresh := b.ok(renew, "renewCrmActionSecret", vars{"id": id}).Get("webhookSecret").String()
	b.run("amy", id, conversation, nil)
	b.delivered(id, "DELIVERED")
	require.True(t, verified(t, h.calls()[0], fresh))
}
