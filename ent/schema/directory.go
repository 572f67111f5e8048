package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/desk/object"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/viewer"
)

// Agent is a person who works conversations, or a service account.
type Agent struct{ ent.Schema }

// Mixin of Agent.
func (Agent) Mixin() []ent.Mixin { return []ent.Mixin{row{}, inDirectory{}} }

// Annotations of Agent.
func (Agent) Annotations() []schema.Annotation {
	return table("agents", "A person who works conversations.")
}

// Fields of Agent.
func (Agent) Fields() []ent.Field {
	return []ent.Field{
		field.String("username").Unique().NotEmpty().MaxLen(256).Comment("Name to sign in with; the token's sub."),
		field.String("name").NotEmpty().MaxLen(800).Comment("Name to show."),
		field.String("role").GoType(viewer.Role("")).Comment("Default set of permissions."),
		field.Bool("licensed").Default(true).Comment("Whether the agent may send."),
		field.Bool("active").Default(true).Comment("Whether the agent may sign in."),
		field.Int64("default_channel_id").Optional().Nillable().Comment("Sender ID that composing starts with."),
		field.String("time_zone").Default("").MaxLen(64).Comment("IANA name; empty when not set."),
		field.String("locale").Default("").MaxLen(35).Comment("Language tag (BCP 47); empty when not set."),
		field.String("kind").GoType(viewer.Kind("")).Default(string(viewer.Person)).Immutable().MaxLen(20).Comment("A person, or a program's service account."),
		field.Int64("tokens_valid_from").GoType(clock.Time(0)).Default(0).Comment("Tokens issued before are refused."),
		field.Int64("signed_out_at").GoType(clock.Time(0)).Default(0).Comment("Tokens that say they were issued before are refused: the agent signed out at the issuer."),
		createdAt(),
	}
}

// Edges of Agent.
func (Agent) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("permission_sets", PermissionSet.Type),
		edge.From("channels", Channel.Type).Ref("members"),
		edge.From("queues", Queue.Type).Ref("members"),
		edge.To("preferences", Preference.Type),
	}
}

// Hooks of Agent.
func (Agent) Hooks() []ent.Hook { return rule.Audited(Agent{}) }

// Policy of Agent.
func (Agent) Policy() ent.Policy { return rule.Directory() }

// Preference is what a frontend keeps for an agent.
type Preference struct{ ent.Schema }

// Mixin of Preference.
func (Preference) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Preference.
func (Preference) Annotations() []schema.Annotation {
	return table("preferences", "What a frontend keeps for an agent.")
}

// Fields of Preference.
func (Preference) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("agent_id").Immutable(),
		field.String("frontend").Immutable().NotEmpty().MaxLen(64),
		field.Text("value").Comment("A JSON object."),
	}
}

// Edges of Preference.
func (Preference) Edges() []ent.Edge {
	return []ent.Edge{edge.From("agent", Agent.Type).Ref("preferences").Field("agent_id").Unique().Required().Immutable()}
}

// Indexes of Preference.
func (Preference) Indexes() []ent.Index {
	return []ent.Index{index.Fields("agent_id", "frontend").Unique()}
}

// Policy of Preference.
func (Preference) Policy() ent.Policy { return rule.SystemOnly() }

// PermissionSet is a named set of permissions that adds to a role's defaults.
type PermissionSet struct{ ent.Schema }

// Mixin of PermissionSet.
func (PermissionSet) Mixin() []ent.Mixin { return []ent.Mixin{row{}, inDirectory{}} }

// Annotations of PermissionSet.
func (PermissionSet) Annotations() []schema.Annotation {
	return table("permission_sets", "A named set of permissions that adds to a role's defaults.")
}

// Fields of PermissionSet.
func (PermissionSet) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Unique().NotEmpty().MaxLen(800),
		field.JSON("permissions", []viewer.Permission{}),
		field.JSON("record_rights", []object.Right{}).Optional().Comment("What it gives of CRM records."),
	}
}

// Edges of PermissionSet.
func (PermissionSet) Edges() []ent.Edge {
	return []ent.Edge{edge.From("agents", Agent.Type).Ref("permission_sets")}
}

// Hooks of PermissionSet.
func (PermissionSet) Hooks() []ent.Hook { return rule.Audited(PermissionSet{}) }

// Policy of PermissionSet.
func (PermissionSet) Policy() ent.Policy { return rule.PermissionSet() }

// ProviderAccount holds what proves us to a carrier. Webhooks come to the
// account; it has many channels.
type ProviderAccount struct{ ent.Schema }

// Mixin of ProviderAccount.
func (ProviderAccount) Mixin() []ent.Mixin { return []ent.Mixin{row{}, inDirectory{}} }

// Annotations of ProviderAccount.
func (ProviderAccount) Annotations() []schema.Annotation {
	return table("provider_accounts", "Credentials at a carrier.")
}

// Fields of ProviderAccount.
func (ProviderAccount) Fields() []ent.Field {
	return []ent.Field{
		field.String("key").Unique().Immutable().NotEmpty().MaxLen(64).Comment("Last element of the webhook URL."),
		field.String("provider").Immutable().NotEmpty().MaxLen(32).Comment("Which adapter speaks to it."),
		field.String("name").NotEmpty().MaxLen(200),
		field.String("sid").Default("").MaxLen(200).Comment("The account's id at the carrier."),
		field.String("secret").Default("").Sensitive().MaxLen(500).Comment("Signs webhooks and authenticates calls."),
		field.String("credentials").Default("").Sensitive().MaxLen(10_000).
			Comment("Before credentials were encrypted: a JSON object that the adapter reads; where it is empty, sid and secret do. 'sealed' says that none is here."),
		field.Bytes("sealed").Optional().Sensitive().MaxLen(20_000).
			Comment("What proves us to the carrier, encrypted; where it is empty, credentials do."),
		field.String("base_url").Default("").MaxLen(500).Comment("Replaces the carrier's own API address."),
		field.Bool("active").Default(true),
		instant("last_used_at"),
		field.String("last_error").Default("").MaxLen(500).Comment("The carrier's own words, for operators."),
		instant("last_error_at"),
		createdAt(),
	}
}

// Edges of ProviderAccount.
func (ProviderAccount) Edges() []ent.Edge {
	return []ent.Edge{edge.To("channels", Channel.Type)}
}

// Hooks of ProviderAccount.
func (ProviderAccount) Hooks() []ent.Hook { return rule.Audited(ProviderAccount{}) }

// Policy of ProviderAccount.
func (ProviderAccount) Policy() ent.Policy { return rule.ProviderAccount() }

// Channel is one address of the business.
type Channel struct{ ent.Schema }

// Mixin of Channel.
func (Channel) Mixin() []ent.Mixin { return []ent.Mixin{row{}, inDirectory{}} }

// Annotations of Channel.
func (Channel) Annotations() []schema.Annotation {
	return table("channels", "One address of the business.")
}

// Fields of Channel.
func (Channel) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("provider_account_id").Immutable(),
		field.Int64("queue_id").Optional().Nillable().Comment("Queue that new conversations go to."),
		field.String("type").GoType(channel.Type("")).Immutable(),
		field.String("address").Immutable().NotEmpty().MaxLen(200).Comment("E.164 for phone numbers."),
		field.String("name").NotEmpty().MaxLen(800),
		field.String("developer_name").Default("").MaxLen(80).Comment("Name that programs use; empty for none."),
		field.String("country").Default("").MaxLen(2).Comment("Two letters; national numbers are read in it."),
		field.String("required_consent").GoType(channel.Consent("")).Default("").Comment("Empty when none is required."),
		field.JSON("send_limits", channel.SendLimits{}).Optional().Comment("What the carrier takes, where it differs from the default of the type."),
		field.JSON("auto_responses", []component.Response{}).Optional().Comment("What it says by itself, at most once for each moment."),
		field.Bool("active").Default(true),
		createdAt(),
	}
}

// Edges of Channel.
func (Channel) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("account", ProviderAccount.Type).Ref("channels").Field("provider_account_id").Unique().Required().Immutable(),
		edge.From("queue", Queue.Type).Ref("channels").Field("queue_id").Unique(),
		edge.To("members", Agent.Type).Comment("Who may send from it. A single member is its sole owner."),
		edge.To("conversations", Conversation.Type),
		edge.To("messaging_users", MessagingUser.Type),
	}
}

// Indexes of Channel.
func (Channel) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("provider_account_id", "address").Unique(),
		index.Fields("queue_id"),
	}
}

// Hooks of Channel.
func (Channel) Hooks() []ent.Hook { return rule.Audited(Channel{}) }

// Policy of Channel.
func (Channel) Policy() ent.Policy { return rule.Directory() }

// Queue is where conversations wait for one of its members.
type Queue struct{ ent.Schema }

// Mixin of Queue.
func (Queue) Mixin() []ent.Mixin { return []ent.Mixin{row{}, inDirectory{}} }

// Annotations of Queue.
func (Queue) Annotations() []schema.Annotation {
	return table("queues", "Where conversations wait for one of its members.")
}

// Fields of Queue.
func (Queue) Fields() []ent.Field {
	return []ent.Field{field.String("name").Unique().NotEmpty().MaxLen(800)}
}

// Edges of Queue.
func (Queue) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("members", Agent.Type),
		edge.To("channels", Channel.Type),
		edge.To("conversations", Conversation.Type),
	}
}

// Hooks of Queue.
func (Queue) Hooks() []ent.Hook { return rule.Audited(Queue{}) }

// Policy of Queue.
func (Queue) Policy() ent.Policy { return rule.Queue() }
