package doctor

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"parley/internal/channel"
)

// mostNamed bounds how many channels a finding names.
const mostNamed = 5

// channels looks for active channels from which nobody can send.
func (e *examination) channels(ctx context.Context) (Finding, error) {
	var n int64
	if err := e.row(ctx, "SELECT COUNT(*) FROM channels WHERE active", &n); err != nil {
		return Finding{}, err
	}
	const withoutAccount = `SELECT c.address, a.key FROM channels AS c JOIN provider_accounts AS a ON a.id = c.provider_account_id WHERE c.active AND NOT a.active ORDER BY c.id`
	addresses, keys, err := e.pairs(ctx, withoutAccount)
	if err != nil {
		return Finding{}, err
	}
	if len(addresses) > 0 {
		return warn(fmt.Sprintf("Activate the account: parley account activate %s. If the channel is no longer used, run parley channel deactivate %s.", keys[0], addresses[0]),
			"Active channels belong to deactivated accounts, so nothing can be sent from them: %s.", some(addresses)), nil
	}
	const withoutMember = `SELECT c.address, a.key FROM channels AS c JOIN provider_accounts AS a ON a.id = c.provider_account_id WHERE c.active AND a.provider <> '` + channel.NoCarrier + `'
		AND NOT EXISTS (SELECT 1 FROM channel_members AS m JOIN agents AS g ON g.id = m.agent_id WHERE m.channel_id = c.id AND g.active AND g.licensed) ORDER BY c.id`
	if addresses, _, err = e.pairs(ctx, withoutMember); err != nil {
		return Finding{}, err
	}
	if len(addresses) > 0 {
		return warn(fmt.Sprintf("Add a member: parley channel members %s --add USERNAME. To license one, run parley agent set USERNAME --licence.", addresses[0]),
			"Active channels have no active member with a licence, so nobody can start a conversation from them: %s.", some(addresses)), nil
	}
	return ok("%s can be sent from.", count(n, "active channel", "active channels")), nil
}

// pairs reads two texts of each row.
func (e *examination) pairs(ctx context.Context, text string) (first, second []string, err error) {
	err = e.rows(ctx, text, func(rows *sql.Rows) error {
		var a, b string
		err := rows.Scan(&a, &b)
		first, second = append(first, a), append(second, b)
		return err
	})
	return first, second, err
}

// some are names in a line, the first few.
func some(names []string) string {
	if more := len(names) - mostNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), more)
	}
	return strings.Join(names, ", ")
}
