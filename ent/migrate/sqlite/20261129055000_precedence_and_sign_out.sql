-- +goose Up
-- add column "signed_out_at" to table: "agents"
ALTER TABLE `agents` ADD COLUMN `signed_out_at` integer NOT NULL DEFAULT (0);
-- add column "programs_at" to table: "paces"
ALTER TABLE `paces` ADD COLUMN `programs_at` integer NOT NULL DEFAULT (0);

-- +goose Down
-- reverse: add column "programs_at" to table: "paces"
ALTER TABLE `paces` DROP COLUMN `programs_at`;
-- reverse: add column "signed_out_at" to table: "agents"
ALTER TABLE `agents` DROP COLUMN `signed_out_at`;
