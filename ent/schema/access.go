package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/viewer"
)

// AccessToken lets a program act as an agent. The token itself is not stored.
type AccessToken struct{ ent.Schema }

// Mixin of AccessToken.
func (AccessToken) Mixin() []ent.Mixin { return []ent.Mixin{row{}, inDirectory{}} }

// Annotations of AccessToken.
func (AccessToken) Annotations() []schema.Annotation {
	return table("access_tokens", "What lets a program act as an agent.")
}

// Fields of AccessToken.
func (AccessToken) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("agent_id").Immutable().Comment("As whom it acts."),
		field.String("name").Immutable().NotEmpty().MaxLen(800),
		field.Bytes("hash").Immutable().Unique().Sensitive().MaxLen(32).Comment("SHA-256 of the token."),
		field.JSON("scopes", []viewer.Scope{}).Immutable(),
		field.Int64("expires_at").GoType(clock.Time(0)).Immutable(),
		field.Int64("creator_id").Default(0).Immutable().Comment("Agent; 0 for the system."),
		instant("last_used_at"),
		field.Int64("issued_at").GoType(clock.Time(0)).Immutable().Comment("By the clock of sign-ins."),
		createdAt(),
	}
}

// Indexes of AccessToken.
func (AccessToken) Indexes() []ent.Index { return []ent.Index{index.Fields("agent_id")} }

// Policy of AccessToken.
func (AccessToken) Policy() ent.Policy { return rule.AccessToken() }

// SigningKey signs Parley's own tokens. The first key is among the secrets; its row
// here, if there is one, says that it was retired.
type SigningKey struct{ ent.Schema }

// Mixin of SigningKey.
func (SigningKey) Mixin() []ent.Mixin { return []ent.Mixin{row{}, inDirectory{}} }

// Annotations of SigningKey.
func (SigningKey) Annotations() []schema.Annotation {
	return table("signing_keys", "Keys that sign Parley's own tokens, after the first.")
}

// Fields of SigningKey.
func (SigningKey) Fields() []ent.Field {
	return []ent.Field{
		field.String("kid").Immutable().Unique().NotEmpty().MaxLen(40).Comment("Its id, in the header of tokens."),
		field.Bytes("value").Optional().Sensitive().MaxLen(32).Comment("The key; none once it is retired."),
		instant("retired_at"),
		createdAt(),
	}
}

// Policy of SigningKey.
func (SigningKey) Policy() ent.Policy { return rule.SystemOnly() }

// Identity is as whom an outside issuer knows an agent, and when it last signed them in.
type Identity struct{ ent.Schema }

// Mixin of Identity.
func (Identity) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Identity.
func (Identity) Annotations() []schema.Annotation {
	return table("identities", "As whom an outside issuer knows an agent.")
}

// Fields of Identity.
func (Identity) Fields() []ent.Field {
	return []ent.Field{
		field.String("issuer").Immutable().NotEmpty().MaxLen(500).Comment("The claim iss."),
		field.String("subject").Immutable().NotEmpty().MaxLen(255).Comment("The claim sub."),
		field.Int64("agent_id").Comment("Whom it signs in."),
		instant("last_seen_at"),
		field.Int64("counts_from").GoType(clock.Time(0)).Default(0).Comment("From when the agent counts as unseen: the last sign-in or activation."),
	}
}

// Indexes of Identity.
func (Identity) Indexes() []ent.Index {
	return []ent.Index{index.Fields("issuer", "subject").Unique(), index.Fields("agent_id")}
}

// Policy of Identity.
func (Identity) Policy() ent.Policy { return rule.SystemOnly() }
