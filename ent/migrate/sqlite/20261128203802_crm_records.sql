-- +goose Up
-- add column "record_rights" to table: "permission_sets"
ALTER TABLE `permission_sets` ADD COLUMN `record_rights` json NULL;
-- add columns to table: "records"
ALTER TABLE `records` ADD COLUMN `body` text NOT NULL DEFAULT ('');
ALTER TABLE `records` ADD COLUMN `name_key` blob NULL;
ALTER TABLE `records` ADD COLUMN `stub` bool NOT NULL DEFAULT (false);
ALTER TABLE `records` ADD COLUMN `deleted_at` integer NOT NULL DEFAULT (0);
ALTER TABLE `records` ADD COLUMN `merged_into` integer NOT NULL DEFAULT (0);
-- create index "record_unindexed" to table: "records"
CREATE INDEX `record_unindexed` ON `records` (`id`) WHERE name_key IS NULL;
-- create index "record_name" to table: "records"
CREATE INDEX `record_name` ON `records` (`object_type`, `name_key`, `id`);
-- create index "record_merged" to table: "records"
CREATE INDEX `record_merged` ON `records` (`merged_into`) WHERE merged_into > 0;
-- create "object_types" table
CREATE TABLE `object_types` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `label` text NOT NULL, `plural_label` text NOT NULL DEFAULT (''), `icon` text NOT NULL DEFAULT (''), `description` text NOT NULL DEFAULT (''), `fields` json NOT NULL, `messaging` json NOT NULL);
-- create index "object_types_name_key" to table: "object_types"
CREATE UNIQUE INDEX `object_types_name_key` ON `object_types` (`name`);
-- create "record_phones" table
CREATE TABLE `record_phones` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `slot` integer NOT NULL, `place` integer NOT NULL, `number` text NOT NULL, `own` text NOT NULL, `record_id` integer NOT NULL, CONSTRAINT `record_phones_records_record` FOREIGN KEY (`record_id`) REFERENCES `records` (`id`) ON DELETE NO ACTION);
-- create index "recordphone_number_record_id" to table: "record_phones"
CREATE INDEX `recordphone_number_record_id` ON `record_phones` (`number`, `record_id`);
-- create index "recordphone_own_record_id" to table: "record_phones"
CREATE INDEX `recordphone_own_record_id` ON `record_phones` (`own`, `record_id`);
-- create index "recordphone_record_id" to table: "record_phones"
CREATE INDEX `recordphone_record_id` ON `record_phones` (`record_id`);
-- create "record_values" table
CREATE TABLE `record_values` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `slot` integer NOT NULL, `value` blob NOT NULL, `record_id` integer NOT NULL, CONSTRAINT `record_values_records_record` FOREIGN KEY (`record_id`) REFERENCES `records` (`id`) ON DELETE NO ACTION);
-- create index "recordvalue_slot_value_record_id" to table: "record_values"
CREATE INDEX `recordvalue_slot_value_record_id` ON `record_values` (`slot`, `value`, `record_id`);
-- create index "recordvalue_record_id" to table: "record_values"
CREATE INDEX `recordvalue_record_id` ON `record_values` (`record_id`);

-- +goose Down
-- reverse: create index "recordvalue_record_id" to table: "record_values"
DROP INDEX `recordvalue_record_id`;
-- reverse: create index "recordvalue_slot_value_record_id" to table: "record_values"
DROP INDEX `recordvalue_slot_value_record_id`;
-- reverse: create "record_values" table
DROP TABLE `record_values`;
-- reverse: create index "recordphone_record_id" to table: "record_phones"
DROP INDEX `recordphone_record_id`;
-- reverse: create index "recordphone_own_record_id" to table: "record_phones"
DROP INDEX `recordphone_own_record_id`;
-- reverse: create index "recordphone_number_record_id" to table: "record_phones"
DROP INDEX `recordphone_number_record_id`;
-- reverse: create "record_phones" table
DROP TABLE `record_phones`;
-- reverse: create index "object_types_name_key" to table: "object_types"
DROP INDEX `object_types_name_key`;
-- reverse: create "object_types" table
DROP TABLE `object_types`;
-- reverse: create index "record_merged" to table: "records"
DROP INDEX `record_merged`;
-- reverse: create index "record_unindexed" to table: "records"
DROP INDEX `record_unindexed`;
-- reverse: create index "record_name" to table: "records"
DROP INDEX `record_name`;
-- reverse: add columns to table: "records"
ALTER TABLE `records` DROP COLUMN `merged_into`;
ALTER TABLE `records` DROP COLUMN `deleted_at`;
ALTER TABLE `records` DROP COLUMN `stub`;
ALTER TABLE `records` DROP COLUMN `name_key`;
ALTER TABLE `records` DROP COLUMN `body`;
-- reverse: add column "record_rights" to table: "permission_sets"
ALTER TABLE `permission_sets` DROP COLUMN `record_rights`;
