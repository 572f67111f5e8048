package importer

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"os"
	"strconv"
)

// writeLists writes the refused rows and the conversations without an outbound to
// their files, those that are asked for, and the first of each into the report.
func (m *importing) writeLists(ctx context.Context) error {
	refused := m.list(ctx, m.options.Refused, []string{"File", "Line", "Id", "Reason"}, func(rows *sql.Rows) ([]string, error) {
		var w which
		var r Refusal
		err := rows.Scan(&w, &r.Line, &r.ID, &r.Reason)
		if r.File = w.String(); len(m.report.Refusals) < mostShown {
			m.report.Refusals = append(m.report.Refusals, r)
		}
		return []string{r.File, strconv.Itoa(r.Line), r.ID, r.Reason}, err
	}, "SELECT file, line, source, reason FROM refused ORDER BY file, line")
	inboundOnly := m.list(ctx, m.options.InboundOnly, []string{"SenderId", "FromNumber", "Id", "Line", "ReceivedAt"}, func(rows *sql.Rows) ([]string, error) {
		var s stagedMessage
		var line int
		err := rows.Scan(&s.channel, &s.address, &s.source, &line, &s.at)
		return []string{s.channel, s.address, s.source, strconv.Itoa(line), s.at.String()}, err
	}, `SELECT c.channel, c.address, m.source, m.line, m.at FROM conversations c CROSS JOIN parties p ON p.conversation = c.id
		CROSS JOIN messages m ON m.party = p.id WHERE c.inbound_only ORDER BY c.id, m.at, m.line`)
	return errors.Join(refused, inboundOnly)
}

// list writes the rows of a statement to a CSV file, none when path is empty.
func (m *importing) list(ctx context.Context, path string, header []string, line func(*sql.Rows) ([]string, error), statement string) (err error) {
	write := func([]string) error { return nil }
	if path != "" {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) // it holds numbers of customers
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out := csv.NewWriter(file)
		defer func() {
			out.Flush()
			err = errors.Join(err, out.Error())
		}()
		write = out.Write
	}
	if err := write(header); err != nil {
		return err
	}
	return m.staging.each(ctx, func(rows *sql.Rows) error {
		fields, err := line(rows)
		if err != nil {
			return err
		}
		return write(fields)
	}, statement)
}
