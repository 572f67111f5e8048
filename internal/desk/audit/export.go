package audit

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"parley/ent/auditentry"
	"parley/internal/desk/journal"
	"parley/internal/ground/store"
)

// Line is an entry as a line of an export. Keys are those of the graph.
type Line struct {
	ID          string           `json:"id"`
	At          time.Time        `json:"at"`
	Action      journal.Action   `json:"action"`
	Actor       string           `json:"actorName"`
	Source      string           `json:"source"`
	SubjectType string           `json:"subjectType"`
	SubjectID   *string          `json:"subjectId"`
	SubjectName string           `json:"subjectName"`
	Detail      string           `json:"detail"`
	Count       int64            `json:"count"`
	Changes     []exportedChange `json:"changes"`
}

type exportedChange struct {
	Field   string   `json:"field"`
	Before  *string  `json:"before"`
	After   *string  `json:"after"`
	Secret  bool     `json:"isSecret"`
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
}

// exportBatch is how many entries a statement reads.
const exportBatch = 1_000

// Export writes the entries that a filter chooses as JSON lines, oldest first, and then
// records that it did. It returns how many.
func (s *Service) Export(ctx context.Context, filter *Filter, out io.Writer) (lines int64, err error) {
	encoder, last := json.NewEncoder(out), int64(0)
	for {
		rows, err := s.Store.Ent.AuditEntry.Query().Where(s.wanted(filter)...).Where(auditentry.IDGT(last)).
			Order(auditentry.ByID()).Limit(exportBatch).All(ctx)
		if err != nil {
			return lines, err
		}
		if len(rows) == 0 {
			break
		}
		for _, row := range rows {
			if err := encoder.Encode(lineOf(s.of(row))); err != nil {
				return lines, err
			}
			last = row.ID
			lines++
		}
	}
	return lines, s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		e := journal.Entry{Action: journal.Exported, SubjectType: "AuditEntry", Count: lines}
		return e.Write(ctx, tx)
	})
}

// Lines are entries as an export writes them.
func Lines(entries []*Entry) []Line {
	lines := make([]Line, len(entries))
	for i, e := range entries {
		lines[i] = lineOf(e)
	}
	return lines
}

func lineOf(e *Entry) Line {
	line := Line{
		ID: e.ID(), At: e.At.Std(), Action: e.Action(), Actor: e.ActorName, Source: e.Source, SubjectType: e.SubjectType, SubjectID: e.SubjectID(),
		SubjectName: e.SubjectName, Detail: e.Detail, Count: e.Count, Changes: []exportedChange{},
	}
	for _, c := range e.Changes() {
		line.Changes = append(line.Changes, exportedChange{c.Field, c.Before, c.After, c.IsSecret, c.Added, c.Removed})
	}
	return line
}
