-- +goose Up
-- create "bulk_batches" table
CREATE TABLE `bulk_batches` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `operation_id` integer NOT NULL, `number` integer NOT NULL, `items` blob NOT NULL, `outcomes` blob NULL);
-- create index "bulkbatch_operation_id_number" to table: "bulk_batches"
CREATE UNIQUE INDEX `bulkbatch_operation_id_number` ON `bulk_batches` (`operation_id`, `number`);
-- create "bulk_operations" table
CREATE TABLE `bulk_operations` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `creator_id` integer NOT NULL, `action` text NOT NULL, `assignee_id` integer NOT NULL DEFAULT (0), `confirmed` bool NOT NULL DEFAULT (false), `idempotency_key` text NOT NULL, `state` text NOT NULL, `stop_reason` text NOT NULL DEFAULT (''), `total` integer NOT NULL, `batch_size` integer NOT NULL, `done` integer NOT NULL DEFAULT (0), `changed` integer NOT NULL DEFAULT (0), `refused` json NOT NULL, `holder` integer NOT NULL DEFAULT (0), `held_until` integer NOT NULL DEFAULT (0), `created_at` integer NOT NULL, `started_at` integer NOT NULL DEFAULT (0), `touched_at` integer NOT NULL DEFAULT (0), `finished_at` integer NOT NULL DEFAULT (0));
-- create index "bulkoperation_creator_id_id" to table: "bulk_operations"
CREATE INDEX `bulkoperation_creator_id_id` ON `bulk_operations` (`creator_id`, `id`);
-- create index "bulkoperation_finished_at" to table: "bulk_operations"
CREATE INDEX `bulkoperation_finished_at` ON `bulk_operations` (`finished_at`);

-- +goose Down
-- reverse: create index "bulkoperation_finished_at" to table: "bulk_operations"
DROP INDEX `bulkoperation_finished_at`;
-- reverse: create index "bulkoperation_creator_id_id" to table: "bulk_operations"
DROP INDEX `bulkoperation_creator_id_id`;
-- reverse: create "bulk_operations" table
DROP TABLE `bulk_operations`;
-- reverse: create index "bulkbatch_operation_id_number" to table: "bulk_batches"
DROP INDEX `bulkbatch_operation_id_number`;
-- reverse: create "bulk_batches" table
DROP TABLE `bulk_batches`;
