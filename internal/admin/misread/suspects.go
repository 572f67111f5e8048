package misread

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"parley/internal/channel"
	"parley/internal/desk/directory"
	"parley/internal/desk/inbound"
	"parley/internal/ground/number"
	"parley/internal/ground/progress"
	"parley/internal/ground/store"
)

// batch is how many rows are read at once.
const batch = 2_000

// writers are the numbers of the messages in one conversation by the address that
// they came from.
type writers map[string][]int64

// writers reads who wrote from what is kept of webhooks, by conversation. Those who
// wrote from a number with a + were read the same before and now.
func (m *Mender) writers(ctx context.Context) (map[int64]writers, error) {
	known := map[int64]writers{}
	err := m.eachKey(ctx, "raw_inbounds", func(after int64) (last int64, n int, err error) {
		var suspicious []delivered
		err = m.Store.Read(ctx, operator, readEntries.With(after, batch), func(rows *sql.Rows) error {
			var d delivered
			var payload []byte
			if err := rows.Scan(&last, &d.account, &payload); err != nil {
				return err
			}
			n++
			if from := m.from(d.account, payload, &d.providerID); from != "" {
				d.from = from
				suspicious = append(suspicious, d)
			}
			return nil
		})
		for _, d := range suspicious {
			if err == nil {
				err = m.place(ctx, d, known)
			}
		}
		return last, n, err
	})
	return known, err
}

// delivered is a message as it came.
type delivered struct {
	account    int64
	providerID string
	from       string // as it is read today
}

var readEntries = store.Fixed("SELECT id, provider_account_id, payload FROM raw_inbounds WHERE id > ? AND state = 'DONE' ORDER BY id LIMIT ?")

// from is who sent the message of an entry, empty when it is none or was surely read
// right. It sets the message's id at the provider.
func (m *Mender) from(account int64, payload []byte, providerID *string) string {
	var kept channel.Kept
	if json.Unmarshal(payload, &kept) != nil || kept.Message == nil || kept.Message.ProviderID == "" {
		return ""
	}
	ch := m.Directory.ChannelAt(account, kept.Message.To)
	if ch == nil || !ch.Type.IsSMS() {
		return ""
	}
	customer := inbound.CustomerOf(*kept.Message, ch)
	if customer.Country != "" && strings.HasPrefix(strings.TrimSpace(kept.Message.From), "+") {
		return ""
	}
	*providerID = kept.Message.ProviderID
	return customer.Address
}

// place notes in which conversation a message is.
func (m *Mender) place(ctx context.Context, d delivered, known map[int64]writers) error {
	return m.Store.Read(ctx, operator, findMessage.With(d.account, d.providerID), func(rows *sql.Rows) error {
		var conversation, seq int64
		if err := rows.Scan(&conversation, &seq); err != nil {
			return err
		}
		if known[conversation] == nil {
			known[conversation] = writers{}
		}
		known[conversation][d.from] = append(known[conversation][d.from], seq)
		return nil
	})
}

var findMessage = store.Fixed("SELECT conversation_id, seq FROM messages WHERE provider_account_id = ? AND provider_id = ?")

// misread reads the keys of conversations whose address is a number by the earlier
// rule alone, or was read so from their record.
func (m *Mender) misread(ctx context.Context) (keys []int64, err error) {
	err = m.eachKey(ctx, "conversations", func(after int64) (last int64, n int, err error) {
		err = m.Store.Read(ctx, operator, readAddresses.With(after, batch), func(rows *sql.Rows) error {
			var channelKey int64
			var address string
			var mobile sql.NullString
			if err := rows.Scan(&last, &channelKey, &address, &mobile); err != nil {
				return err
			}
			n++
			ch := m.Directory.Channel(channelKey)
			if ch != nil && ch.Type.IsSMS() && (isMisread(address) || isMisreadFrom(address, mobile.String, ch)) {
				keys = append(keys, last)
			}
			return nil
		})
		return last, n, err
	})
	return keys, err
}

var readAddresses = store.Fixed(`SELECT c.id, c.channel_id, c.address, r.mobile_number FROM conversations AS c
	LEFT JOIN records AS r ON r.id = c.record_id WHERE c.id > ? ORDER BY c.id LIMIT ?`)

// isMisread reports whether an address was brought to E.164 and is no number.
func isMisread(address string) bool {
	_, err := number.Read(address, "", number.Carrier)
	digits, international := strings.CutPrefix(address, "+")
	return err != nil && international && strings.Trim(digits, "0123456789") == ""
}

// isMisreadFrom reports whether an address is how the earlier rule, and only that,
// read what a record has as its number.
func isMisreadFrom(address, mobile string, ch *directory.Channel) bool {
	if _, err := number.Read(mobile, ch.Country, number.Person); err == nil || mobile == "" {
		return false
	}
	n, err := phonenumbers.Parse(mobile, ch.Country)
	return err == nil && phonenumbers.IsPossibleNumber(n) && phonenumbers.Format(n, phonenumbers.E164) == address
}

// eachKey calls read with the key after which to read a batch, until one is empty.
func (m *Mender) eachKey(ctx context.Context, table string, read func(after int64) (last int64, n int, err error)) error {
	var most int64
	q := store.SQL("SELECT COALESCE(MAX(id), 0) FROM " + table)
	if err := m.Store.Read(ctx, operator, q, func(rows *sql.Rows) error { return rows.Scan(&most) }); err != nil {
		return err
	}
	show := progress.New(m.Progress, "numbers: reading", strings.ReplaceAll(table, "_", " "))
	defer show.Close()
	for after := int64(0); ; {
		last, n, err := read(after)
		if err != nil || n == 0 {
			return err
		}
		show.At(last, max(most, last))
		after = last
	}
}
