package directory_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/ent"
	"parley/ent/agent"
	entchannel "parley/ent/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

func rename(p *parleytest.Parley, username, name string) error {
	return p.Directory.Change(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Agent.Update().Where(agent.Username(username)).SetName(name).Exec(ctx)
	})
}

func TestAChangeIsSeenWhenItReturns(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	require.NoError(t, rename(p, "amy", "Amy Newname"))
	require.Equal(t, "Amy Newname", p.Directory.AgentNamed("amy").Name)
	require.Equal(t, p.Directory.AgentNamed("amy"), p.Directory.Agent(p.Directory.AgentNamed("amy").Key))
}

// A slow reader of the directory never puts an old state over a newer one.
func TestTheLastChangeStaysWhoeverReadsWhen(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 20 {
				p.Directory.Observe(context.Background(), &feed.Event{Cause: feed.DirectoryChanged})
			}
		})
	}
	for i := range 20 {
		name := fmt.Sprint("Amy ", i)
		require.NoError(t, rename(p, "amy", name))
		require.Equal(t, name, p.Directory.AgentNamed("amy").Name)
	}
	readers.Wait()
	require.Equal(t, "Amy 19", p.Directory.AgentNamed("amy").Name)
}

func TestAnotherProcessLearnsOfAChange(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here, there := parleytest.OpenAt(t, database), parleytest.OpenAt(t, database)
	require.NoError(t, rename(here, "bo", "Bo Newname"))
	there.Directory.Observe(t.Context(), &feed.Event{Cause: feed.MessageAdded})
	require.Equal(t, "Bo Berg", there.Directory.AgentNamed("bo").Name, "no other event says that it is stale")
	there.Directory.Observe(t.Context(), &feed.Event{Cause: feed.DirectoryChanged})
	require.Equal(t, "Bo Newname", there.Directory.AgentNamed("bo").Name)
}

func TestObservingEndsWithItsContextWhenTheDatabaseIsGone(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.Directory.Observe(ctx, &feed.Event{Cause: feed.DirectoryChanged})
	require.NotNil(t, p.Directory.AgentNamed("amy"), "the old state stays")
}

func TestAViewerOfNowHasTheRightsOfNowAndTheScopesOfTheToken(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	amy, err := p.Directory.Viewer("amy")
	require.NoError(t, err)
	scoped := amy.Narrowed([]viewer.Scope{viewer.Read})
	change := func(do func(u *ent.AgentUpdate)) {
		require.NoError(t, p.Directory.Change(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			u := tx.Ent.Agent.Update().Where(agent.Username("amy"))
			do(u)
			return u.Exec(ctx)
		}))
	}
	change(func(u *ent.AgentUpdate) { u.SetRole(viewer.Admin) })
	require.True(t, p.Directory.Now(amy).Can(viewer.ViewAllData))
	require.True(t, p.Directory.Now(scoped).Can(viewer.ViewAllData))
	require.False(t, p.Directory.Now(scoped).Allows(viewer.Send))
	change(func(u *ent.AgentUpdate) { u.SetActive(false) })
	for _, v := range []*viewer.Viewer{amy, scoped} {
		gone := p.Directory.Now(v)
		require.False(t, gone.Can(viewer.MessagingAgent))
		require.False(t, gone.Allows(viewer.Read))
		require.Empty(t, gone.Channels)
	}
	system := viewer.FromContext(viewer.AsSystem(t.Context(), "test"))
	require.Equal(t, system, p.Directory.Now(system))
	require.Nil(t, p.Directory.Now(nil))
}

func TestPermissionsAreTheRolesAndTheSets(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	for username, may := range map[string]bool{"amy": true, "bo": false, "sue": true, "ada": true} {
		v, err := p.Directory.Viewer(username)
		require.NoError(t, err)
		require.Equal(t, may, v.Can(viewer.AssignConversation), username)
		require.IsIncreasing(t, v.Permissions, "each once")
	}
}

func TestAnAgentWhoIsSwitchedOffIsNobody(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	require.NotZero(t, p.Directory.AgentNamed("amy").Key)
	sales := func() int {
		for _, c := range p.Directory.Channels() {
			if c.Address == parleytest.Sales {
				return int(c.SoleOwner())
			}
		}
		return -1
	}
	require.Zero(t, sales(), "amy and bo share it")
	require.NoError(t, p.Directory.Change(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Agent.Update().Where(agent.Username("amy")).SetActive(false).Exec(ctx)
	}))
	_, err := p.Directory.Viewer("amy")
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(err))
	_, err = p.Directory.Viewer("nobody")
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(err))
	require.Equal(t, int(p.Directory.AgentNamed("bo").Key), sales(), "the one who is left owns it")
}

// A process that has not heard of a change yet finds a new channel all the same:
// messages of its conversations may already be there.
func TestAnotherProcessesNewChannelIsFoundAtOnce(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here, there := parleytest.OpenAt(t, database), parleytest.OpenAt(t, database)
	account := here.Directory.Account("demo")
	var key int64
	require.NoError(t, there.Directory.Change(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		c, err := tx.Ent.Channel.Create().SetProviderAccountID(account.ID).SetType("SMS_LONG_CODE").
			SetName("New").SetAddress("+12025550177").SetCreatedAt(tx.Now).Save(ctx)
		if err == nil {
			key = c.ID
		}
		return err
	}))
	require.Equal(t, "New", here.Directory.Channel(key).Name)
	require.Equal(t, key, here.Directory.ChannelAt(account.ID, "+12025550177").Key)
	require.Nil(t, here.Directory.Channel(key+1))
}

// What SQL changes has no event: it is found by reading again, and told to streams.
func TestWhatNobodyToldIsFound(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	bo, before := p.Directory.AgentNamed("bo").Key, p.Hub.Position()
	require.NoError(t, p.Directory.Reread(t.Context()))
	require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, tx.Builder().Update("agents").Set("active", false).Where(entsql.EQ("username", "bo")))
		return err
	}))
	_, err := p.Directory.Viewer("bo")
	require.NoError(t, err, "nobody knows yet")
	stream := p.Hub.Follow(before, nil, ofDirectory)
	defer stream.Close()
	require.NoError(t, p.Directory.Reread(t.Context()))
	_, err = p.Directory.Viewer("bo")
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(err))
	e, err := stream.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int64{bo}, e.Agents)
}

// The event of a change names the agents whose rights it moved, and no other.
func TestAChangeNamesWhoseRightsItMoved(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	bo, sue := p.Directory.AgentNamed("bo").Key, p.Directory.AgentNamed("sue").Key
	for _, c := range []struct {
		what  string
		fn    func(ctx context.Context, tx *store.Tx) error
		moved []int64
	}{
		{"a name", func(ctx context.Context, tx *store.Tx) error {
			return tx.Ent.Agent.Update().SetName("All alike").Exec(ctx)
		}, nil},
		{"a role", func(ctx context.Context, tx *store.Tx) error {
			return tx.Ent.Agent.Update().Where(agent.Username("bo")).SetRole(viewer.Supervisor).Exec(ctx)
		}, []int64{bo}},
		{"a channel's members", func(ctx context.Context, tx *store.Tx) error {
			return tx.Ent.Channel.Update().Where(entchannel.Address(parleytest.Support)).RemoveMemberIDs(sue).Exec(ctx)
		}, []int64{sue}},
		{"an agent switched off", func(ctx context.Context, tx *store.Tx) error {
			return tx.Ent.Agent.Update().Where(agent.Username("bo")).SetActive(false).Exec(ctx)
		}, []int64{bo}},
		{"and on", func(ctx context.Context, tx *store.Tx) error {
			return tx.Ent.Agent.Update().Where(agent.Username("bo")).SetActive(true).Exec(ctx)
		}, []int64{bo}},
	} {
		before := p.Hub.Position()
		require.NoError(t, p.Directory.Change(t.Context(), c.fn))
		stream := p.Hub.Follow(before, nil, ofDirectory)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		e, err := stream.Next(ctx)
		cancel()
		stream.Close()
		require.NoError(t, err, c.what)
		for _, a := range p.Directory.Agents() {
			require.Equal(t, slices.Contains(c.moved, a.Key), e.MayMoveRights(a.Key), "%s of %s", c.what, a.Username)
		}
		require.NoError(t, p.Hub.Await(t.Context(), e.Position))
	}
	require.True(t, (&feed.Event{Cause: feed.DirectoryChanged}).MayMoveRights(bo), "one that does not say may be anybody's")
}

func ofDirectory(e *feed.Event) bool { return e.Cause == feed.DirectoryChanged }

// Two processes each take one of the two sets by which bo has a permission:
// together they move bo's rights, though neither does alone.
func TestTwoChangesAtOnceNameWhomTheyMoveTogether(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	here, there := parleytest.OpenAt(t, database), parleytest.OpenAt(t, database)
	bo := here.Directory.AgentNamed("bo").Key
	var sets [2]int64
	require.NoError(t, here.Directory.Change(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for i := range sets {
			set, err := tx.Ent.PermissionSet.Create().SetName(fmt.Sprint("Set ", i)).
				SetPermissions([]viewer.Permission{viewer.ViewAllData}).AddAgentIDs(bo).Save(ctx)
			if err != nil {
				return err
			}
			sets[i] = set.ID
		}
		return nil
	}))
	head, err := here.Store.Head(t.Context())
	require.NoError(t, err)

	together := holdTail(t, database)
	var changes sync.WaitGroup
	for i, p := range []*parleytest.Parley{here, there} {
		changes.Go(func() {
			assert.NoError(t, p.Directory.Change(context.WithoutCancel(t.Context()), func(ctx context.Context, tx *store.Tx) error {
				return tx.Ent.PermissionSet.UpdateOneID(sets[i]).RemoveAgentIDs(bo).Exec(ctx)
			}))
		})
	}
	together()
	changes.Wait()

	here.Run()
	require.NoError(t, here.Hub.Await(t.Context(), head+4)) // each change is also an entry of the audit
	stream := here.Hub.Follow(head, nil, ofDirectory)
	defer stream.Close()
	first, err := stream.Next(t.Context())
	require.NoError(t, err)
	second, err := stream.Next(t.Context())
	require.NoError(t, err)
	require.False(t, first.MayMoveRights(bo), "bo has it by the other set")
	require.True(t, second.MayMoveRights(bo))
}

// holdTail keeps writers from committing until the returned function has seen two
// of them wait. SQLite has one writer, who waits for nobody.
func holdTail(t *testing.T, database string) (release func()) {
	t.Helper()
	if !parleytest.OnPostgres() {
		return func() {}
	}
	db, err := sql.Open("pgx", database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	tail, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tail.ExecContext(t.Context(), "UPDATE log_heads SET position = position")
	require.NoError(t, err)
	return func() {
		require.Eventually(t, func() bool {
			var waiting int
			err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting)
			return err == nil && waiting == 2
		}, 10*time.Second, 5*time.Millisecond, "two changes wait")
		require.NoError(t, tail.Rollback())
	}
}
