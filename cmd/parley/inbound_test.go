package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel/sandbox"
	"parley/internal/check/parleytest"
)

func TestInboundRerunSaysWhatItDid(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	p := parleytest.OpenAt(t, database)
	req, err := sandbox.Compose(sandbox.DemoSecret, p.PublicURL()+"/webhooks/sandbox/demo",
		sandbox.Entry{Type: "message", ID: "e1", From: "+12025550199", To: "+12025550177", Text: "Hello"})
	require.NoError(t, err)
	p.Post(req)
	out, err := command(t, "--database", database, "inbound", "rerun")
	require.NoError(t, err)
	require.Equal(t, "Entries tried: 1. Processed: 0. Still failed: 1.\n", out)
	_, err = command(t, "--database", database, "inbound", "rerun", "--most", "0")
	require.ErrorContains(t, err, "--most")
}
