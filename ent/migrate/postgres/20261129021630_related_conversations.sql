-- +goose Up
-- modify "object_types" table
ALTER TABLE "object_types" ADD COLUMN "related" jsonb NULL;

-- +goose Down
-- reverse: modify "object_types" table
ALTER TABLE "object_types" DROP COLUMN "related";
