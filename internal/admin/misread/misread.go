// Package misread finds conversations filed under the wrong number because an earlier
// version guessed: it read letters as digits, and took short codes for local numbers.
// It mends what can be mended with certainty.
//
// If the sender of a conversation is known, the conversation gets the sender's address.
// If several people wrote into one conversation, nothing moves: a note says who wrote
// what. The senders are known from the webhooks, which are kept for inbound.KeptFor;
// the recipients of messages to a record, from the record.
//
// Both commands may be interrupted and run again, and may run beside servers; each
// conversation is examined and mended in one write.
package misread

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"

	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/message"
	"parley/internal/ground/progress"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// operator reads whatever an operator asks about.
const operator = store.System("an operator's command")

// Mender finds and mends. All fields but Progress are required.
type Mender struct {
	Store         *store.Store
	Directory     *directory.Directory
	IDs           *publicid.Codec
	Conversations *conversation.Service
	Messenger     *message.Messenger
	// Progress shows how far it is; nil shows nothing.
	Progress io.Writer
}

// Finding is a conversation that stands under a number by mistake.
type Finding struct {
	Conversation    string // opaque id
	Sender, Address string // of the channel, and of the customer as it stands
	Problem         string // what is wrong, a sentence
	// Readdress is the address that it takes, and Notes are what is noted in it. With
	// neither, nothing can be mended or everything is.
	Readdress string
	Notes     []string

	country string // of Readdress
}

// Mendable reports whether there is something to do.
func (f *Finding) Mendable() bool { return f.Readdress != "" || len(f.Notes) > 0 }

// Find calls each with the findings, oldest conversation first, and changes nothing.
func (m *Mender) Find(ctx context.Context, each func(*Finding)) error {
	return m.search(ctx, "looking", func(ctx context.Context, s suspect) error {
		found, err := m.examine(ctx, m.Store.As(operator), s)
		if err == nil && found != nil {
			each(found)
		}
		return err
	})
}

// Mend mends what Find finds and calls each with what was done. It waits for an
// import, or another Mend, on the same database.
func (m *Mender) Mend(ctx context.Context, each func(*Finding)) error {
	release, err := m.Store.Alone(ctx, m.sayWaiting)
	if err != nil {
		return err
	}
	defer release()
	return m.search(ctx, "mending", func(ctx context.Context, s suspect) error {
		var found *Finding
		err := m.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			found, err = m.mend(ctx, tx, s)
			return err
		})
		if err == nil && found != nil {
			each(found)
		}
		return err
	})
}

func (m *Mender) sayWaiting() {
	if m.Progress != nil {
		_, _ = fmt.Fprintln(m.Progress, "numbers: waiting for an import or another parley numbers mend on this database to end")
	}
}

// suspect is a conversation to examine, with who is known to have written in it.
type suspect struct {
	key     int64
	writers writers
}

// query reads rows, inside a write or outside.
type query func(ctx context.Context, q store.Query, scan func(*sql.Rows) error) error

// search calls do with every suspect, in the order of their keys.
func (m *Mender) search(ctx context.Context, doing string, do func(context.Context, suspect) error) error {
	ctx = viewer.AsSystem(ctx, "numbers")
	known, err := m.writers(ctx)
	if err != nil {
		return fmt.Errorf("read what carriers posted: %w", err)
	}
	keys, err := m.misread(ctx)
	if err != nil {
		return fmt.Errorf("read conversations: %w", err)
	}
	for key := range known {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	show := progress.New(m.Progress, "numbers: "+doing, "conversations")
	defer show.Close()
	for i, key := range keys {
		if err := ctx.Err(); err != nil {
			return progress.Interrupted(ctx, err, fmt.Sprintf("after %d of %d conversations; run it again to continue", i, len(keys)))
		}
		if err := do(ctx, suspect{key, known[key]}); err != nil {
			return fmt.Errorf("after %d of %d conversations; run it again to continue: %w", i, len(keys), err)
		}
		show.At(int64(i+1), int64(len(keys)))
	}
	return nil
}
