-- +goose Up
-- create "crm_actions" table
CREATE TABLE `crm_actions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `developer_name` text NOT NULL, `performs` text NOT NULL, `type` text NOT NULL, `description` text NOT NULL DEFAULT (''), `active` bool NOT NULL DEFAULT (true), `object_types` json NOT NULL, `parameters` json NOT NULL, `trigger` text NOT NULL DEFAULT (''), `conditions` json NOT NULL, `sealed` blob NULL);
-- create index "crm_actions_developer_name_key" to table: "crm_actions"
CREATE UNIQUE INDEX `crm_actions_developer_name_key` ON `crm_actions` (`developer_name`);
-- create "crm_action_runs" table
CREATE TABLE `crm_action_runs` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `record_id` integer NOT NULL DEFAULT (0), `subject_id` integer NOT NULL DEFAULT (0), `agent_id` integer NOT NULL DEFAULT (0), `trigger` text NOT NULL DEFAULT (''), `outcome` text NOT NULL, `code` text NOT NULL DEFAULT (''), `problem` text NOT NULL DEFAULT (''), `depth` integer NOT NULL DEFAULT (0), `cause` text NULL, `rerun_of` integer NOT NULL DEFAULT (0), `created_at` integer NOT NULL, `action_id` integer NOT NULL, `conversation_id` integer NULL, CONSTRAINT `crm_action_runs_crm_actions_action` FOREIGN KEY (`action_id`) REFERENCES `crm_actions` (`id`) ON DELETE NO ACTION, CONSTRAINT `crm_action_runs_conversations_conversation` FOREIGN KEY (`conversation_id`) REFERENCES `conversations` (`id`) ON DELETE SET NULL);
-- create index "crmactionrun_cause_action_id" to table: "crm_action_runs"
CREATE UNIQUE INDEX `crmactionrun_cause_action_id` ON `crm_action_runs` (`cause`, `action_id`);
-- create index "crmactionrun_action_id_subject_id_created_at" to table: "crm_action_runs"
CREATE INDEX `crmactionrun_action_id_subject_id_created_at` ON `crm_action_runs` (`action_id`, `subject_id`, `created_at`);
-- create index "crmactionrun_conversation_id" to table: "crm_action_runs"
CREATE INDEX `crmactionrun_conversation_id` ON `crm_action_runs` (`conversation_id`);
-- create index "crmactionrun_created_at" to table: "crm_action_runs"
CREATE INDEX `crmactionrun_created_at` ON `crm_action_runs` (`created_at`);
-- create "webhook_deliveries" table
CREATE TABLE `webhook_deliveries` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `event_id` text NOT NULL, `url` text NOT NULL, `body` text NOT NULL, `status` text NOT NULL, `tries` integer NOT NULL DEFAULT (0), `attempts` json NOT NULL, `due_at` integer NOT NULL DEFAULT (0), `created_at` integer NOT NULL, `run_id` integer NOT NULL, CONSTRAINT `webhook_deliveries_crm_action_runs_run` FOREIGN KEY (`run_id`) REFERENCES `crm_action_runs` (`id`) ON DELETE NO ACTION);
-- create index "webhookdelivery_run_id" to table: "webhook_deliveries"
CREATE UNIQUE INDEX `webhookdelivery_run_id` ON `webhook_deliveries` (`run_id`);

-- +goose Down
-- reverse: create index "webhookdelivery_run_id" to table: "webhook_deliveries"
DROP INDEX `webhookdelivery_run_id`;
-- reverse: create "webhook_deliveries" table
DROP TABLE `webhook_deliveries`;
-- reverse: create index "crmactionrun_created_at" to table: "crm_action_runs"
DROP INDEX `crmactionrun_created_at`;
-- reverse: create index "crmactionrun_conversation_id" to table: "crm_action_runs"
DROP INDEX `crmactionrun_conversation_id`;
-- reverse: create index "crmactionrun_action_id_subject_id_created_at" to table: "crm_action_runs"
DROP INDEX `crmactionrun_action_id_subject_id_created_at`;
-- reverse: create index "crmactionrun_cause_action_id" to table: "crm_action_runs"
DROP INDEX `crmactionrun_cause_action_id`;
-- reverse: create "crm_action_runs" table
DROP TABLE `crm_action_runs`;
-- reverse: create index "crm_actions_developer_name_key" to table: "crm_actions"
DROP INDEX `crm_actions_developer_name_key`;
-- reverse: create "crm_actions" table
DROP TABLE `crm_actions`;
