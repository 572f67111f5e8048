-- +goose Up
-- modify "conversations" table
ALTER TABLE "conversations" ADD COLUMN "first_seq" bigint NOT NULL DEFAULT 1;

-- +goose Down
-- reverse: modify "conversations" table
ALTER TABLE "conversations" DROP COLUMN "first_seq";
