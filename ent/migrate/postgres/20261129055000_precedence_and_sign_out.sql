-- +goose Up
-- modify "agents" table
ALTER TABLE "agents" ADD COLUMN "signed_out_at" bigint NOT NULL DEFAULT 0;
-- modify "paces" table
ALTER TABLE "paces" ADD COLUMN "programs_at" bigint NOT NULL DEFAULT 0;

-- +goose Down
-- reverse: modify "paces" table
ALTER TABLE "paces" DROP COLUMN "programs_at";
-- reverse: modify "agents" table
ALTER TABLE "agents" DROP COLUMN "signed_out_at";
