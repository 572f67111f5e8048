package crm

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"

	"parley/internal/desk/match"
	"parley/internal/ground/number"
	"parley/internal/ground/store"
)

// MostKnown bounds the numbers of records that are looked at for a customer, of each form in
// which records may have theirs: those of the oldest records.
const MostKnown = 200

// Caller is a customer whose records are looked for.
type Caller struct {
	User    int64  // key of the messaging user
	Address string // in E.164
	Region  string // two letters: where numbers of records without a country are dialed
}

// Reading runs a statement, in a write or outside of it.
type Reading func(ctx context.Context, q store.Query, scan func(*sql.Rows) error) error

// Known finds the records that have the numbers of customers, in any of their phone fields,
// whoever may read them: one statement. Those that somebody refused for a customer, and those
// that these were merged into, are not among them. With held they come with what they hold.
func (s *Service) Known(ctx context.Context, read Reading, callers []Caller, held bool) ([][]match.Record, error) {
	return s.known(ctx, read, callers, known{held: held})
}

// KnownAlone is Known for rules that act alone: with the times when the records were last
// messaged, by whomever, and nothing for customers from whom an agent took a record away.
func (s *Service) KnownAlone(ctx context.Context, read Reading, callers []Caller, held bool) ([][]match.Record, error) {
	return s.known(ctx, read, callers, known{alone: true, held: held})
}

type known struct{ alone, held, postgres bool }

func (s *Service) known(ctx context.Context, read Reading, callers []Caller, k known) ([][]match.Record, error) {
	found := make([][]match.Record, len(callers))
	var asked [][4]any
	for i, c := range callers {
		asked = append(asked, c.forms(i)...)
	}
	if len(asked) == 0 {
		return found, nil
	}
	written, err := json.Marshal(asked)
	if err != nil {
		return nil, err
	}
	k.postgres = s.Store.Dialect() == dialect.Postgres
	err = read(ctx, findKnown[k].With(string(written)), func(rows *sql.Rows) error {
		var nth int
		var at int64
		var canonical, own string
		var r match.Record
		var body, mobile string
		var optedOut bool
		into := []any{&nth, &r.Key, &at, &r.Place, &canonical, &own, &r.ObjectType, &r.Name, &r.Messaged}
		if k.held {
			into = append(into, &body, &mobile, &optedOut)
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if def := s.Definitions.ObjectType(r.ObjectType); k.held && def != nil {
			r.Held = bodyOf(&def.Definition, body, r.Name, mobile, optedOut)
		}
		if r.Field = s.fieldAt(r.ObjectType, at); r.Field != "" && (canonical != "" || callers[nth].dials(own)) {
			found[nth] = append(found[nth], r)
		}
		return nil
	})
	return found, err
}

// fieldAt is the name of the field in a slot of an object type, empty if the type has no
// such field.
func (s *Service) fieldAt(objectType string, at int64) string {
	def := s.Definitions.ObjectType(objectType)
	if def == nil || at>>16 != def.Key || int(at&0xffff) >= len(def.Fields) {
		return ""
	}
	return def.Fields[at&0xffff].Name
}

// forms are how records may have the caller's number: with the country code, as people and
// as carriers write it, and as it is dialed in its country.
func (c *Caller) forms(nth int) (asked [][4]any) {
	for _, address := range c.addresses() {
		full := digitsOf(address)
		asked = append(asked, [4]any{nth, c.User, full, full}, [4]any{nth, c.User, "", digitsOf(number.National(address))})
	}
	return asked
}

func (c *Caller) addresses() []string {
	return slices.DeleteFunc([]string{c.Address, number.Alike(c.Address)}, func(a string) bool { return a == "" })
}

// dials reports whether digits that a record holds without a country are the caller's
// number: as they are dialed where the channel is or, if they are no number there, with
// the country code.
func (c *Caller) dials(digits string) bool {
	dialed := "+" + digits
	if n, err := number.Read(digits, c.Region, number.Person); err == nil {
		dialed = n.E164
	}
	return slices.Contains(c.addresses(), dialed)
}

// AddressesOf are the digits, with the country code, by which a caller may be known whose
// number a record has, with a country code or only as it is dialed in one of the regions.
func AddressesOf(canonical, own string, regions []string) (addresses []string) {
	numbers := []string{"+" + canonical}
	if canonical == "" {
		numbers = []string{"+" + own}
		for _, region := range regions {
			if n, err := number.Read(own, region, number.Person); err == nil {
				numbers = append(numbers, n.E164)
			}
		}
	}
	for _, n := range numbers {
		caller := Caller{Address: n}
		for _, a := range caller.addresses() {
			addresses = append(addresses, digitsOf(a))
		}
	}
	return addresses
}

// findKnown are the statements of Known and KnownAlone, on either database.
var findKnown = func() map[known]store.Text {
	texts := map[known]store.Text{}
	for _, alone := range []bool{false, true} {
		for _, held := range []bool{false, true} {
			for _, postgres := range []bool{false, true} {
				k := known{alone, held, postgres}
				texts[k] = store.Fixed(k.text())
			}
		}
	}
	return texts
}()

func (k known) text() string {
	unpacked, messaged, held, refused, records := "json_each(?) AS e", "0", "", "", " JOIN records AS r ON r.id = p.record_id"
	oldest := func(which string) string { // in the order of the index, which holds the record's key behind what is asked for
		return fmt.Sprintf(" CROSS JOIN record_phones AS p ON p.id IN (SELECT q.id FROM record_phones AS q WHERE %s ORDER BY q.record_id LIMIT %d)", which, MostKnown)
	}
	if k.postgres {
		unpacked = "json_array_elements(CAST(? AS json)) AS e(value)"
		oldest = func(which string) string {
			return fmt.Sprintf(" CROSS JOIN LATERAL (SELECT * FROM record_phones AS q WHERE %s ORDER BY q.record_id LIMIT %d) AS p", which, MostKnown)
		}
		// By index, though the planner does not know how few are asked for.
		records = " CROSS JOIN LATERAL (SELECT * FROM records AS r WHERE r.id = p.record_id OFFSET 0) AS r"
	}
	if k.alone {
		messaged = "COALESCE((SELECT MAX(c.last_message_at) FROM conversations AS c WHERE c.record_id = p.record_id AND c.last_message_at > 0), 0)"
		refused = "f.unlinked OR "
	}
	if k.held {
		held = ", r.body, r.mobile_number, r.opted_out"
	}
	return fmt.Sprintf(`WITH asked AS (
	SELECT CAST(e.value->>0 AS BIGINT) AS nth, CAST(e.value->>1 AS BIGINT) AS caller, e.value->>2 AS number, e.value->>3 AS own FROM %s
), phones AS (
	SELECT a.nth, a.caller, p.record_id, p.slot, p.place, p.number, p.own FROM asked AS a%s
	UNION ALL
	SELECT a.nth, a.caller, p.record_id, p.slot, p.place, p.number, p.own FROM asked AS a%s WHERE p.number || '' = ''
)
SELECT p.nth, p.record_id, p.slot, p.place, p.number, p.own, r.object_type, r.name, %s%s
FROM phones AS p%s
WHERE (SELECT COUNT(*) FROM link_refusals AS f JOIN records AS o ON o.id = f.record_id
	WHERE f.messaging_user_id = p.caller AND (%sf.record_id = p.record_id OR o.merged_into = p.record_id)) = 0`,
		unpacked, oldest("q.number = a.number AND a.number <> ''"), oldest("q.own = a.own AND a.own <> ''"), messaged, held, records, refused)
}
