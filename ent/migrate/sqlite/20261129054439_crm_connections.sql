-- +goose Up
-- create "crm_connections" table
CREATE TABLE `crm_connections` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `key` text NOT NULL, `name` text NOT NULL, `kind` text NOT NULL, `active` bool NOT NULL DEFAULT (false), `settings` json NOT NULL, `sealed` blob NULL, `created_at` integer NOT NULL);
-- create index "crm_connections_key_key" to table: "crm_connections"
CREATE UNIQUE INDEX `crm_connections_key_key` ON `crm_connections` (`key`);
-- create "crm_syncs" table
CREATE TABLE `crm_syncs` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `progress` json NOT NULL, `holder` integer NOT NULL DEFAULT (0), `held_until` integer NOT NULL DEFAULT (0), `due_at` integer NOT NULL DEFAULT (0), `failures` integer NOT NULL DEFAULT (0), `problem` text NOT NULL DEFAULT (''), `problem_at` integer NOT NULL DEFAULT (0), `changed_at` integer NOT NULL DEFAULT (0), `taken` integer NOT NULL DEFAULT (0), `rejected` integer NOT NULL DEFAULT (0), `connection_id` integer NOT NULL, CONSTRAINT `crm_syncs_crm_connections_connection` FOREIGN KEY (`connection_id`) REFERENCES `crm_connections` (`id`) ON DELETE CASCADE);
-- create index "crmsync_connection_id" to table: "crm_syncs"
CREATE UNIQUE INDEX `crmsync_connection_id` ON `crm_syncs` (`connection_id`);
-- create "rejected_changes" table
CREATE TABLE `rejected_changes` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `object_type` text NOT NULL DEFAULT (''), `external_id` text NOT NULL DEFAULT (''), `operation` text NOT NULL DEFAULT (''), `body` text NOT NULL DEFAULT (''), `code` text NOT NULL, `field` text NOT NULL DEFAULT (''), `problem` text NOT NULL, `created_at` integer NOT NULL, `connection_id` integer NOT NULL, CONSTRAINT `rejected_changes_crm_connections_connection` FOREIGN KEY (`connection_id`) REFERENCES `crm_connections` (`id`) ON DELETE CASCADE);
-- create index "rejectedchange_connection_id_object_type_external_id" to table: "rejected_changes"
CREATE INDEX `rejectedchange_connection_id_object_type_external_id` ON `rejected_changes` (`connection_id`, `object_type`, `external_id`);
-- create "taken_webhooks" table
CREATE TABLE `taken_webhooks` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `event_id` text NOT NULL, `created_at` integer NOT NULL, `connection_id` integer NOT NULL, CONSTRAINT `taken_webhooks_crm_connections_connection` FOREIGN KEY (`connection_id`) REFERENCES `crm_connections` (`id`) ON DELETE CASCADE);
-- create index "takenwebhook_connection_id_event_id" to table: "taken_webhooks"
CREATE UNIQUE INDEX `takenwebhook_connection_id_event_id` ON `taken_webhooks` (`connection_id`, `event_id`);
-- create index "takenwebhook_created_at" to table: "taken_webhooks"
CREATE INDEX `takenwebhook_created_at` ON `taken_webhooks` (`created_at`);

-- +goose Down
-- reverse: create index "takenwebhook_created_at" to table: "taken_webhooks"
DROP INDEX `takenwebhook_created_at`;
-- reverse: create index "takenwebhook_connection_id_event_id" to table: "taken_webhooks"
DROP INDEX `takenwebhook_connection_id_event_id`;
-- reverse: create "taken_webhooks" table
DROP TABLE `taken_webhooks`;
-- reverse: create index "rejectedchange_connection_id_object_type_external_id" to table: "rejected_changes"
DROP INDEX `rejectedchange_connection_id_object_type_external_id`;
-- reverse: create "rejected_changes" table
DROP TABLE `rejected_changes`;
-- reverse: create index "crmsync_connection_id" to table: "crm_syncs"
DROP INDEX `crmsync_connection_id`;
-- reverse: create "crm_syncs" table
DROP TABLE `crm_syncs`;
-- reverse: create index "crm_connections_key_key" to table: "crm_connections"
DROP INDEX `crm_connections_key_key`;
-- reverse: create "crm_connections" table
DROP TABLE `crm_connections`;
