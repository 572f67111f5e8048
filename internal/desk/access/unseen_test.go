package access_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/organization"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// backdate has an issuer's agents seen for the last time some days ago.
func backdate(p *parleytest.Parley, days int) {
	at := p.Schema.Access.Clock.Now().Add(-time.Duration(days) * 24 * time.Hour)
	require.NoError(p.T, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Identity.Update().SetLastSeenAt(at).SetCountsFrom(at).Exec(ctx)
	}))
}

func TestWhoWasUnseenForLongIsDeactivated(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := parleytest.New(t, i.configure).Run()
	for username, group := range map[string]string{"lea": "desk", "adi": "desk-admins", "rob": "desk"} {
		require.Empty(t, p.With(i.bearer(username, group)).Raw(me, nil).Codes())
	}
	rows := func() int {
		return len(parleytest.Rows(t, p.Store, "SELECT id FROM identities WHERE last_seen_at > 0"))
	}
	p.Eventually(func() bool { return rows() == 3 }, "the sign-ins are recorded")
	jobs := p.Schema.Access
	active := func(username string) bool { return p.Directory.AgentNamed(username).IsActive }
	backdate(p, 29)
	require.NoError(t, jobs.DeactivateUnseen(t.Context()))
	require.True(t, active("lea"), "not yet")
	backdate(p, 31)
	require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Identity.Create().SetIssuer("https://other.test").SetSubject("rob").SetAgentID(p.Directory.AgentNamed("rob").Key).
			SetCountsFrom(jobs.Clock.Now()).Exec(ctx)
	}))
	require.NoError(t, jobs.DeactivateUnseen(t.Context()))
	require.False(t, active("lea"))
	require.False(t, active("adi"), "another administrator is there")
	require.True(t, active("rob"), "another issuer has seen rob")
	require.True(t, active("amy"), "no issuer knows amy")
	require.Contains(t, entries(p)[len(entries(p))-1], "unseen for 30 days")

	_, err := p.Schema.Staff.Activate(p.System(), p.Directory.AgentNamed("lea").ID)
	require.NoError(t, err)
	require.NoError(t, jobs.DeactivateUnseen(t.Context()))
	require.True(t, active("lea"), "whoever comes back is counted from then")

	for _, a := range p.Directory.Agents() {
		if a.IsActive && a.Username != "adi" && a.Username != "lea" {
			_, _, _ = p.Schema.Staff.Deactivate(p.System(), a.ID) // not the last administrator
		}
	}
	_, err = p.Schema.Staff.Activate(p.System(), p.Directory.AgentNamed("adi").ID)
	require.NoError(t, err)
	_, _, err = p.Schema.Staff.Deactivate(p.System(), p.Directory.AgentNamed("ada").ID)
	require.NoError(t, err)
	backdate(p, 31)
	require.NoError(t, jobs.DeactivateUnseen(t.Context()))
	require.True(t, active("adi"), "the last administrator stays")
	require.False(t, active("lea"), "and keeps nobody else")
}

// Days are whole, and the organisation's.
func TestUnseenDaysAreTheOrganisations(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := parleytest.New(t, i.configure)
	zone := "Pacific/Kiritimati" // 14 hours ahead
	_, err := p.Schema.Organization.Update(p.System(), organization.UpdateInput{TimeZone: &zone})
	require.NoError(t, err)
	p.Schema.Access.Clock = clock.NewFake(time.Date(2026, 11, 28, 11, 0, 0, 0, time.UTC)) // the 29th there
	seen := map[string]time.Time{
		"amy": time.Date(2026, 10, 29, 9, 59, 0, 0, time.UTC), // the last minute of 29 October there
		"bo":  time.Date(2026, 10, 29, 10, 0, 0, 0, time.UTC), // the first of the 30th
	}
	require.NoError(t, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		for username, at := range seen {
			err := tx.Ent.Identity.Create().SetIssuer(outside).SetSubject(username).SetAgentID(p.Directory.AgentNamed(username).Key).
				SetLastSeenAt(clock.Of(at)).SetCountsFrom(clock.Of(at)).Exec(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	}))
	require.NoError(t, p.Schema.Access.DeactivateUnseen(t.Context()))
	require.False(t, p.Directory.AgentNamed("amy").IsActive)
	require.True(t, p.Directory.AgentNamed("bo").IsActive)
}
