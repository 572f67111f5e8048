package customer

import (
	"context"
	"errors"

	"parley/internal/channel"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/message"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Line is a customer as a file has them. Empty texts say nothing.
type Line struct {
	Channel                            *directory.Channel
	Address                            string
	Name, Locale, TimeZone, ExternalID string
	Consent                            channel.Consent
	Proof                              string
	At                                 clock.Time // when the consent was given; zero for now
}

// Outcome is what became of a line.
type Outcome struct {
	Added, Changed, Consented bool
	Refused                   string // why nothing was taken of it; empty when all was
}

// Take adds the customers of some lines, or completes those who are there, in one write:
// a name, a locale and a time zone fill empty ones, an id in another system replaces one. A consent is
// recorded with its proof; it never opts anybody in who opted out.
func (s *Service) Take(ctx context.Context, lines []Line) (outcomes []Outcome, err error) {
	ctx = viewer.AsSystem(ctx, "customer import")
	err = s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		outcomes = make([]Outcome, len(lines))
		for i := range lines {
			if err := s.take(ctx, tx, &lines[i], &outcomes[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return outcomes, err
}

func (s *Service) take(ctx context.Context, tx *store.Tx, l *Line, out *Outcome) error {
	said := details{some(l.Name), some(l.Locale), some(l.TimeZone), some(l.ExternalID), conversation.NamedByImport}
	if out.Refused = reason(said.clean()); out.Refused != "" {
		return nil
	}
	who, err := customerAt(l.Channel, l.Address)
	if out.Refused = reason(err); out.Refused != "" {
		return nil
	}
	key, added, err := s.add(ctx, tx, l.Channel.Key, who, said)
	if err != nil {
		return err
	}
	out.Added = added
	if !added {
		if out.Changed, err = s.complete(ctx, tx, key, said); err != nil {
			return err
		}
	}
	if l.Consent == "" {
		return nil
	}
	thread, err := s.Conversations.ThreadOf(ctx, tx, key)
	if err != nil {
		return err
	}
	if thread != nil && thread.MergedInto != 0 {
		out.Refused = "the customer was merged into another meanwhile; run the import again"
		return nil
	}
	given := message.Given{Customer: key, Status: l.Consent, Source: message.FromImport, Reason: l.Proof, At: l.At}
	if given.At == 0 {
		given.At = tx.Now
	}
	out.Consented, err = s.Messenger.GiveConsent(ctx, tx, thread, given)
	return err
}

// complete fills what is not known of a customer who is there.
func (s *Service) complete(ctx context.Context, tx *store.Tx, key int64, said details) (changed bool, err error) {
	row, err := tx.Ent.MessagingUser.Get(ctx, key)
	if err != nil {
		return false, err
	}
	if row.Name != "" {
		said.name = nil
	}
	if row.Locale != "" {
		said.locale = nil
	}
	if row.TimeZone != "" {
		said.timeZone = nil
	}
	return s.update(ctx, tx, row, said)
}

// reason is the sentence of what was refused, empty for nothing.
func reason(refused error) string {
	var f *fault.Error
	if errors.As(refused, &f) {
		return f.Message
	}
	return ""
}

func some(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
