package misread

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"parley/internal/desk/content"
	"parley/internal/ground/number"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// facts are what decides over one conversation.
type facts struct {
	suspect
	channel, user, record, inbound int64
	address                        string
	mobile                         string // of the record
	answered                       bool   // an outbound went to the address
	begun                          bool   // by the customer
	notes                          []string
	others                         writers // from another address than the conversation's
	taken                          bool    // another conversation has the only writer's address
}

// examine reads the facts of a suspect and judges them; nil when nothing is wrong.
func (m *Mender) examine(ctx context.Context, read query, s suspect) (*Finding, error) {
	f := facts{suspect: s}
	err := read(ctx, readFacts.With(s.key), func(rows *sql.Rows) error {
		var record sql.NullInt64
		var mobile sql.NullString
		err := rows.Scan(&f.channel, &f.user, &record, &f.inbound, &f.address, &mobile)
		f.record, f.mobile = record.Int64, mobile.String
		return err
	})
	if err != nil || f.channel == 0 {
		return nil, err
	}
	f.others = maps.Clone(f.writers)
	delete(f.others, f.address)
	if err := f.readThread(ctx, read); err != nil {
		return nil, err
	}
	ch := m.Directory.Channel(f.channel)
	if ch == nil {
		return nil, nil
	}
	found := &Finding{
		Conversation: m.IDs.Encode(publicid.Conversation, s.key), Sender: ch.Address, Address: f.address,
	}
	switch {
	case len(f.others) > 0:
		f.judgeWriters(found)
	case isMisreadFrom(f.address, f.mobile, ch):
		f.judgeRecord(found, ch.Country)
	case isMisread(f.address):
		found.Problem = "It is not a number that can be messaged, and the sender can no longer be determined. Nothing can be sent to it."
	default:
		return nil, nil
	}
	return found, nil
}

var readFacts = store.Fixed(`SELECT c.channel_id, c.messaging_user_id, c.record_id, c.inbound_count, c.address, r.mobile_number
	FROM conversations AS c LEFT JOIN records AS r ON r.id = c.record_id WHERE c.id = ?`)

// readThread reads what was sent and noted, who began, and whether the address that
// the conversation could take is free.
func (f *facts) readThread(ctx context.Context, read query) error {
	err := read(ctx, readFirst.With(f.key), func(rows *sql.Rows) error {
		var direction string
		err := rows.Scan(&direction)
		f.begun = content.Direction(direction) == content.Inbound
		return err
	})
	if err != nil {
		return err
	}
	err = read(ctx, readSent.With(f.key), func(*sql.Rows) error { f.answered = true; return nil })
	if err != nil {
		return err
	}
	err = read(ctx, readNotes.With(f.key), func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		f.notes = append(f.notes, text)
		return err
	})
	if err != nil || len(f.others) != 1 {
		return err
	}
	for address := range f.others {
		err = read(ctx, readTaken.With(f.channel, address), func(*sql.Rows) error { f.taken = true; return nil })
	}
	return err
}

var (
	readFirst = store.Fixed("SELECT direction FROM messages WHERE conversation_id = ? AND direction <> '' ORDER BY seq LIMIT 1")
	readSent  = store.Fixed("SELECT id FROM messages WHERE conversation_id = ? AND direction = 'OUTBOUND' LIMIT 1")
	readNotes = store.Fixed("SELECT text FROM messages WHERE conversation_id = ? AND kind = 'NOTE' AND source = 'SYSTEM'")
	readTaken = store.Fixed("SELECT id FROM messaging_users WHERE channel_id = ? AND address = ?")
)

// judgeWriters decides what happens to a conversation in which others wrote.
func (f *facts) judgeWriters(found *Finding) {
	addresses := slices.Sorted(maps.Keys(f.others))
	for i, address := range addresses {
		slices.Sort(f.others[address])
		addresses[i] = fmt.Sprintf("%s (%s)", address, messages(f.others[address]))
	}
	found.Problem = "The messages came from " + strings.Join(addresses, ", ") + "."
	if f.isWhole() {
		f.readdress(found)
		return
	}
	for _, address := range slices.Sorted(maps.Keys(f.others)) {
		begin := "Not from this customer but from " + address + ": "
		noted := func(note string) bool { return strings.HasPrefix(note, begin) }
		if !slices.ContainsFunc(f.notes, noted) {
			found.Notes = append(found.Notes, begin+messages(f.others[address])+".")
		}
	}
	if len(found.Notes) == 0 {
		found.Problem += " A note says so."
	}
}

// isWhole reports whether the whole conversation is the only writer's, who has no
// other. Where nobody can have the address as a number, it is enough that nobody
// else is known to have written; else every message has to be known.
func (f *facts) isWhole() bool {
	if len(f.others) != 1 || len(f.writers) != 1 || f.taken {
		return false
	}
	if isMisread(f.address) {
		return true
	}
	for _, numbers := range f.others {
		return f.begun && f.record == 0 && int64(len(numbers)) == f.inbound
	}
	return false
}

func (f *facts) readdress(found *Finding) {
	for address := range f.others {
		found.Readdress, found.country = address, number.Country(address)
	}
	note := fmt.Sprintf("This conversation was under %s by mistake. It is with %s.", f.address, found.Readdress)
	if f.answered {
		note += fmt.Sprintf(" What was sent before went to %s.", f.address)
	}
	found.Notes = []string{note}
}

// judgeRecord decides what happens to a conversation that was started by a record's
// number that is none.
func (f *facts) judgeRecord(found *Finding, country string) {
	_, why := number.Read(f.mobile, country, number.Person)
	found.Problem = fmt.Sprintf("It was read from %q, its record's number, which is not a phone number: %v.", f.mobile, why)
	note := fmt.Sprintf("Check the number before you write: %s was read from %q, which the record has and which is no number.", f.address, f.mobile)
	switch {
	case slices.Contains(f.notes, note):
		found.Problem += " A note says so."
	case !isMisread(f.address):
		found.Notes = []string{note}
	}
}

// mostListed is how many messages a sentence lists.
const mostListed = 20

// messages says which messages are meant.
func messages(numbers []int64) string {
	var out []string
	for _, n := range numbers[:min(len(numbers), mostListed)] {
		out = append(out, strconv.FormatInt(n, 10))
	}
	what := "message "
	if len(numbers) > 1 {
		what = "messages "
	}
	if more := len(numbers) - mostListed; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return what + strings.Join(out, ", ")
}
