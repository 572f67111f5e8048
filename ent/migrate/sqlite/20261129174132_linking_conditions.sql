-- +goose Up
-- add column "condition" to table: "linking_rules"
ALTER TABLE `linking_rules` ADD COLUMN `condition` text NOT NULL DEFAULT ('');

-- +goose Down
-- reverse: add column "condition" to table: "linking_rules"
ALTER TABLE `linking_rules` DROP COLUMN `condition`;
