package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"

	"parley/app"
	"parley/ent"
	entconversation "parley/ent/conversation"
	"parley/ent/record"
	"parley/internal/admin/seed"
	"parley/internal/channel"
	"parley/internal/desk/action"
	"parley/internal/desk/component"
	"parley/internal/desk/composer"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/crmaction"
	"parley/internal/desk/linking"
	"parley/internal/desk/match"
	"parley/internal/desk/object"
	"parley/internal/desk/objecttype"
	"parley/internal/desk/staff"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// demoFirms are the accounts of the demo data, among which its contacts are shared out.
var demoFirms = []string{"Harbor Partners", "Bright & Sons", "Lakeside Group", "Northgate Trading"}

// demo fills an empty database: conversations, and a CRM around them.
func demo(ctx context.Context, a *app.App) error {
	if err := seed.Demo(ctx, a.Directory, a.Store); err != nil {
		return err
	}
	if len(a.Directory.ObjectType("Account").Related) > 0 { // it was the last to be made
		return nil
	}
	ctx = viewer.AsSystem(ctx, "demo")
	for _, make := range []func(context.Context, *app.App) error{demoTopics, demoRecords, demoRights, demoActions, demoComponents, demoLinking, demoRelations} {
		if err := make(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// demoTopics says what the newest conversations of Cases are about: what the case is called.
func demoTopics(ctx context.Context, a *app.App) error {
	cases, err := a.Store.Ent.Conversation.Query().Where(entconversation.ObjectType("Case")).WithRecord().Order(ent.Desc(entconversation.FieldLastMessageAt)).Limit(20).All(ctx)
	for _, c := range cases {
		_, topic, _ := strings.Cut(c.Edges.Record.Name, ": ")
		if _, err := a.Conversations.SetTopic(ctx, conversation.TopicInput{ConversationID: a.Conversations.IDs.Encode(publicid.Conversation, c.ID), Topic: &topic}); err != nil {
			return err
		}
	}
	return err
}

// demoRecords gives contacts an account.
func demoRecords(ctx context.Context, a *app.App) error {
	var in []*crm.RecordInput
	text := func(name, value string) *crm.FieldInput { return &crm.FieldInput{Name: name, Text: &value} }
	for i, name := range demoFirms {
		in = append(in, &crm.RecordInput{ObjectType: "Account", ExternalID: firmID(i), Fields: []*crm.FieldInput{text("Name", name)}})
	}
	contacts, err := a.Store.Ent.Record.Query().Where(record.ObjectType("Contact")).Order(record.ByID()).Limit(100).All(ctx)
	if err != nil {
		return err
	}
	for i, c := range contacts {
		in = append(in, &crm.RecordInput{ObjectType: "Contact", ExternalID: c.ExternalID, Fields: []*crm.FieldInput{text("AccountId", firmID(i%len(demoFirms)))}})
	}
	results, err := a.Schema.Records.Upsert(ctx, in)
	for _, r := range results {
		if err == nil && r.Error != nil {
			return r.Error
		}
	}
	return err
}

func firmID(i int) string { return fmt.Sprintf("DEMO-FIRM-%d", i+1) }

// demoRights lets everybody work with the CRM.
func demoRights(ctx context.Context, a *app.App) error {
	var rights []object.Right
	for _, name := range []string{"Account", "Contact", "Lead", "Case"} {
		rights = append(rights, object.Right{Object: name, Access: object.Write})
	}
	set, err := a.Schema.Staff.CreatePermissionSet(ctx, staff.CreatePermissionSetInput{Name: "CRM", RecordRights: rights, IdempotencyKey: "demo"})
	if err != nil {
		return err
	}
	var agents []string
	for _, agent := range a.Directory.Agents() {
		agents = append(agents, agent.ID)
	}
	_, err = a.Schema.Staff.Grant(ctx, staff.GrantInput{ID: set.ID(), AgentIDs: agents})
	return err
}

func demoActions(ctx context.Context, a *app.App) error {
	answered := action.ComponentAnswered
	for _, in := range []crmaction.CreateInput{
		{
			Name: "Rate the lead", DeveloperName: "rate_lead", Performs: action.UpdateRecord, Type: action.Manual, ObjectTypes: []string{"Lead"},
			Parameters: []action.Parameter{{Label: "Rating", Key: "Rating", Source: action.Value, Value: "Hot", Asked: true}},
		},
		{
			Name: "Open in the CRM", DeveloperName: "open_in_crm", Performs: action.OpenURL, Type: action.Manual,
			Parameters: []action.Parameter{
				{Label: "Address", Key: "Url", Source: action.URL, Value: "https://crm.example.com/search?q={Name}"},
				{Label: "Name", Key: "Name", Source: action.Field, Object: action.ConversationObject, Value: "Name"},
			},
		},
		{
			Name: "Note what it is about", DeveloperName: "note_topic", Performs: action.UpdateRecord, Type: action.Automatic, ObjectTypes: []string{"Case"}, Trigger: &answered,
			Parameters: []action.Parameter{{Label: "Subject", Key: "Subject", Source: action.Field, Object: action.AnswerObject, Value: "Value"}},
			Conditions: []action.Condition{{Object: action.AnswerObject, Path: "Component", Operator: action.Equals, Value: "topics"}},
		},
	} {
		in.IdempotencyKey = "demo-" + in.DeveloperName
		if _, _, err := a.Schema.Actions.Create(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// demoImage is what the link of the demo shows: a door in the evening sun.
func demoImage() *bytes.Buffer {
	const width, height = 320, 160
	door := image.Rect(130, 50, 190, height)
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			shade := color.RGBA{uint8(255 - y/2), uint8(170 - y/2), uint8(90 + y/4), 255}
			if image.Pt(x, y).In(door) {
				shade = color.RGBA{79, 70, 229, 255}
			}
			picture.Set(x, y, shade)
		}
	}
	var encoded bytes.Buffer
	_ = png.Encode(&encoded, picture) // memory takes it all
	return &encoded
}

// demoLink is a link, with an image where there is a file store.
func demoLink(ctx context.Context, a *app.App) (component.Design, error) {
	link := component.Format{Format: channel.RichLink, Text: "This is when we are there:", Title: "Opening hours", URL: "https://example.com/hours"}
	door, err := a.Schema.Pictures.Upload(ctx, demoImage())
	if fault.CodeOf(err) == fault.Unavailable {
		return component.Design{Formats: []component.Format{link}}, nil
	}
	if err != nil {
		return component.Design{}, err
	}
	id := door.ID()
	link.ImageURL, link.ImageAlt = "{!$Constants.Door}", "{!$Constants.Door.Alt}"
	constants := []component.Constant{{Name: "Door", Type: component.ImageConstant, ImageID: &id, Alt: "Our door in the evening sun"}}
	return component.Design{Constants: constants, Formats: []component.Format{link}}, nil
}

// demoComponents are a question, and a link with an image of the file store, that agents
// can send.
func demoComponents(ctx context.Context, a *app.App) error {
	hours, err := demoLink(ctx, a)
	if err != nil {
		return err
	}
	question := []component.Format{{Format: channel.Buttons, Text: "{!$Constants.Ask}"}, {Format: channel.QuickReplies, Text: "{!$Constants.Ask}"}}
	for _, in := range []composer.CreateInput{
		{
			Name: "What is it about?", DeveloperName: "topics", Kind: component.StaticQuestion,
			Design: component.Design{
				Constants: []component.Constant{
					{Name: "Ask", Type: component.TextConstant, Text: "How can we help?"},
					{Name: "Topics", Type: component.ListConstant, Items: []component.Item{{Name: "Billing"}, {Name: "Repairs"}, {Name: "Other"}}},
				},
				Options: &component.Options{Constant: "Topics"}, Formats: question,
			},
		},
		{
			Name: "Opening hours", DeveloperName: "opening_hours", Kind: component.EnhancedLink,
			Design: hours,
		},
	} {
		in.IdempotencyKey = "demo-" + in.DeveloperName
		if _, err := a.Schema.Composer.Create(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// demoLinking suggests contacts to customers whom nobody knows; parley sandbox say writes
// as one of them.
func demoLinking(ctx context.Context, a *app.App) error {
	name, number := "Robin Fox", "+12025550199"
	_, err := a.Schema.Records.Upsert(ctx, []*crm.RecordInput{{
		ObjectType: "Contact", ExternalID: "DEMO-ROBIN", Fields: []*crm.FieldInput{{Name: "LastName", Text: &name}, {Name: "MobilePhone", Text: &number}},
	}})
	for _, c := range a.Directory.Channels() {
		if err != nil {
			return err
		}
		_, err = a.Schema.Linking.Create(ctx, linking.CreateInput{ChannelID: c.ID, Name: "Contacts", ObjectType: "Contact", Mode: match.Suggested, IdempotencyKey: "demo-" + c.ID})
	}
	return err
}

// demoRelations shows contacts on the page of their account, and colleagues on each other's.
func demoRelations(ctx context.Context, a *app.App) error {
	up := object.Step{Direction: object.Up, Object: "Contact", Field: "AccountId"}
	down := object.Step{Direction: object.Down, Object: "Contact", Field: "AccountId"}
	for _, of := range []struct {
		name    string
		related []object.Mapping
	}{
		{"Contact", []object.Mapping{{Label: "Account", Path: []object.Step{up}}, {Label: "Colleagues", Path: []object.Step{up, down}}}},
		{"Account", []object.Mapping{{Label: "Contacts", Path: []object.Step{down}}}},
	} {
		_, err := a.Schema.ObjectTypes.Update(ctx, objecttype.UpdateInput{ID: a.Directory.ObjectType(of.name).ID, Related: of.related})
		if err != nil {
			return err
		}
	}
	return nil
}
