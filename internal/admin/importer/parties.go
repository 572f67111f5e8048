package importer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"parley/internal/channel"
	"parley/internal/desk/conversation"
	"parley/internal/ground/number"
)

// senderID is a channel as the export names it.
type senderID struct {
	written string
	address string // E.164, or a short code's digits
	country string // two letters; empty for a short code
	kind    channel.Type
	problem string
}

// readSender reads a sender ID: a number, national ones in the region, or a short
// code.
func readSender(written, region string) senderID {
	s := senderID{written: written}
	n, err := number.Read(written, region, number.Person)
	switch short := number.Bare(written); {
	case err == nil:
		s.address, s.country, s.kind = n.E164, n.Country, channel.SMSLongCode
	case len(short) >= 3 && len(short) <= 8 && strings.Trim(short, "0123456789") == "":
		s.address, s.kind = short, channel.SMSShortCode
	default:
		s.problem = fmt.Sprintf("the sender ID %q is neither a number nor a short code", channel.Cut(written, mostStatus))
	}
	if parsed, err := phonenumbers.Parse(s.address, ""); err == nil && phonenumbers.GetNumberType(parsed) == phonenumbers.TOLL_FREE {
		s.kind = channel.SMSTollFree
	}
	return s
}

// settler finds who is meant by the numbers and sender IDs of the staging, and so
// which rows make one conversation.
type settler struct {
	staging *staging
	region  string            // that the caller names; empty for each sender ID's own
	known   map[string]string // countries of the channels that are there, by address

	senders map[string]senderID // by what is written
	common  string              // the country of all that have one, empty when there are several
}

// settle does it. Afterwards a party has a conversation or a problem.
func (s *settler) settle(ctx context.Context) error {
	for _, statement := range []string{
		"CREATE INDEX messages_by_party ON messages (party, side)",
		"DELETE FROM parties WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.party = parties.id)", // of refused rows alone
	} {
		if _, err := s.staging.tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := s.readSenders(ctx); err != nil {
		return err
	}
	if err := s.readParties(ctx); err != nil {
		return err
	}
	for _, statement := range []string{
		`INSERT INTO refused (file, line, source, reason) SELECT m.side, m.line, m.source, p.problem
			FROM messages m JOIN parties p ON p.id = m.party WHERE p.problem IS NOT NULL`,
		"CREATE INDEX parties_by_conversation ON parties (conversation) WHERE conversation IS NOT NULL",
		`UPDATE conversations SET inbound_only = NOT EXISTS (SELECT 1 FROM parties p CROSS JOIN messages m ON m.party = p.id
			WHERE p.conversation = conversations.id AND m.side = 0)`,
	} {
		if _, err := s.staging.tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// mostChannels is how many an organisation has (DOMAIN: Channels).
const mostChannels = 2_000

func (s *settler) readSenders(ctx context.Context) error {
	s.senders = map[string]senderID{}
	countries := map[string]bool{}
	err := s.staging.each(ctx, func(rows *sql.Rows) error {
		var written string
		if err := rows.Scan(&written); err != nil {
			return err
		}
		sender := readSender(written, s.region)
		if known := s.known[sender.address]; known != "" {
			sender.country = known
		}
		if s.senders[written] = sender; len(s.senders) > mostChannels {
			return fmt.Errorf("the export names more than %d sender IDs, the maximum for an organisation; is SenderId the right column?", mostChannels)
		}
		countries[sender.country] = true
		return nil
	}, "SELECT DISTINCT sender FROM parties")
	for _, country := range s.known {
		countries[country] = true
	}
	delete(countries, "")
	for country := range countries {
		if s.common = country; len(countries) > 1 {
			s.common = ""
		}
	}
	return err
}

// regionOf is where a sender ID's national numbers are read: in the region that was
// asked for, else in the sender ID's country, else in the one that all others are of.
func (s *settler) regionOf(sender senderID) string {
	for _, region := range []string{s.region, sender.country} {
		if region != "" {
			return region
		}
	}
	return s.common
}

type writtenParty struct {
	id int64
	party
}

// readParties goes through the parties, some thousand at a time.
func (s *settler) readParties(ctx context.Context) error {
	const most = 5_000
	last := int64(0)
	for {
		var part []writtenParty
		err := s.staging.each(ctx, func(rows *sql.Rows) error {
			var p writtenParty
			err := rows.Scan(&p.id, &p.sender, &p.written)
			part = append(part, p)
			return err
		}, "SELECT id, sender, written FROM parties WHERE id > ? ORDER BY id LIMIT ?", last, most)
		if err != nil || len(part) == 0 {
			return err
		}
		for _, p := range part {
			if err := s.settleOne(ctx, p); err != nil {
				return err
			}
		}
		last = part[len(part)-1].id
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func (s *settler) settleOne(ctx context.Context, p writtenParty) error {
	sender := s.senders[p.sender]
	problem := sender.problem
	var customer conversation.Customer
	if problem == "" {
		var err error
		if customer, problem, err = s.customer(ctx, p, s.regionOf(sender)); err != nil {
			return err
		}
	}
	if problem != "" {
		_, err := s.staging.exec(ctx, "UPDATE parties SET problem = ? WHERE id = ?", problem, p.id)
		return err
	}
	var key int64
	err := s.staging.one(ctx, []any{&key}, `INSERT INTO conversations (channel, address, country) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET country = excluded.country RETURNING id`, sender.address, customer.Address, customer.Country)
	if err != nil {
		return err
	}
	_, err = s.staging.exec(ctx, "UPDATE parties SET conversation = ? WHERE id = ?", key, p.id)
	return err
}

// blanks are words that exports put where there is no number. None is a sender's name.
var blanks = map[string]bool{
	"unknown": true, "null": true, "nil": true, "none": true, "undefined": true, "nan": true, "n/a": true, "na": true,
	"anonymous": true, "private": true, "restricted": true, "withheld": true, "unavailable": true, "blocked": true,
}

// customer reads who a party is. The short code or name of a sender is one that
// wrote in, and keeps its address as a carrier hands it over; nobody writes to it.
func (s *settler) customer(ctx context.Context, p writtenParty, region string) (c conversation.Customer, problem string, err error) {
	if blanks[strings.ToLower(p.written)] {
		return c, fmt.Sprintf("the number is missing: the row has %q instead", p.written), nil
	}
	if name, ok := number.SenderOf(p.written, region); ok {
		var wrote bool
		err = s.staging.one(ctx, []any{&wrote}, "SELECT EXISTS (SELECT 1 FROM messages WHERE party = ? AND side = ?)", p.id, int(incoming))
		if err != nil || wrote {
			return conversation.Customer{Address: name}, "", err
		}
	}
	n, no := number.Read(p.written, region, number.Person)
	if no == nil {
		return conversation.Customer{Address: n.E164, Country: n.Country}, "", nil
	}
	problem = fmt.Sprintf("%q is not a number that can be messaged: %v", p.written, no)
	if errors.Is(no, number.Nowhere) {
		problem += ", or give the country with --region"
	}
	return c, problem, nil
}
