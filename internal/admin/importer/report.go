package importer

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"parley/internal/channel"
)

// Report says what an import did, or with DryRun what it would do.
type Report struct {
	DryRun bool `json:"dry_run"`
	// Records, Outgoing and Incoming are rows that this run took in; of records also
	// those that it brought up to date.
	Records  int64 `json:"records"`
	Outgoing int64 `json:"outgoing"`
	Incoming int64 `json:"incoming"`
	// Conversations are those that the messages of the export make.
	Conversations int64 `json:"conversations"`
	// Refused are rows that cannot be taken in, Duplicates rows that are given twice.
	Refused    int64 `json:"refused_rows"`
	Duplicates int64 `json:"duplicate_rows"`
	// InboundOnly are conversations that hold inbound messages and no outbound, neither
	// of the export nor of before; InboundOnlyRows are the export's messages in them.
	InboundOnly     int64 `json:"inbound_without_outbound"`
	InboundOnlyRows int64 `json:"inbound_rows_without_outbound"`
	// Present are rows that were there already, from an earlier import.
	Present struct {
		Records  int64 `json:"records"`
		Outgoing int64 `json:"outgoing"`
		Incoming int64 `json:"incoming"`
	} `json:"already_there"`
	// Unknown are outbound messages, of those taken in, whose outcome nobody knows:
	// QUEUED ones above all. They are never sent.
	Unknown int64 `json:"outgoing_of_unknown_status"`
	// Unlinked are outbound messages, of those taken in, that name a record which is
	// neither in the export nor in the database.
	Unlinked int64 `json:"outgoing_of_unknown_record"`
	// Orphans are records that name a parent which is neither in the export nor in the
	// database.
	Orphans int64 `json:"records_of_unknown_parent"`
	// Late are messages, of those taken in, that belong between messages which were there
	// before, and are numbered behind them.
	Late int64 `json:"rows_between_newer"`
	// Ahead are rows, of those refused, dated later than this machine's present.
	Ahead int64 `json:"rows_of_the_future"`
	// Cut are rows of which a text longer than 2,500,000 characters, or a name longer
	// than 200, was cut.
	Cut int64 `json:"rows_cut"`
	// Lines account for every line of the files: outgoing, incoming and records.
	Lines map[string]*Lines `json:"lines"`
	// Repaired are rows whose content went in the place of another under their id.
	Repaired int64 `json:"repaired_rows"`
	// Agents and SenderIDs are those that are made.
	Agents    []string `json:"agents_made"`
	SenderIDs []string `json:"sender_ids_made"`

	// Refusals are the first mostShown refused rows, all of which are in the file;
	// Repairs the first that were repaired.
	Refusals []Refusal `json:"-"`
	Repairs  []Repair  `json:"-"`
}

// Repair is a row whose content went in the place of another: a message's text, or
// what of a record differs.
type Repair struct {
	File    string // outgoing, incoming or records
	Line    int
	ID      string
	Was, Is string
}

// repaired counts a row that is repaired.
func (r *Report) repaired(w which, what Repair) {
	r.Repaired++
	r.Lines[w.String()].Repaired++
	if len(r.Repairs) < mostShown {
		r.Repairs = append(r.Repairs, what)
	}
}

// Lines account for the lines of one file. Read is Header and Blank, the first lines
// of Rows, and the lines Within rows behind their first. Rows is Taken, Present,
// Repaired, Twice and Refused.
type Lines struct {
	Read     int64 `json:"read"`
	Header   int64 `json:"header"`
	Blank    int64 `json:"blank"`
	Within   int64 `json:"within_rows"`
	Rows     int64 `json:"rows"`
	Taken    int64 `json:"taken_in"`
	Present  int64 `json:"already_there"`
	Repaired int64 `json:"repaired"`
	Twice    int64 `json:"given_twice"`
	Refused  int64 `json:"refused"`
}

// Refusal is a row that cannot be taken in.
type Refusal struct {
	File       string // outgoing, incoming or records
	Line       int
	ID, Reason string
}

// mostShown is how many entries of a list a report shows.
const mostShown = 10

// mostQuoted is how much of a text is shown, in characters.
const mostQuoted = 60

// add counts a part that went in, of which others are there otherwise.
func (r *Report) add(t tally, part [2]int64, other []differing) {
	for i := range other {
		part[other[i].row.side]--
	}
	r.Outgoing += t.taken[outgoing]
	r.Incoming += t.taken[incoming]
	r.Present.Outgoing += part[outgoing] - t.taken[outgoing]
	r.Present.Incoming += part[incoming] - t.taken[incoming]
	r.Unknown += t.unknown
	r.Unlinked += t.unlinked
	r.Late += t.late
}

// Write writes the report for people.
func (r *Report) Write(w io.Writer) error {
	done, mended := "imported", "replaced existing content"
	if r.DryRun {
		done, mended = "would be imported", "would replace existing content"
		_, _ = fmt.Fprintln(w, "Nothing was written. This is what an import would do:")
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	line := func(n int64, what string) { _, _ = fmt.Fprintf(t, "%d\t  %s\n", n, what) }
	rest := func(n int64, what string) {
		if n > 0 {
			line(n, what)
		}
	}
	line(r.Records, "records "+done)
	line(r.Outgoing, "outgoing messages "+done)
	line(r.Incoming, "incoming messages "+done)
	rest(r.Present.Records, "records already exist")
	rest(r.Present.Outgoing, "outgoing messages already exist")
	rest(r.Present.Incoming, "incoming messages already exist")
	line(r.Conversations, "conversations")
	line(r.InboundOnly, fmt.Sprintf("of these contain inbound messages only (%d rows)", r.InboundOnlyRows))
	line(r.Duplicates, "rows occur twice")
	rest(r.Repaired, "rows "+mended)
	line(r.Refused, "rows were refused")
	rest(r.Ahead, "of these are dated in the future; check --zone and this machine's clock")
	rest(r.Unknown, "outgoing messages had no final status: they are UNKNOWN and never sent")
	rest(r.Unlinked, "outgoing messages name an unknown record")
	rest(r.Late, "messages belong between existing ones, but follow them")
	rest(r.Orphans, "records name an unknown parent")
	rest(r.Cut, "rows had a text or name that was too long and was cut")
	if err := t.Flush(); err != nil {
		return err
	}
	return r.lists(w)
}

func (r *Report) lists(w io.Writer) error {
	made := "created"
	if r.DryRun {
		made = "to be created"
	}
	var err error
	say := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format, args...)
		}
	}
	if len(r.Agents) > 0 {
		say("Agents %s, without a licence: %s.\n", made, some(r.Agents))
	}
	if len(r.SenderIDs) > 0 {
		say("Sender IDs %s, inactive: %s.\n", made, some(r.SenderIDs))
	}
	for i, repair := range r.Repairs {
		if i == 0 {
			say("Repaired:\n")
		}
		say("  %s line %d: %q becomes %q\n", repair.File, repair.Line, channel.Cut(repair.Was, mostQuoted), channel.Cut(repair.Is, mostQuoted))
	}
	if more := r.Repaired - int64(len(r.Repairs)); more > 0 {
		say("  and %d more\n", more)
	}
	for i, refusal := range r.Refusals {
		if i == 0 {
			say("Refused:\n")
		}
		say("  %s line %d: %s\n", refusal.File, refusal.Line, refusal.Reason)
	}
	if more := r.Refused - int64(len(r.Refusals)); more > 0 && len(r.Refusals) > 0 {
		say("  and %d more\n", more)
	}
	return err
}

func some(names []string) string {
	if len(names) <= mostShown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:mostShown], ", "), len(names)-mostShown)
}
