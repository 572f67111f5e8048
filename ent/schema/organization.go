package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"parley/internal/desk/formula"
	"parley/internal/desk/rule"
)

// Organization is whose database this is. A migration made its one row.
type Organization struct{ ent.Schema }

// Mixin of Organization.
func (Organization) Mixin() []ent.Mixin { return []ent.Mixin{row{}, inDirectory{}} }

// Annotations of Organization.
func (Organization) Annotations() []schema.Annotation {
	return table("organizations", "Whose database this is: one row.")
}

// Fields of Organization.
func (Organization) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(800),
		field.String("time_zone").Default("UTC").NotEmpty().MaxLen(64).Comment("IANA name."),
		field.String("country").Default("").MaxLen(2).Comment("Two letters; empty when it is not known."),
		field.String("locale").Default("").MaxLen(35).Comment("BCP 47; empty when it is not known."),
		field.JSON("currency_rates", []formula.Rate{}).Optional().Comment("Those of CURRENCYRATE, by code; each code once."),
	}
}

// Hooks of Organization.
func (Organization) Hooks() []ent.Hook { return rule.Audited(Organization{}) }

// Policy of Organization.
func (Organization) Policy() ent.Policy { return rule.Directory() }
