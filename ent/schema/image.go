package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"parley/internal/desk/rule"
)

// Image is a picture in the file store.
type Image struct{ ent.Schema }

// Mixin of Image.
func (Image) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of Image.
func (Image) Annotations() []schema.Annotation {
	return table("images", "A picture in the file store.")
}

// Fields of Image.
func (Image) Fields() []ent.Field {
	return []ent.Field{
		field.String("content_type").Immutable().NotEmpty().MaxLen(40),
		field.Int("bytes").Immutable().Positive(),
		field.Int("width").Immutable().Positive(),
		field.Int("height").Immutable().Positive(),
		field.String("sha256").Unique().Immutable().NotEmpty().MaxLen(64).Comment("In hexadecimal: the same picture is there once."),
		field.String("file").NotEmpty().MaxLen(100).Comment("Its key in the file store, which no other row has."),
		createdAt(),
	}
}

// Hooks of Image.
func (Image) Hooks() []ent.Hook { return rule.Audited(Image{}) }

// Policy of Image.
func (Image) Policy() ent.Policy { return rule.Component() }

// ImageUse says that a version of a component uses an image.
type ImageUse struct{ ent.Schema }

// Mixin of ImageUse.
func (ImageUse) Mixin() []ent.Mixin { return []ent.Mixin{row{}} }

// Annotations of ImageUse.
func (ImageUse) Annotations() []schema.Annotation {
	return table("image_uses", "That a version of a component uses an image.")
}

// Fields of ImageUse.
func (ImageUse) Fields() []ent.Field {
	return []ent.Field{field.Int64("image_id").Immutable(), field.Int64("component_id").Immutable()}
}

// Edges of ImageUse. The database keeps an image with uses, which end with the component.
func (ImageUse) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("image", Image.Type).Field("image_id").Unique().Required().Immutable(),
		edge.To("component", Component.Type).Field("component_id").Unique().Required().Immutable().Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes of ImageUse.
func (ImageUse) Indexes() []ent.Index {
	return []ent.Index{index.Fields("image_id", "component_id").Unique(), index.Fields("component_id")}
}

// Policy of ImageUse.
func (ImageUse) Policy() ent.Policy { return rule.ComponentVersion() }
