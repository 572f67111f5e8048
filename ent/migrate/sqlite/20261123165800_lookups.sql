-- +goose Up
-- create "lookups" table
CREATE TABLE `lookups` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `field` text NOT NULL, `record_id` integer NOT NULL, `target_id` integer NOT NULL, CONSTRAINT `lookups_records_record` FOREIGN KEY (`record_id`) REFERENCES `records` (`id`) ON DELETE NO ACTION, CONSTRAINT `lookups_records_target` FOREIGN KEY (`target_id`) REFERENCES `records` (`id`) ON DELETE NO ACTION);
-- create index "lookup_record_id_field" to table: "lookups"
CREATE UNIQUE INDEX `lookup_record_id_field` ON `lookups` (`record_id`, `field`);
-- create index "lookup_target_id_field" to table: "lookups"
CREATE INDEX `lookup_target_id_field` ON `lookups` (`target_id`, `field`);

-- +goose Down
-- reverse: create index "lookup_target_id_field" to table: "lookups"
DROP INDEX `lookup_target_id_field`;
-- reverse: create index "lookup_record_id_field" to table: "lookups"
DROP INDEX `lookup_record_id_field`;
-- reverse: create "lookups" table
DROP TABLE `lookups`;
