package message

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Filled is a component that is to be sent, and what of it the channel shows.
type Filled struct {
	*component.Prepared

	Choice component.Choice
}

// withComponent puts the component of a token into a plan, whose text it becomes. key is
// the conversation that it was prepared for.
func (m *Messenger) withComponent(ctx context.Context, p *Plan, field, token string, key int64, ch *directory.Channel) error {
	c, err := component.Open(m.Cursors.Sealer, field, token, key, viewer.FromContext(ctx).AgentID, m.Store.Clock.Now())
	if err != nil {
		return err
	}
	p.Component = &Filled{c, c.Choose(ch.Type, p.Header)}
	if p.Text = nil; p.Component.Choice.Chosen != nil {
		p.Text = &p.Component.Choice.Chosen.Plain
	}
	return nil
}

func (p *Plan) judgeComponent(refuse refuse) {
	c := p.Component
	refuse(c.Kind == component.AutoResponse && !p.Automatic, NotSentByAgents, "Automatic responses are sent by themselves. Choose another component.")
	var paths []string
	for _, missing := range c.Missing {
		paths = append(paths, missing.Path)
	}
	refuse(len(paths) > 0, ValuesMissing, "Values are missing: %s. Give them, or choose another component.", strings.Join(paths[:min(len(paths), 10)], ", "))
	refuse(len(paths) == 0 && c.Choice.Chosen == nil && (!p.isClosed() || c.hasTemplate()), NoFormatFits, "No format of the component fits this channel: %s. Shorten it, or choose another.", c.misfits())
}

// isRegistered reports whether it goes as a registered template, which needs no open reply
// window.
func (p *Plan) isRegistered() bool {
	return p.Component != nil && p.Component.Choice.Chosen != nil && p.Component.Choice.Chosen.Format == channel.RegisteredTemplate
}

// hasTemplate reports whether it would go as a registered template if it fitted.
func (f *Filled) hasTemplate() bool {
	return slices.ContainsFunc(f.Formats, func(s channel.Structured) bool { return s.Format == channel.RegisteredTemplate })
}

// misfits says why each format does not fit.
func (f *Filled) misfits() string {
	var formats []string
	for _, r := range f.Choice.Rejected {
		for _, m := range r.Misfits[:min(len(r.Misfits), 1)] {
			formats = append(formats, fmt.Sprintf("%s %s", r.Format, m.Reason))
		}
	}
	return strings.Join(formats, ", ")
}

// content is what the message says.
func (p *Plan) content() content.Content {
	if p.Component != nil {
		return content.ComponentOf(p.Component.Prepared, *p.Component.Choice.Chosen)
	}
	return content.TextContent{Text: *p.Text}
}

// ask has what the customer types answer the message if they can answer it only so. A
// question that they tap ends the one before: what they type then is no answer to that.
func (p *Plan) ask(row *conversation.Row, message int64) {
	switch {
	case p.Component == nil || len(p.Component.Options) == 0:
	case p.Component.Choice.Chosen.Format == channel.PlainText:
		row.Ask(message)
	default:
		row.Ask(0)
	}
}

// use notes that a message was made of the component, so that it stays.
func (p *Plan) use(ctx context.Context, tx *store.Tx) error {
	if p.Component == nil {
		return nil
	}
	used, there := false, false
	q := tx.Builder().Select("used").From(entsql.Table("components")).Where(entsql.EQ("id", p.Component.Component))
	err := tx.Query(ctx, q, func(rows *sql.Rows) error {
		there = true
		return rows.Scan(&used)
	})
	if err != nil || used { // it is never deleted
		return err
	}
	n := int64(0)
	if there {
		n, err = tx.Exec(ctx, tx.Builder().Update("components").Set("used", true).Where(entsql.EQ("id", p.Component.Component)))
	}
	if err == nil && n == 0 {
		err = fault.Input("input.component", "The component was deleted. Prepare another.")
	}
	return err
}

// Answer is what a customer answered by tapping or typing, nil for what is no answer. The
// write has locked their conversation. A tap on what was not sent there is none: its title
// is a text like any other. The first answer to a question is noted.
func (m *Messenger) Answer(ctx context.Context, tx *store.Tx, row *conversation.Row, from *conversation.MessagingUser, in channel.Inbound) (*content.AnswerContent, error) {
	question, option, isTap := component.ReadToken(m.Cursors.Sealer, in.Tapped)
	if isTap && consents(from, in) || !isTap && !mayAnswer(row, from, in) {
		return nil, nil
	}
	if !isTap {
		question = row.AskedID
	}
	said, at, err := questionAt(ctx, tx, row.Key, question)
	if err != nil || said == nil {
		return nil, err
	}
	if !isTap {
		if tx.Now.Sub(at) > component.Answers {
			return nil, nil
		}
		option = component.Typed(in.Text, said.Titles())
	}
	if option < 1 || option > len(said.Sent.Options) {
		return nil, nil
	}
	chosen := said.Sent.Options[option-1]
	fresh, err := tx.Exec(ctx, noteAnswer.With(question, said.Component, option, int64(tx.Now)))
	return &content.AnswerContent{
		Text: chosen.Title, Component: said.Component, Name: said.Name, Version: said.Version,
		Question: question, Option: option, IsTyped: !isTap, IsRepeated: fresh == 0,
		IsOver: said.IsOver(option, tx.Now), StartsAt: chosen.StartsAt, DurationMinutes: chosen.DurationMinutes,
	}, err
}

// mayAnswer reports whether what a customer typed may answer the open question: it holds
// no more than an answer would keep, and is not about consent.
func mayAnswer(row *conversation.Row, from *conversation.MessagingUser, in channel.Inbound) bool {
	holdsMore := len(in.Media) > 0 || in.Unsupported != "" || len(in.Missing) > 0
	return row.AskedID != 0 && !holdsMore && !consents(from, in) && !channel.CapabilitiesOf(row.Channel().Type).IsOptOutWord(in.Text)
}

// consents reports whether the carrier takes what a customer sent for an opt-out, or for
// an opt-in of one who had opted out. From others an opt-in, such as YES, changes nothing
// and is a word like any other.
func consents(from *conversation.MessagingUser, in channel.Inbound) bool {
	return in.Consent != "" && (in.Consent != channel.ImplicitOptIn || from.ConsentStatus == channel.OptOut)
}

var noteAnswer = store.Fixed(`INSERT INTO component_answers (message_id, component_id, option, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (message_id) DO NOTHING`)

// readQuestion reads a message of a conversation, or of one that is merged into it.
var readQuestion = store.Fixed(`SELECT m.kind, m.text, m.rest, m.created_at FROM messages AS m
	JOIN conversations AS c ON c.id = m.conversation_id WHERE m.id = ? AND (c.id = ? OR c.merged_into = ?)`)

// questionAt is the component that a message of a conversation sent, and when; nil for
// none.
func questionAt(ctx context.Context, tx *store.Tx, conversation, message int64) (said *content.ComponentContent, at clock.Time, err error) {
	err = tx.Query(ctx, readQuestion.With(message, conversation, conversation), func(rows *sql.Rows) error {
		var kind content.Kind
		var text string
		var rest []byte
		if err := rows.Scan(&kind, &text, &rest, &at); err != nil {
			return err
		}
		if c, is := content.Decode(kind, text, rest).(content.ComponentContent); is {
			said = &c
		}
		return nil
	})
	return said, at, err
}
