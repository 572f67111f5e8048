-- +goose Up
-- create "record_writes" table
CREATE TABLE `record_writes` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `record_id` integer NOT NULL, `object_type` text NOT NULL, `creates` bool NOT NULL, `fields` json NOT NULL, `base` integer NOT NULL DEFAULT (0), `edited_at` integer NOT NULL DEFAULT (0), `depth` integer NOT NULL DEFAULT (0), `status` text NOT NULL, `open` bool NOT NULL DEFAULT (true), `sent` bool NOT NULL DEFAULT (false), `tries` integer NOT NULL DEFAULT (0), `attempts` json NOT NULL, `due_at` integer NOT NULL DEFAULT (0), `holder` integer NOT NULL DEFAULT (0), `held_until` integer NOT NULL DEFAULT (0), `created_at` integer NOT NULL, `connection_id` integer NOT NULL, `run_id` integer NOT NULL, CONSTRAINT `record_writes_crm_connections_connection` FOREIGN KEY (`connection_id`) REFERENCES `crm_connections` (`id`) ON DELETE CASCADE, CONSTRAINT `record_writes_crm_action_runs_run` FOREIGN KEY (`run_id`) REFERENCES `crm_action_runs` (`id`) ON DELETE CASCADE);
-- create index "recordwrite_run_id" to table: "record_writes"
CREATE UNIQUE INDEX `recordwrite_run_id` ON `record_writes` (`run_id`);
-- create index "recordwrite_record_id_created_at" to table: "record_writes"
CREATE INDEX `recordwrite_record_id_created_at` ON `record_writes` (`record_id`, `created_at`);
-- create index "recordwrite_open_due_at" to table: "record_writes"
CREATE INDEX `recordwrite_open_due_at` ON `record_writes` (`open`, `due_at`);
-- create index "recordwrite_connection_id_status" to table: "record_writes"
CREATE INDEX `recordwrite_connection_id_status` ON `record_writes` (`connection_id`, `status`);

-- +goose Down
-- reverse: create index "recordwrite_connection_id_status" to table: "record_writes"
DROP INDEX `recordwrite_connection_id_status`;
-- reverse: create index "recordwrite_open_due_at" to table: "record_writes"
DROP INDEX `recordwrite_open_due_at`;
-- reverse: create index "recordwrite_record_id_created_at" to table: "record_writes"
DROP INDEX `recordwrite_record_id_created_at`;
-- reverse: create index "recordwrite_run_id" to table: "record_writes"
DROP INDEX `recordwrite_run_id`;
-- reverse: create "record_writes" table
DROP TABLE `record_writes`;
