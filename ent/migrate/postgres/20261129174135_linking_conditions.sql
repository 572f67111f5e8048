-- +goose Up
-- modify "linking_rules" table
ALTER TABLE "linking_rules" ADD COLUMN "condition" text NOT NULL DEFAULT '';

-- +goose Down
-- reverse: modify "linking_rules" table
ALTER TABLE "linking_rules" DROP COLUMN "condition";
