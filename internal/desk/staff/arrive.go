package staff

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"parley/ent"
	"parley/ent/agent"
	"parley/ent/identity"
	"parley/ent/permissionset"
	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
	"parley/internal/ground/viewer"
)

// Newcomer is somebody whom an outside issuer signs in for the first time, with what the
// operator's rules make of them.
type Newcomer struct {
	Issuer, Subject string
	Username        string
	Name            string // the username's where it is no name
	TimeZone        string // the organisation's where it is none
	Locale          string // likewise
	Role            viewer.Role
	IsLicensed      bool
	PermissionSets  []string // names
}

// Arrive makes an agent of a newcomer, unless there is one of that username by now,
// active or not. Whoever cannot be made one is UNAUTHENTICATED.
func (s *Service) Arrive(ctx context.Context, n Newcomer) error {
	if err := checkUsername("username", n.Username); err != nil {
		return unwelcome("The username that the issuer states cannot be used.", err)
	}
	ctx = viewer.AsSystem(ctx, "issuer "+n.Issuer)
	var made int64
	err := s.Directory.Apply(ctx, directory.Edit{
		Do: func(ctx context.Context, tx *store.Tx) (created bool, err error) {
			made, err = s.arrive(ctx, tx, &n)
			return made != 0, err
		},
		Allow: func(_, after directory.Rights) error {
			if n.Role != viewer.Admin && rule.Administers(after[made]) {
				return unwelcome("A permission set of the issuer's rules gives CONFIGURE_MESSAGING, which they give by the role ADMIN only.", nil)
			}
			return nil
		},
	})
	if err == nil && made == 0 {
		err = s.Directory.Refresh(ctx) // another process made the agent
	}
	return err
}

// arrive returns the key of the new agent; 0 when there is one already.
func (s *Service) arrive(ctx context.Context, tx *store.Tx, n *Newcomer) (int64, error) {
	if there, err := tx.Ent.Agent.Query().Where(agent.Username(n.Username)).Exist(ctx); there || err != nil {
		return 0, err
	}
	if err := strangerTo(ctx, tx, n); err != nil {
		return 0, err
	}
	if err := vacant(ctx, tx, n.Username); err != nil {
		return 0, unwelcome("No agent can be made of this person.", err)
	}
	sets, err := setsNamed(ctx, tx, n.PermissionSets)
	if err != nil {
		return 0, err
	}
	zone, locale := n.settings(s.Directory.Organization())
	row, err := tx.Ent.Agent.Create().SetUsername(n.Username).SetName(n.displayName()).SetRole(n.Role).SetLicensed(n.IsLicensed).
		SetTimeZone(zone).SetLocale(locale).AddPermissionSetIDs(sets...).SetCreatedAt(tx.Now).Save(ctx)
	if err != nil {
		return 0, err
	}
	return row.ID, tx.Ent.Identity.Create().SetIssuer(n.Issuer).SetSubject(n.Subject).SetAgentID(row.ID).SetCountsFrom(tx.Now).Exec(ctx)
}

// strangerTo refuses whom the issuer has signed in as another agent: the name has changed
// there, and a second agent would split a person's work.
func strangerTo(ctx context.Context, tx *store.Tx, n *Newcomer) error {
	known, err := tx.Ent.Identity.Query().Where(identity.Issuer(n.Issuer), identity.Subject(n.Subject)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	row, err := tx.Ent.Agent.Get(ctx, known.AgentID)
	if err != nil {
		return err
	}
	return unwelcome("The issuer names this person differently than before: the agent's username is "+row.Username+".", nil)
}

// setsNamed are the keys of permission sets; one that is missing is not passed over.
func setsNamed(ctx context.Context, tx *store.Tx, names []string) (keys []int64, err error) {
	sets, err := tx.Ent.PermissionSet.Query().Where(permissionset.NameIn(names...)).All(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]int64{}
	for _, set := range sets {
		found[set.Name] = set.ID
	}
	for _, name := range names {
		key, is := found[name]
		if !is {
			return nil, unwelcome("The issuer's rules name a permission set that does not exist: "+name+".", nil)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// displayName is what the issuer calls the person, made fit and cut.
func (n *Newcomer) displayName() string {
	runes := []rune(strings.ToValidUTF8(n.Name, ""))
	name, err := administration.CleanName("name", string(runes[:min(len(runes), administration.MostName)]))
	if err != nil {
		return n.Username
	}
	return name
}

// settings are the time zone and the locale, the organisation's where they are none.
func (n *Newcomer) settings(o *directory.Organization) (zone, locale string) {
	if settings := (Settings{TimeZone: &n.TimeZone}); settings.check() == nil {
		zone = n.TimeZone
	}
	if settings := (Settings{Locale: &n.Locale}); settings.check() == nil {
		locale = *settings.Locale
	}
	if o.Locale != nil {
		locale = cmp.Or(locale, *o.Locale)
	}
	return cmp.Or(zone, o.TimeZone), locale
}

// lastSeen is when an outside issuer last signed an agent in; nil for never. Whoever asks
// has been found to be an administrator.
func (s *Service) lastSeen(ctx context.Context, key int64) (*clock.Time, error) {
	last, err := s.Store.Ent.Identity.Query().Where(identity.AgentID(key)).Order(ent.Desc(identity.FieldLastSeenAt)).First(viewer.AsSystem(ctx, "staff"))
	if err == nil {
		return table.Optional(last.LastSeenAt), nil
	}
	return nil, ent.MaskNotFound(err)
}

// unwelcome refuses a sign-in, and says why to whoever reads the audit.
func unwelcome(what string, err error) error {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		what += " " + f.Message
	case err != nil:
		return err
	}
	return fault.New(fault.Unauthenticated, "%s", what+" Ask an administrator.")
}
