package directory_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/app"
	"parley/ent"
	"parley/ent/accesstoken"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// administrator changes rows at random, whoever else may be allowed to.
type administrator struct {
	*rapid.T
	*store.Tx
	ctx context.Context
	n   *int // makes names unique
}

func (a administrator) one(kind string, ids func(context.Context) ([]int64, error)) int64 {
	keys, err := ids(a.ctx)
	require.NoError(a, err)
	return rapid.SampledFrom(keys).Draw(a.T, kind)
}

func (a administrator) agent() int64   { return a.one("agent", a.Ent.Agent.Query().IDs) }
func (a administrator) channel() int64 { return a.one("channel", a.Ent.Channel.Query().IDs) }
func (a administrator) queue() int64   { return a.one("queue", a.Ent.Queue.Query().IDs) }
func (a administrator) set() int64     { return a.one("set", a.Ent.PermissionSet.Query().IDs) }
func (a administrator) account() int64 { return a.one("account", a.Ent.ProviderAccount.Query().IDs) }
func (a administrator) is() bool       { return rapid.Bool().Draw(a.T, "is") }

func (a administrator) name() string {
	*a.n++
	return fmt.Sprint("New ", *a.n)
}

func (a administrator) permissions() []viewer.Permission {
	return rapid.SliceOfN(rapid.SampledFrom(viewer.Permissions), 0, 3).Draw(a.T, "permissions")
}

var changes = map[string]func(a administrator) error{
	"create an agent": func(a administrator) error {
		return a.Ent.Agent.Create().SetUsername(a.name()).SetName("New").SetRole(viewer.Supervisor).AddPermissionSetIDs(a.set()).
			AddChannelIDs(a.channel()).AddQueueIDs(a.queue()).SetCreatedAt(a.Now).Exec(a.ctx)
	},
	"change an agent": func(a administrator) error {
		return a.Ent.Agent.UpdateOneID(a.agent()).SetName(a.name()).SetActive(a.is()).SetDefaultChannelID(a.channel()).SetTokensValidFrom(a.Now).Exec(a.ctx)
	},
	"give an agent a set": func(a administrator) error {
		return a.Ent.Agent.UpdateOneID(a.agent()).AddPermissionSetIDs(a.set()).Exec(a.ctx)
	},
	"empty an agent": func(a administrator) error {
		return a.Ent.Agent.UpdateOneID(a.agent()).ClearPermissionSets().ClearQueues().ClearChannels().Exec(a.ctx)
	},
	"rename all agents": func(a administrator) error { return a.Ent.Agent.Update().SetName(a.name()).Exec(a.ctx) },
	"create a set": func(a administrator) error {
		return a.Ent.PermissionSet.Create().SetName(a.name()).SetPermissions(a.permissions()).AddAgentIDs(a.agent()).Exec(a.ctx)
	},
	"change a set": func(a administrator) error {
		return a.Ent.PermissionSet.UpdateOneID(a.set()).SetPermissions(a.permissions()).ClearAgents().Exec(a.ctx)
	},
	"give a set": func(a administrator) error {
		return a.Ent.PermissionSet.UpdateOneID(a.set()).AddAgentIDs(a.agent()).Exec(a.ctx)
	},
	"create a channel": func(a administrator) error {
		return a.Ent.Channel.Create().SetProviderAccountID(a.account()).SetType(channel.Web).SetAddress(a.name()).SetName("Site").
			SetQueueID(a.queue()).AddMemberIDs(a.agent()).SetCreatedAt(a.Now).Exec(a.ctx)
	},
	"move a channel": func(a administrator) error {
		return a.Ent.Channel.UpdateOneID(a.channel()).SetQueueID(a.queue()).SetActive(a.is()).Exec(a.ctx)
	},
	"free a channel": func(a administrator) error {
		return a.Ent.Channel.UpdateOneID(a.channel()).ClearQueue().ClearMembers().SetName(a.name()).Exec(a.ctx)
	},
	"join a channel": func(a administrator) error {
		return a.Ent.Channel.UpdateOneID(a.channel()).AddMemberIDs(a.agent()).Exec(a.ctx)
	},
	"create a queue": func(a administrator) error {
		return a.Ent.Queue.Create().SetName(a.name()).AddMemberIDs(a.agent()).AddChannelIDs(a.channel()).Exec(a.ctx)
	},
	"empty a queue": func(a administrator) error {
		return a.Ent.Queue.UpdateOneID(a.queue()).ClearMembers().SetName(a.name()).Exec(a.ctx)
	},
	"change an account": func(a administrator) error {
		return a.Ent.ProviderAccount.UpdateOneID(a.account()).SetActive(a.is()).SetName(a.name()).Exec(a.ctx)
	},
	"change the organisation": func(a administrator) error {
		return a.Ent.Organization.UpdateOneID(1).SetName(a.name()).SetCountry("DE").SetTimeZone("Europe/Berlin").Exec(a.ctx)
	},
	"create a token": func(a administrator) error {
		return a.Ent.AccessToken.Create().SetAgentID(a.agent()).SetName("T").SetHash(fmt.Appendf(nil, "%32s", a.name())).SetScopes([]viewer.Scope{viewer.Read}).
			SetExpiresAt(a.Now + 1).SetIssuedAt(a.Now).SetCreatedAt(a.Now).Exec(a.ctx)
	},
	"revoke an agent's tokens": func(a administrator) error {
		_, err := a.Ent.AccessToken.Delete().Where(accesstoken.AgentID(a.agent())).Exec(a.ctx)
		return err
	},
	"revoke a token": func(a administrator) error {
		token, err := a.Ent.AccessToken.Query().First(a.ctx)
		if ent.IsNotFound(err) {
			return nil
		}
		return a.Ent.AccessToken.DeleteOne(token).Exec(a.ctx)
	},
	"retire a signing key": func(a administrator) error {
		return a.Ent.SigningKey.Create().SetKid(a.name()).SetRetiredAt(a.Now).SetCreatedAt(a.Now).Exec(a.ctx)
	},
}

// Whatever is administered: reading the rows that a change names leaves the directory as
// reading everything would, at the process that changed them and at one that reads of it in the log.
func TestReadingWhatChangedEqualsReadingEverything(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here, there := parleytest.OpenAt(t, database).Run(), parleytest.OpenAt(t, database)
	fresh := parleytest.OpenAt(t, database)
	names, partly := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		before := here.Hub.Position()
		some := rapid.SliceOfN(rapid.SampledFrom(keysOf(changes)), 1, 3).Draw(r, "changes")
		err := here.Directory.Change(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			for _, what := range some {
				if err := changes[what](administrator{r, tx, ctx, &names}); err != nil {
					return err
				}
			}
			return nil
		})
		if ent.IsConstraintError(err) { // they are a member already
			return
		}
		require.NoError(r, err, some)
		stream := here.Hub.Follow(before, nil, ofDirectory)
		defer stream.Close()
		e, err := stream.Next(t.Context())
		require.NoError(r, err)
		if e.Rows != nil {
			partly++
		}
		there.Directory.Observe(t.Context(), e.Event)
		require.NoError(r, fresh.Directory.Refresh(t.Context()))
		require.True(r, directory.Same(here.Directory, fresh.Directory), "here, after %v", some)
		require.True(r, directory.Same(there.Directory, fresh.Directory), "there, after %v", some)
		require.NoError(r, here.Hub.Await(t.Context(), e.Position))
	})
	require.NotZero(t, partly)
}

func keysOf(changes map[string]func(administrator) error) []string {
	return slices.Sorted(maps.Keys(changes))
}

// An event of a newer version may name what this one does not know, and one of an older
// version names nothing: then everything is read.
func TestAnUnknownRowHasEverythingRead(t *testing.T) {
	t.Parallel()
	for _, rows := range [][]feed.Row{nil, {{Type: "Team", Key: 1}}, {{Type: ent.TypeAgent, Key: 1}, {Type: "Team", Key: 1}}} {
		database := parleytest.Database(t)
		here, there := parleytest.OpenAt(t, database), parleytest.OpenAt(t, database)
		require.NoError(t, rename(here, "bo", "Bo Newname"))
		there.Directory.Observe(t.Context(), &feed.Event{Cause: feed.DirectoryChanged, Rows: rows})
		require.Equal(t, "Bo Newname", there.Directory.AgentNamed("bo").Name, rows)
	}
}

// A change costs other processes the statements of its rows, however large the
// organisation is.
func TestAChangeCostsTheStatementsOfItsRows(t *testing.T) {
	t.Parallel()
	var statements atomic.Int64
	p := parleytest.New(t, func(c *app.Config) {
		c.Trace = func(context.Context, string) func(error) {
			statements.Add(1)
			return func(error) {}
		}
	})
	amy, direct := p.Directory.AgentNamed("amy").Key, p.Directory.Channels()[0].Key
	for _, c := range []struct {
		rows  []feed.Row
		costs int64
	}{
		{[]feed.Row{{Type: ent.TypeAgent, Key: amy}}, 4},
		{[]feed.Row{{Type: ent.TypeChannel, Key: direct}}, 2},
		{[]feed.Row{{Type: ent.TypeOrganization, Key: 1}}, 1},
		{nil, 13},
	} {
		before := statements.Load()
		p.Directory.Observe(t.Context(), &feed.Event{Cause: feed.DirectoryChanged, Rows: c.rows})
		require.Equal(t, c.costs, statements.Load()-before, c.rows)
	}
}
