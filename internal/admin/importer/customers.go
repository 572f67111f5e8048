package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/channel"
	customers "parley/internal/desk/customer"
	"parley/internal/desk/directory"
	"parley/internal/ground/clock"
	"parley/internal/ground/progress"
)

// CustomerOptions say where customers come from.
type CustomerOptions struct {
	File     string // CSV or JSON lines, plain or gzip
	Encoding string // of a file without a byte order mark; UTF-8 by default
	Zone     *time.Location
	// Refused is the file that all refused rows are written to, if there are any; none when
	// empty.
	Refused string
	// Progress shows how far it is; nil shows nothing.
	Progress io.Writer
}

// CustomerReport says what an import of customers did.
type CustomerReport struct {
	Rows int64 `json:"rows"`
	// Added were not known, Changed had something missing, Unchanged had all.
	Added     int64 `json:"added"`
	Changed   int64 `json:"changed"`
	Unchanged int64 `json:"unchanged"`
	// Consents are customers whose consent changed.
	Consents int64 `json:"consents"`
	RefusedRows
}

// customerBatch is how many rows one write takes.
const customerBatch = 500

// mostProof bounds the proof of a consent, in characters.
const mostProof = 500

// Customers imports customers with what they agreed to. The file has the columns Channel
// (a sender ID's address or name) and Address, and may have Name, Locale, TimeZone,
// ExternalId, Consent, Proof and At. It may be interrupted and run again.
func Customers(ctx context.Context, s *customers.Service, o CustomerOptions) (report *CustomerReport, err error) {
	f, err := openFile(o.File, o.Encoding, func(r *row) bool { return r.get("channel") != "" && r.get("address") != "" }, "Channel", "Address")
	if err != nil {
		return nil, err
	}
	defer f.close()
	bar := progress.New(o.Progress, "customers", progress.Bytes)
	defer bar.Close()
	i := &customerImport{service: s, report: &CustomerReport{}, zone: o.Zone}
	if i.refused, err = refusalsIn(o.Refused, o.File, &i.report.RefusedRows); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, i.refused.close(err == nil)) }()
	err = f.each(func(r *row) error {
		i.report.Rows++
		line, problem := i.read(r)
		if problem != "" {
			return i.refused.add(r.line, r.get("address"), problem)
		}
		i.lines, i.numbers = append(i.lines, line), append(i.numbers, r.line)
		if len(i.lines) < customerBatch {
			return nil
		}
		bar.At(f.consumed(), f.size)
		return i.take(ctx)
	})
	if err == nil {
		err = i.take(ctx)
	}
	return i.report, progress.Interrupted(ctx, err, "while importing customers; run it again to continue")
}

type customerImport struct {
	service *customers.Service
	report  *CustomerReport
	zone    *time.Location
	lines   []customers.Line
	numbers []int // of the lines in the file
	refused refusals
}

// read reads a row, or says why it cannot.
func (i *customerImport) read(r *row) (l customers.Line, problem string) {
	if r.problem != "" {
		return l, r.problem
	}
	l = customers.Line{
		Channel: i.channel(r.get("channel")), Address: r.get("address"), Name: r.get("name"), Locale: r.get("locale"),
		TimeZone: r.get("timezone"), ExternalID: r.get("externalid"),
		Consent: channel.Consent(strings.ToUpper(r.get("consent"))), Proof: channel.CleanText(r.get("proof")),
	}
	if at := r.get("at"); at != "" {
		given, ok := instant(at, i.zone)
		if !ok || given.After(time.Now().Add(mostAhead)) {
			return l, fmt.Sprintf("%q is no time in the past: write it like 2026-08-18T08:49:34Z", at)
		}
		l.At = clock.Of(given)
	}
	switch {
	case l.Channel == nil:
		return l, fmt.Sprintf("there is no sender ID %q", r.get("channel"))
	case l.Consent == channel.Pending || !l.Consent.IsKnown():
		return l, fmt.Sprintf("%q is no consent: use OPT_OUT, IMPLICIT_OPT_IN, EXPLICIT_OPT_IN or DOUBLE_OPT_IN", r.get("consent"))
	case l.Consent.Satisfies(channel.ExplicitOptIn) && channel.IsBlank(l.Proof):
		return l, "an explicit consent needs a proof: how and where the customer agreed"
	case utf8.RuneCountInString(l.Proof) > mostProof:
		return l, fmt.Sprintf("the proof is longer than %d characters", mostProof)
	}
	return l, ""
}

// channel is the sender ID with an address or a name.
func (i *customerImport) channel(named string) (found *directory.Channel) {
	for _, ch := range i.service.Directory.Channels() {
		switch {
		case ch.Address == named:
			return ch
		case strings.EqualFold(ch.Name, named):
			found = ch
		}
	}
	return found
}

// take writes what was read.
func (i *customerImport) take(ctx context.Context) error {
	if len(i.lines) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	outcomes, err := i.service.Take(ctx, i.lines)
	if err != nil {
		return err
	}
	for n, out := range outcomes {
		switch {
		case out.Refused != "":
			if err := i.refused.add(i.numbers[n], i.lines[n].Address, out.Refused); err != nil {
				return err
			}
		case out.Added:
			i.report.Added++
		case out.Changed:
			i.report.Changed++
		case !out.Consented:
			i.report.Unchanged++
		}
		if out.Consented {
			i.report.Consents++
		}
	}
	i.lines, i.numbers = i.lines[:0], i.numbers[:0]
	return nil
}
