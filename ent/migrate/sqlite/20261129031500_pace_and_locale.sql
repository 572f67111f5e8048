-- +goose Up
-- add column "turn_at" to table: "attempts"
ALTER TABLE `attempts` ADD COLUMN `turn_at` integer NOT NULL DEFAULT (0);
-- add column "locale" to table: "organizations"
ALTER TABLE `organizations` ADD COLUMN `locale` text NOT NULL DEFAULT ('');
-- create "paces" table
CREATE TABLE `paces` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `next_at` integer NOT NULL DEFAULT (0));

-- +goose Down
-- reverse: create "paces" table
DROP TABLE `paces`;
-- reverse: add column "locale" to table: "organizations"
ALTER TABLE `organizations` DROP COLUMN `locale`;
-- reverse: add column "turn_at" to table: "attempts"
ALTER TABLE `attempts` DROP COLUMN `turn_at`;
