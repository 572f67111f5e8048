package directory

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"

	"parley/ent"
	"parley/internal/ground/number"
	"parley/internal/ground/publicid"
)

// snapshot is the directory at one moment. It is never changed.
type snapshot struct {
	organization *Organization
	agents       map[int64]*Agent
	byUsername   map[string]*Agent
	agentList    []*Agent
	channels     map[int64]*Channel
	byAddress    map[address]*Channel
	chanList     []*Channel
	accounts     map[string]*Account
	queues       map[int64]*Queue
	queueList    []*Queue
	access       access
	objects      objects
	actions      actions
	linking      linking
}

type address struct {
	account int64
	address string
}

// snapshot makes a snapshot of rows.
func (d *Directory) snapshot(rs *rows) *snapshot {
	o := rs.organization
	s := &snapshot{
		organization: organizationOf(o),
		agents:       make(map[int64]*Agent, len(rs.agents)), byUsername: make(map[string]*Agent, len(rs.agents)), accounts: map[string]*Account{},
		channels: make(map[int64]*Channel, len(rs.channels)), byAddress: make(map[address]*Channel, len(rs.channels)), queues: map[int64]*Queue{},
		access: access{grants: map[[sha256.Size]byte]*Grant{}},
	}
	for _, a := range rs.accounts {
		s.accounts[a.Key] = a
	}
	for _, q := range rs.queues {
		s.queues[q.ID] = &Queue{Key: q.ID, ID: d.ids.Encode(publicid.Queue, q.ID), Name: q.Name}
		s.queueList = append(s.queueList, s.queues[q.ID])
	}
	for _, c := range rs.channels {
		if account := rs.accounts[c.ProviderAccountID]; account != nil {
			s.addChannel(d.ids, c, account)
		}
	}
	records := newProfiles()
	for _, a := range rs.agents {
		s.addAgent(d.ids, rs, a, records.of(rs.setsOf(a.ID)))
	}
	s.addAccess(rs)
	s.addObjects(d.ids, rs)
	s.addActions(d.ids, rs)
	s.addLinking(d.ids, rs)
	s.sort()
	return s
}

func (s *snapshot) addChannel(ids *publicid.Codec, row *ent.Channel, account *Account) {
	c := &Channel{
		Key: row.ID, ID: ids.Encode(publicid.Channel, row.ID), Name: row.Name, Type: row.Type.Known(), Address: row.Address,
		Country: row.Country, IsActive: row.Active, Required: row.RequiredConsent, Account: account,
		ownCountry: row.Country, developerName: row.DeveloperName, ownLimits: row.SendLimits, responses: row.AutoResponses,
	}
	if c.Country == "" {
		c.Country = cmp.Or(number.Country(c.Address), s.organization.country)
	}
	if row.QueueID != nil {
		c.Queue = *row.QueueID
		if q := s.queues[c.Queue]; q != nil {
			q.channels = append(q.channels, c)
		}
	}
	s.channels[c.Key] = c
	s.byAddress[address{account.ID, c.Address}] = c
	s.chanList = append(s.chanList, c)
}

func (s *snapshot) addAgent(ids *publicid.Codec, rs *rows, row *ent.Agent, records profile) {
	a := &Agent{
		Key: row.ID, ID: ids.Encode(publicid.Agent, row.ID), Username: row.Username, Name: row.Name,
		Role: row.Role.Known(), IsLicensed: row.Licensed, IsActive: row.Active, Kind: row.Kind.Known(),
		rights: rs.rights(row, records), records: records.rights, validFrom: row.TokensValidFrom, signedOut: row.SignedOutAt, timeZone: row.TimeZone, locale: row.Locale,
		sets: rs.having[row.ID],
	}
	if key := row.DefaultChannelID; key != nil && a.rights.HasChannel(*key) {
		if c := s.channels[*key]; c != nil && c.IsActive {
			a.defaultChannel = c
		}
	}
	if a.IsActive {
		s.addMember(a)
	}
	s.agents[a.Key], s.byUsername[a.Username] = a, a
	s.agentList = append(s.agentList, a)
}

func (s *snapshot) addMember(a *Agent) {
	for _, key := range a.rights.Channels {
		if c := s.channels[key]; c != nil {
			c.members = append(c.members, a)
		}
	}
	for _, key := range a.rights.Queues {
		if q := s.queues[key]; q != nil {
			q.members = append(q.members, a)
		}
	}
}

// sort puts everything that is listed in the order of names.
func (s *snapshot) sort() {
	agents := func(a, b *Agent) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) }
	channels := func(a, b *Channel) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) }
	slices.SortFunc(s.agentList, agents)
	slices.SortFunc(s.chanList, channels)
	slices.SortFunc(s.queueList, func(a, b *Queue) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) })
	for _, c := range s.chanList {
		slices.SortFunc(c.members, agents)
	}
	for _, q := range s.queueList {
		slices.SortFunc(q.members, agents)
		slices.SortFunc(q.channels, channels)
	}
}
