package message_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// newProgram makes a service account that sends from Sales, with its token.
func newProgram(p *parleytest.Parley) *parleytest.Client {
	p.T.Helper()
	var sales string
	for _, c := range p.Directory.Channels() {
		if c.Address == parleytest.Sales {
			sales = c.ID
		}
	}
	ada := p.As("ada")
	made := ada.Do(`mutation($c: [ID!]!) { createServiceAccount(input: {username: "crm", name: "CRM", channelIds: $c, idempotencyKey: "crm"}) { agent { id } } }`,
		parleytest.Vars{"c": []string{sales}})
	token := ada.Do(`mutation($in: CreateAccessTokenInput!) { createAccessToken(input: $in) { token errors { message } } }`, parleytest.Vars{"in": parleytest.Vars{
		"agentId": made.Get("createServiceAccount", "agent", "id").String(), "name": "t", "scopes": []string{"READ", "SEND"},
		"expiresAt": time.Now().Add(24 * time.Hour).Format(time.RFC3339), "idempotencyKey": "t",
	}})
	return p.With(token.Get("createAccessToken", "token").String())
}

// by is the conversation as another works it.
func (c *thread) by(who *parleytest.Client) *thread { return &thread{who, c.p, c.id, c.key} }

// pump drains every conversation, a quarter of a second after another, until so much time
// has passed.
func pump(all []*thread, left time.Duration) {
	for ; left > 0; left -= 250 * time.Millisecond {
		for _, c := range all {
			c.drain()
		}
		all[0].p.Clock.Advance(250 * time.Millisecond)
	}
}

// However much a program sends on a channel with a limit, an agent's reply waits for little
// of it, and all of it leaves in the end.
func TestRepliesGoBeforeWhatProgramsSend(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	program := newProgram(p)
	c := threads(p, 0, 12)
	c[0].pace(1)
	var bulk []string
	for i, c := range c[:10] {
		bulk = append(bulk, c.by(program).send(fmt.Sprintf("%d #silent", i)))
		c.drain()
	}
	require.Equal(t, []string{"SENT", "QUEUED", "QUEUED"}, []string{c[0].status(bulk[0]), c[1].status(bulk[1]), c[9].status(bulk[9])})
	require.Equal(t, time.Second, c[1].step(), "it has the next turn")
	require.Equal(t, 9*time.Second, c[9].step(), "it rests behind the others")

	elsewhere, behind := c[10].send("elsewhere #silent"), c[9].send("behind what the program sent #silent")
	require.Equal(t, 2*time.Second, c[10].step())
	require.Equal(t, 3*time.Second, c[9].step(), "the reply takes what is before it along")
	require.Equal(t, 3*time.Second, c[9].step(), "one turn")

	pump(c, 6*time.Second)
	require.Equal(t, []string{"SENT", "SENT"}, []string{c[10].status(elsewhere), c[9].status(behind)})
	require.Equal(t, "QUEUED", c[8].status(bulk[8]))
	pump(c, 12*time.Second)
	for i, id := range bulk {
		require.Equal(t, "SENT", c[i].status(id), i)
	}
}

// What programs send finds its way between replies for as long as there is room.
func TestWhatProgramsSendIsNotForgotten(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	program := newProgram(p)
	c := threads(p, 0, 12)
	c[0].pace(2)
	var bulk []string
	for i, c := range c[:10] {
		bulk = append(bulk, c.by(program).send(fmt.Sprintf("%d #silent", i)))
	}
	for i := range 20 { // half of what the channel takes
		c[10].send(fmt.Sprintf("reply %d #silent", i))
		pump(c, time.Second)
	}
	for i, id := range bulk {
		require.Equal(t, "SENT", c[i].status(id), i)
	}
}

// A limit that is taken away frees what rests behind others.
func TestARemovedLimitFreesWhatProgramsSent(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	program := newProgram(p)
	c := threads(p, 0, 6)
	c[0].pace(1)
	var bulk []string
	for i, c := range c {
		bulk = append(bulk, c.by(program).send(fmt.Sprintf("%d #silent", i)))
		c.drain()
	}
	c[0].pace(0)
	require.Equal(t, 5, c[0].repace())
	for i, c := range c {
		c.drain()
		require.Equal(t, "SENT", c.status(bulk[i]))
	}
}
