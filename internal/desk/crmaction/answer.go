package crmaction

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"strconv"
	"time"

	"github.com/riverqueue/river"

	"parley/internal/channel"
	"parley/internal/desk/action"
	"parley/internal/desk/component"
	"parley/internal/desk/content"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
)

// fireAnswer is the job of COMPONENT_ANSWERED.
type fireAnswer struct {
	Conversation int64  `json:"conversation"`
	Message      int64  `json:"message"` // the answer
	Depth        int    `json:"depth"`
	Cause        string `json:"cause"`
}

// Kind implements river.JobArgs.
func (fireAnswer) Kind() string { return "run_answer_actions" }

// answerQueue is one that servers of the last version do not look into: they would take the
// job and run nothing.
var answerQueue = job.Queue{Name: "answers", Workers: 2, Poll: 500 * time.Millisecond}

// InsertOpts implements river.JobArgsWithInsertOpts.
func (fireAnswer) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: answerQueue.Name} }

// Answered is Happened for the answer of a customer to a component.
func (s *Service) Answered(ctx context.Context, tx *store.Tx, conversation, message int64) {
	if len(s.Directory.Fired(action.ComponentAnswered)) > 0 {
		tx.Enqueue(fireAnswer{Conversation: conversation, Message: message, Depth: nextDepth(ctx), Cause: rand.Text()}, nil)
	}
}

func (s *Service) answered(ctx context.Context, f fireAnswer) error {
	return s.fired(ctx, fire{Trigger: action.ComponentAnswered, Conversation: f.Conversation, Depth: f.Depth, Cause: f.Cause, message: f.Message})
}

var (
	readAnswer = store.Fixed(`SELECT text, rest FROM messages WHERE id = ? AND kind = 'ANSWER'`)
	readAsked  = store.Fixed(`SELECT m.text, m.rest, c.developer_name, v.design FROM messages AS m
		JOIN components AS c ON c.id = ? JOIN component_versions AS v ON v.component_id = c.id AND v.number = ? WHERE m.id = ?`)
	readChosen = store.Fixed(`SELECT object_type, external_id FROM records WHERE id = ? AND deleted_at = 0`)
)

// readAnswer reads what the customer chose, for parameters and conditions, in two statements,
// one more for a record.
func (t *turn) readAnswer(ctx context.Context) error {
	if t.message == 0 {
		return nil
	}
	var answer content.AnswerContent
	err := t.tx.Query(ctx, readAnswer.With(t.message), func(rows *sql.Rows) error {
		said, err := scanContent(rows, content.Answer)
		answer, _ = said.(content.AnswerContent)
		return err
	})
	if err != nil {
		return err
	}
	var asked content.ComponentContent
	design, name := &component.Design{}, ""
	err = t.tx.Query(ctx, readAsked.With(answer.Component, answer.Version, answer.Question), func(rows *sql.Rows) error {
		var said []byte
		c, err := scanContent(rows, content.Component, &name, &said)
		if err != nil {
			return err
		}
		asked, _ = c.(content.ComponentContent)
		return json.Unmarshal(said, design)
	})
	if err != nil {
		return err
	}
	if name == "" {
		return fault.New(fault.Conflict, "The answer, or the question that it is for, is not there any more.")
	}
	value, err := t.chosen(ctx, design, &asked, answer.Option)
	t.answer = map[string]string{
		"Component": name, "Title": answer.Text, "Index": strconv.Itoa(answer.Option), "Value": value, "IsOver": strconv.FormatBool(answer.IsOver),
	}
	if answer.DurationMinutes != nil {
		t.answer["Duration"] = strconv.Itoa(*answer.DurationMinutes)
	}
	return err
}

// scanContent reads text and rest of a message, and what follows them.
func scanContent(rows *sql.Rows, kind content.Kind, more ...any) (content.Content, error) {
	var text string
	var rest []byte
	err := rows.Scan(append([]any{&text, &rest}, more...)...)
	return content.Decode(kind, text, rest), err
}

// chosen is what an option stands for, as a field of a record takes it.
func (t *turn) chosen(ctx context.Context, design *component.Design, asked *content.ComponentContent, option int) (value string, err error) {
	if option < 1 || option > len(asked.Values) {
		return "", nil
	}
	of := asked.Values[option-1]
	switch asked.Kind() {
	case channel.TimeSelector:
		return clock.Time(of).Std().UTC().Format(time.RFC3339), nil
	case channel.DynamicQuestion:
		err = t.tx.Query(ctx, readChosen.With(of), func(rows *sql.Rows) error {
			var objectType, id string
			err := rows.Scan(&objectType, &id)
			value = objectType + "/" + id
			return err
		})
		return value, err
	}
	if list := design.Constant(design.Options.Constant); list != nil && option <= len(list.Items) {
		return list.Items[option-1].Name, nil
	}
	return "", nil
}

// ofAnswer is a field of the answer.
func (t *turn) ofAnswer(field string) action.Found {
	f := action.Types(nil).WithBeside()(action.AnswerObject).Field(field)
	if f == nil {
		return action.Found{}
	}
	return action.Found{Field: f, Value: object.Value{Text: t.answer[f.Name]}}
}
