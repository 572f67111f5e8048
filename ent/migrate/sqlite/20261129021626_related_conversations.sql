-- +goose Up
-- add column "related" to table: "object_types"
ALTER TABLE `object_types` ADD COLUMN `related` json NULL;

-- +goose Down
-- reverse: add column "related" to table: "object_types"
ALTER TABLE `object_types` DROP COLUMN `related`;
