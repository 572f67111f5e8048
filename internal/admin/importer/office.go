package importer

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/internal/channel"
	"parley/internal/desk/directory"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// mostAgents is how many an organisation has.
const mostAgents = 5_000

// office is the organisation as it is before the import, and what it lacks.
type office struct {
	channels []officeChannel
	agents   map[string]int64         // keys by username
	accounts map[string]officeAccount // by key

	newAgents  []string
	newSenders []senderID
}

type officeChannel struct {
	key              int64
	address, country string
	active           bool
	account          string
}

type officeAccount struct {
	key      int64
	provider string
}

func readOffice(ctx context.Context, db database) (*office, error) {
	o := &office{agents: map[string]int64{}, accounts: map[string]officeAccount{}}
	c, p := entsql.Table("channels"), entsql.Table("provider_accounts").As("p")
	channels := db.sql.Select(c.C("id"), c.C("address"), c.C("country"), c.C("active"), p.C("key")).From(c).Join(p).
		On(c.C("provider_account_id"), p.C("id")).OrderBy(c.C("id"))
	err := db.query(ctx, channels, func(rows *sql.Rows) error {
		var c officeChannel
		err := rows.Scan(&c.key, &c.address, &c.country, &c.active, &c.account)
		o.channels = append(o.channels, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the existing sender IDs: %w", err)
	}
	agents := db.sql.Select("id", "username").From(entsql.Table("agents"))
	err = db.query(ctx, agents, func(rows *sql.Rows) error {
		var key int64
		var username string
		err := rows.Scan(&key, &username)
		o.agents[username] = key
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the existing agents: %w", err)
	}
	accounts := db.sql.Select("id", "key", "provider").From(entsql.Table("provider_accounts"))
	return o, db.query(ctx, accounts, func(rows *sql.Rows) error {
		var a officeAccount
		var key string
		err := rows.Scan(&a.key, &key, &a.provider)
		o.accounts[key] = a
		return err
	})
}

// channel finds the sender ID with an address: of several one of the account named,
// else an active one, else the oldest. It is nil when there is none.
func (o *office) channel(address, account string) *officeChannel {
	var best *officeChannel
	for i := range o.channels {
		c := &o.channels[i]
		if c.address == address && (best == nil || best.account != account && (c.account == account || !best.active && c.active)) {
			best = c
		}
	}
	return best
}

// countries are those of the channels, by address.
func (o *office) countries() map[string]string {
	out := map[string]string{}
	for _, c := range o.channels {
		out[c.address] = c.country
	}
	return out
}

// sourceKey is the key of the account that stands for the source. Messages belong
// to it, with their ids at the source, so that the database lets none in twice.
func (o *Options) sourceKey() string { return "import-" + o.Source }

// need finds out which agents and sender IDs are missing.
func (m *importing) need(ctx context.Context, s *settler) error {
	if account := m.options.Account; account != "" && m.office.accounts[account].key == 0 {
		return fmt.Errorf("there is no provider account with the key %q", account)
	}
	if p := m.office.accounts[m.options.sourceKey()].provider; p != "" && p != channel.NoCarrier {
		return fmt.Errorf("the key %q belongs to a provider account of %s; choose another source name", m.options.sourceKey(), p)
	}
	used := map[string]bool{}
	err := m.staging.each(ctx, func(rows *sql.Rows) error {
		var address string
		err := rows.Scan(&address)
		used[address] = true
		return err
	}, "SELECT DISTINCT channel FROM conversations")
	if err != nil {
		return err
	}
	for _, sender := range s.senders {
		if used[sender.address] && m.office.channel(sender.address, m.options.Account) == nil {
			if sender.country == "" {
				sender.country = s.regionOf(sender)
			}
			m.office.newSenders = append(m.office.newSenders, sender)
			used[sender.address] = false // however many ways there are to write it
		}
	}
	slices.SortFunc(m.office.newSenders, func(a, b senderID) int { return cmp.Compare(a.address, b.address) })
	if err := m.needAgents(ctx); err != nil {
		return err
	}
	if n := len(m.office.channels) + len(m.office.newSenders); n > mostChannels && len(m.office.newSenders) > 0 {
		return fmt.Errorf("with those of the export there would be %d sender IDs; an organisation may have at most %d", n, mostChannels)
	}
	if n := len(m.office.agents) + len(m.office.newAgents); n > mostAgents && len(m.office.newAgents) > 0 {
		return fmt.Errorf("with those of the export there would be %d agents; an organisation may have at most %d", n, mostAgents)
	}
	return nil
}

func (m *importing) needAgents(ctx context.Context) error {
	return m.staging.each(ctx, func(rows *sql.Rows) error {
		var username string
		err := rows.Scan(&username)
		if _, there := m.office.agents[username]; !there {
			m.office.newAgents = append(m.office.newAgents, username)
		}
		if len(m.office.newAgents) > mostAgents {
			return fmt.Errorf("the export names more than %d agents; is Agent the right column?", mostAgents)
		}
		return err
	}, `SELECT username FROM agents WHERE id IN (SELECT m.agent FROM messages m JOIN parties p ON p.id = m.party
		WHERE p.problem IS NULL) ORDER BY username`)
}

// organise makes what is missing, in one change of the directory, and finds the
// keys of all that the messages name.
func (i *Importer) organise(ctx context.Context, m *importing) error {
	_, there := m.office.accounts[m.options.sourceKey()]
	if !there || len(m.office.newAgents)+len(m.office.newSenders) > 0 {
		if err := i.Directory.Change(ctx, m.makeMissing); err != nil {
			return fmt.Errorf("create agents and sender IDs: %w", err)
		}
	}
	if err := i.Directory.Refresh(ctx); err != nil { // an import that was interrupted may have left it behind
		return err
	}
	account := i.Directory.Account(m.options.sourceKey())
	if account == nil {
		return fmt.Errorf("the provider account %s was removed meanwhile; run the import again", m.options.sourceKey())
	}
	m.fresh, m.account = !there, account.ID
	return m.findOffice(ctx, i)
}

func (m *importing) makeMissing(ctx context.Context, tx *store.Tx) error {
	account, err := m.ensureAccount(ctx, tx)
	if err != nil {
		return err
	}
	for _, username := range m.office.newAgents {
		err := tx.Ent.Agent.Create().SetUsername(username).SetName(username).SetRole(viewer.Standard).
			SetLicensed(false).SetCreatedAt(tx.Now).Exec(ctx)
		if err != nil {
			return fmt.Errorf("agent %s: %w", username, err)
		}
	}
	for _, s := range m.office.newSenders {
		err := tx.Ent.Channel.Create().SetProviderAccountID(account).SetType(s.kind).SetName(s.address).SetAddress(s.address).
			SetCountry(s.country).SetActive(false).SetCreatedAt(tx.Now).Exec(ctx)
		if err != nil {
			return fmt.Errorf("sender ID %s: %w", s.address, err)
		}
	}
	return nil
}

// ensureAccount makes the account that stands for the source, and returns the one
// that sender IDs are made in.
func (m *importing) ensureAccount(ctx context.Context, tx *store.Tx) (int64, error) {
	keys := map[string]int64{}
	accounts, err := tx.Ent.ProviderAccount.Query().All(ctx)
	if err != nil {
		return 0, err
	}
	for _, a := range accounts {
		keys[a.Key] = a.ID
	}
	source := m.options.sourceKey()
	if keys[source] == 0 {
		var made *ent.ProviderAccount
		made, err = tx.Ent.ProviderAccount.Create().SetKey(source).SetProvider(channel.NoCarrier).SetName("Imported from " + m.options.Source).
			SetActive(false).SetCreatedAt(tx.Now).Save(ctx)
		if err != nil {
			return 0, err
		}
		keys[source] = made.ID
	}
	if m.options.Account != "" {
		return keys[m.options.Account], nil
	}
	return keys[source], nil
}

// findOffice reads the keys of what the messages name.
func (m *importing) findOffice(ctx context.Context, i *Importer) error {
	after, err := readOffice(ctx, m.database)
	if err != nil {
		return err
	}
	m.agents, m.channels = map[int64]int64{}, map[string]*directory.Channel{}
	err = m.staging.each(ctx, func(rows *sql.Rows) error {
		var id int64
		var username string
		err := rows.Scan(&id, &username)
		m.agents[id] = after.agents[username]
		return err
	}, "SELECT id, username FROM agents")
	if err != nil {
		return err
	}
	return m.staging.each(ctx, func(rows *sql.Rows) error {
		var address string
		if err := rows.Scan(&address); err != nil {
			return err
		}
		c := after.channel(address, m.options.Account)
		if c == nil {
			return fmt.Errorf("the sender ID %s was removed meanwhile; run the import again", address)
		}
		m.channels[address] = i.Directory.Channel(c.key)
		return nil
	}, "SELECT DISTINCT channel FROM conversations")
}
