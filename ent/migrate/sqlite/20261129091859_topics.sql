-- +goose Up
-- add column "topic" to table: "conversations"
ALTER TABLE `conversations` ADD COLUMN `topic` text NOT NULL DEFAULT ('');
-- add column "decided_at" to table: "bulk_batches"
ALTER TABLE `bulk_batches` ADD COLUMN `decided_at` integer NOT NULL DEFAULT (0);
-- drop index "lookup_target_id_field" from table: "lookups"
DROP INDEX `lookup_target_id_field`;
-- add column "record_type" to table: "lookups"
ALTER TABLE `lookups` ADD COLUMN `record_type` text NOT NULL DEFAULT ('');
-- create index "lookup_children" to table: "lookups"
CREATE INDEX `lookup_children` ON `lookups` (`target_id`, `field`, `record_type`);
-- create index "lookup_unfilled" to table: "lookups"
CREATE INDEX `lookup_unfilled` ON `lookups` (`id`) WHERE record_type = '';
-- add column "changed_at" to table: "rejected_changes"
ALTER TABLE `rejected_changes` ADD COLUMN `changed_at` integer NOT NULL DEFAULT (0);

-- +goose Down
-- reverse: add column "changed_at" to table: "rejected_changes"
ALTER TABLE `rejected_changes` DROP COLUMN `changed_at`;
-- reverse: create index "lookup_unfilled" to table: "lookups"
DROP INDEX `lookup_unfilled`;
-- reverse: create index "lookup_children" to table: "lookups"
DROP INDEX `lookup_children`;
-- reverse: add column "record_type" to table: "lookups"
ALTER TABLE `lookups` DROP COLUMN `record_type`;
-- reverse: drop index "lookup_target_id_field" from table: "lookups"
CREATE INDEX `lookup_target_id_field` ON `lookups` (`target_id`, `field`);
-- reverse: add column "decided_at" to table: "bulk_batches"
ALTER TABLE `bulk_batches` DROP COLUMN `decided_at`;
-- reverse: add column "topic" to table: "conversations"
ALTER TABLE `conversations` DROP COLUMN `topic`;
