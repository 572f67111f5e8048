package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"parley/internal/admin/importer"
	"parley/internal/desk/conversation"
	"parley/internal/desk/customer"
	"parley/internal/ground/page"
)

// customerCmd manages customers, beside running servers or without any.
type customerCmd struct {
	List    listCustomersCmd   `cmd:"" help:"List customers, newest first."`
	Show    showCustomerCmd    `cmd:"" help:"Show a customer: what they agreed to and when, and who was merged into them."`
	Add     addCustomerCmd     `cmd:"" help:"Add a customer to a channel before they write. One who is there already stays as they are."`
	Set     setCustomerCmd     `cmd:"" help:"Change a customer: name, locale, external id. What is left out stays."`
	Consent consentCustomerCmd `cmd:"" help:"Record what a customer agreed to or refused, with the proof."`
	Merge   mergeCustomersCmd  `cmd:"" help:"Make one customer of two on a channel. It can be undone for 30 days."`
	Unmerge unmergeCustomerCmd `cmd:"" help:"Undo the merge of a customer into another."`
	Import  importCustomersCmd `cmd:"" help:"Import customers with what they agreed to."`
}

type listCustomersCmd struct {
	asJSON
	Address string `help:"Only those whose address begins with this, such as +1202."`
	Name    string `help:"Only those whose name begins with this."`
	Most    int    `default:"50" least:"1" help:"How many customers, 1000 at most."`
}

// customerLine is a customer as it is printed.
type customerLine struct {
	ID            string `json:"id"`
	Channel       string `json:"channel"`
	Address       string `json:"address"`
	Name          string `json:"name"`
	ExternalID    string `json:"externalId"`
	ConsentStatus string `json:"consentStatus"`
}

// Run implements the command.
func (l *listCustomersCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		filter := &customer.Filter{}
		if l.Address != "" {
			filter.Address = &l.Address
		}
		if l.Name != "" {
			filter.Name = &l.Name
		}
		if err := atMost(l.Most, "--address or --name"); err != nil {
			return err
		}
		found, err := d.Schema.Customers.List(ctx, filter, page.Window{Size: l.Most})
		if err != nil {
			return err
		}
		lines := []customerLine{}
		for _, u := range found.Nodes() {
			lines = append(lines, customerLineOf(u))
		}
		if l.JSON {
			return printJSON(out, lines)
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "CHANNEL\tADDRESS\tNAME\tEXTERNAL ID\tCONSENT")
		for _, u := range lines {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", u.Channel, u.Address, u.Name, u.ExternalID, u.ConsentStatus)
		}
		return table.Flush()
	})
}

func customerLineOf(u *conversation.MessagingUser) customerLine {
	return customerLine{u.ID(), u.Channel().Address, u.Address, u.Name, u.ExternalID, string(u.GivenConsent())}
}

type importCustomersCmd struct {
	asJSON
	File     string `arg:"" help:"CSV or JSON lines, plain or gzip. Columns: Channel (a sender ID's address or name), Address; Name, Locale, TimeZone, ExternalId, Consent, Proof and At (2026-11-28T09:30:00Z, 2026-11-28 09:30 or 2026-11-28) may follow."`
	Encoding string `placeholder:"NAME" help:"Encoding of the file, such as windows-1252; by default UTF-8, or what its byte order mark says."`
	Zone     string `default:"UTC" help:"Time zone of times without one, such as Europe/Berlin."`
	Refused  string `default:"customer-refused.csv" placeholder:"FILE" help:"File for refused rows, with line, address and reason, if there are any; customer-refused.csv by default."`
}

// Run implements the command.
func (i *importCustomersCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	zone, err := time.LoadLocation(i.Zone)
	if err != nil {
		return fmt.Errorf("--zone: there is no time zone %q", i.Zone)
	}
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		report, err := importer.Customers(ctx, d.Schema.Customers, importer.CustomerOptions{
			File: i.File, Encoding: i.Encoding, Zone: zone, Refused: i.Refused, Progress: os.Stderr,
		})
		if err == nil {
			err = noteImport(ctx, d.Store, "MessagingUser", i.File, report.Added+report.Changed+report.Consents)
		}
		if err != nil {
			return err
		}
		if i.JSON {
			err = printJSON(out, report)
		} else {
			fmt.Fprintf(out, "Rows: %d. Added: %d, completed: %d, unchanged: %d. Consents recorded: %d. Refused: %d.\n",
				report.Rows, report.Added, report.Changed, report.Unchanged, report.Consents, report.Refused)
			printRefusals(out, report.Refusals, report.Refused, i.Refused)
		}
		if err == nil && report.Refused > 0 {
			err = refusedRows(report.Refused)
		}
		return err
	})
}
