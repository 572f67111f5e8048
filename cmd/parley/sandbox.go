package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"parley/app"
	"parley/ent"
	"parley/internal/channel"
	"parley/internal/desk/directory"
	"parley/internal/desk/inbound"
	"parley/internal/ground/clock"
)

// sandboxCmd plays the customer.
type sandboxCmd struct {
	Say sayCmd `cmd:"" help:"Send a message as a customer, through the webhook, signed as the sender ID's carrier would sign it."`
	Tap tapCmd `cmd:"" help:"Tap an option of the last component that the sandbox took for a customer, since the server started."`
}

// asCustomer is who a command plays, towards a running server.
type asCustomer struct {
	To   string `required:"" help:"The sender ID the customer writes to, such as +12025550100."`
	From string `default:"+12025550199" help:"The customer's number."`
	Name string `help:"The customer's name, as the carrier reports it."`
	URL  string `default:"http://127.0.0.1:8080" env:"PARLEY_PUBLIC_URL" help:"The running server's public URL."`
}

// sayCmd posts one inbound message to a running server.
type sayCmd struct {
	asCustomer
	Text []string `arg:"" help:"What the customer says."`
}

// Run implements the command.
func (s *sayCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return s.post(ctx, c, out, func(caller channel.Caller, a channel.Account, hook string, m channel.Inbound) (*http.Request, error) {
		m.Text = strings.Join(s.Text, " ")
		return caller.Compose(a, hook, m)
	})
}

// tapCmd posts the tap on an option to a running server.
type tapCmd struct {
	asCustomer
	Option int `arg:"" help:"Which option the customer taps, from 1."`
}

// Run implements the command.
func (t *tapCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return t.post(ctx, c, out, func(caller channel.Caller, a channel.Account, hook string, m channel.Inbound) (*http.Request, error) {
		tapper, ok := caller.(channel.Tapper)
		if !ok {
			return nil, fmt.Errorf("customers of this carrier get components as text: answer by %q", "sandbox say")
		}
		return tapper.ComposeTap(a, hook, m, t.Option)
	})
}

// post delivers what compose makes of the customer's message, and tells where it arrived.
func (s *asCustomer) post(ctx context.Context, c *cli, out io.Writer, compose func(channel.Caller, channel.Account, string, channel.Inbound) (*http.Request, error)) (err error) {
	a, err := app.Open(ctx, c.config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	ch, err := s.channel(a.Directory)
	if err != nil {
		return err
	}
	caller, ok := a.Messenger.Providers[ch.Account.Provider].(channel.Caller)
	if !ok {
		return fmt.Errorf("cannot simulate a customer on a %s account", ch.Account.Provider)
	}
	id := "SM" + strings.ToLower(rand.Text())
	hook := strings.TrimSuffix(s.URL, "/") + "/webhooks/" + ch.Account.Provider + "/" + ch.Account.Key
	req, err := compose(caller, ch.Account.Account, hook, channel.Inbound{
		EventID: id, ProviderID: id, From: s.From, To: s.To, FromName: s.Name, At: clock.Real{}.Now(),
	})
	if err != nil {
		return err
	}
	if err := post(ctx, req); err != nil {
		return err
	}
	at, err := a.Receiver.Find(ctx, ch.Account, id)
	if ent.IsNotFound(err) {
		return errors.New("the server accepted it, but it appears in no conversation; \"parley inbound status\" says why")
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, whereIs(at, ch))
	return nil
}

// whereIs tells in which conversation and whose inbox a message is.
func whereIs(at inbound.Arrived, ch *directory.Channel) string {
	what := fmt.Sprintf("message %d of conversation %s", at.Number, at.ConversationID)
	if at.Number == 1 {
		what = "a new conversation, " + at.ConversationID
	}
	if at.Owner == nil {
		return fmt.Sprintf("Delivered: %s, unassigned: it is in Unassigned, and in the list of %s.", what, ch.Name)
	}
	return fmt.Sprintf("Delivered: %s, in the inbox of %s (%s).", what, at.Owner.Name, at.Owner.Username)
}

func (s *asCustomer) channel(d *directory.Directory) (*directory.Channel, error) {
	var known []string
	for _, ch := range d.Channels() {
		if ch.Address == s.To {
			return ch, nil
		}
		known = append(known, ch.Address+" ("+ch.Name+")")
	}
	if len(known) == 0 {
		known = []string{otherDatabase}
	}
	return nil, fmt.Errorf("no sender ID has the address %s; existing ones: %s", s.To, strings.Join(known, ", "))
}

func post(ctx context.Context, req *http.Request) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	response, err := http.DefaultClient.Do(req.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("the server did not answer; is it running, and is --url right? %w", err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 500))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s: %s", response.Status, strings.TrimSpace(string(body)))
	}
	return nil
}
