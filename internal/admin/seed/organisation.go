// Package seed creates data to try Parley with: an organisation with agents, sender
// IDs and records, and any number of conversations. The same seed gives the same data.
// It is safe to interrupt and to run again.
package seed

import (
	"context"

	"parley/ent"
	"parley/ent/agent"
	"parley/internal/channel"
	"parley/internal/channel/registry"
	"parley/internal/desk/directory"
	"parley/internal/desk/rule"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Organisation makes the demo organisation unless amy is there already:
//
//   - agents amy (standard, may assign), bo (standard), sue (supervisor), ada (admin)
//   - sender IDs "Sales" (amy and bo share it), "Amy direct" (amy's alone),
//     "Support" (its queue is worked by bo and sue) and "Billing" (a Twilio
//     number, shared by amy and sue)
func Organisation(ctx context.Context, d *directory.Directory, s *store.Store) error {
	exists, err := s.Ent.Agent.Query().Where(agent.Username("amy")).Exist(viewer.AsSystem(ctx, "seed"))
	if err != nil || exists {
		return err
	}
	return d.Change(ctx, organise)
}

func organise(ctx context.Context, tx *store.Tx) error {
	p, err := people(ctx, tx)
	if err != nil {
		return err
	}
	queue, err := tx.Ent.Queue.Create().SetName("Support").AddMembers(p["bo"], p["sue"]).Save(ctx)
	if err != nil {
		return err
	}
	accounts, err := demoAccounts(ctx, tx)
	if err != nil {
		return err
	}
	number := func(account, name, address string) *ent.ChannelCreate {
		return tx.Ent.Channel.Create().SetAccount(accounts[account]).SetType(channel.SMSLongCode).SetName(name).
			SetAddress(address).SetCountry("US").SetCreatedAt(tx.Now)
	}
	for _, create := range []*ent.ChannelCreate{
		number("demo", "Sales", "+12025550100").AddMembers(p["amy"], p["bo"]),
		number("demo", "Amy direct", "+12025550101").AddMembers(p["amy"]),
		number("demo", "Support", "+12025550102").AddMembers(p["sue"], p["ada"]).SetQueue(queue),
		number("twilio-demo", "Billing", "+12025550103").AddMembers(p["amy"], p["sue"]),
	} {
		if err := create.Exec(ctx); err != nil {
			return err
		}
	}
	return quickTexts(ctx, tx, p, queue)
}

// demoAccounts makes the account of each carrier that has one for the demo data, and
// returns them by their keys. The columns sid and secret are for the version before.
func demoAccounts(ctx context.Context, tx *store.Tx) (map[string]*ent.ProviderAccount, error) {
	accounts := map[string]*ent.ProviderAccount{}
	for _, provider := range registry.Providers(registry.Options{}) {
		demonstrator, ok := provider.(channel.Demonstrator)
		if !ok {
			continue
		}
		demo := demonstrator.DemoAccount()
		account, err := tx.Ent.ProviderAccount.Create().SetKey(demo.Key).SetProvider(provider.Name()).SetName(demo.Name).
			SetCredentials(string(demo.Document)).SetSid(demo.SID).SetSecret(string(demo.Secret)).SetCreatedAt(tx.Now).Save(ctx)
		if err != nil {
			return nil, err
		}
		accounts[demo.Key] = account
	}
	return accounts, nil
}

func quickTexts(ctx context.Context, tx *store.Tx, p map[string]*ent.Agent, queue *ent.Queue) error {
	text := func(by string, scope rule.Scope, title, text string) *ent.QuickTextCreate {
		return tx.Ent.QuickText.Create().SetCreatorID(p[by].ID).SetScope(string(scope)).SetTitle(title).SetText(text).
			SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
	}
	for _, create := range []*ent.QuickTextCreate{
		text("ada", rule.Everyone, "Opening hours", "Dear {{Contact.Name}}, we are here from nine to five, Monday to Friday.").SetFolder("Answers"),
		text("sue", rule.OfQueue, "Repair status", "Your repair is on the bench. We will write as soon as it is done.").SetQueue(queue),
		text("amy", rule.Mine, "On my way", "Thank you, {{Contact.Name}}. I am on my way."),
	} {
		if err := create.Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

func people(ctx context.Context, tx *store.Tx) (map[string]*ent.Agent, error) {
	assigners, err := tx.Ent.PermissionSet.Create().SetName("Assigners").
		SetPermissions([]viewer.Permission{viewer.AssignConversation}).Save(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]*ent.Agent{}
	for _, a := range []struct {
		username, name string
		role           viewer.Role
	}{
		{"amy", "Amy Adams", viewer.Standard},
		{"bo", "Bo Berg", viewer.Standard},
		{"sue", "Sue Stone", viewer.Supervisor},
		{"ada", "Ada Admin", viewer.Admin},
	} {
		create := tx.Ent.Agent.Create().SetUsername(a.username).SetName(a.name).SetRole(a.role).SetCreatedAt(tx.Now)
		if a.username == "amy" {
			create.AddPermissionSets(assigners)
		}
		if out[a.username], err = create.Save(ctx); err != nil {
			return nil, err
		}
	}
	return out, nil
}
