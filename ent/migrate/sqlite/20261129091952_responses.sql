-- +goose Up
-- add column "auto_responses" to table: "channels"
ALTER TABLE `channels` ADD COLUMN `auto_responses` json NULL;
-- add column "sealed" to table: "components"
ALTER TABLE `components` ADD COLUMN `sealed` blob NULL;
-- add column "message_id" to table: "crm_action_runs"
ALTER TABLE `crm_action_runs` ADD COLUMN `message_id` integer NOT NULL DEFAULT (0);
-- add column "time_zone" to table: "messaging_users"
ALTER TABLE `messaging_users` ADD COLUMN `time_zone` text NOT NULL DEFAULT ('');
-- create "auto_responses" table
CREATE TABLE `auto_responses` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `conversation_id` integer NOT NULL, `moment` text NOT NULL, `session_id` integer NOT NULL DEFAULT (0), `message_id` integer NOT NULL, `created_at` integer NOT NULL);
-- create index "autoresponse_conversation_id_moment_session_id" to table: "auto_responses"
CREATE UNIQUE INDEX `autoresponse_conversation_id_moment_session_id` ON `auto_responses` (`conversation_id`, `moment`, `session_id`);

-- +goose Down
-- reverse: create index "autoresponse_conversation_id_moment_session_id" to table: "auto_responses"
DROP INDEX `autoresponse_conversation_id_moment_session_id`;
-- reverse: create "auto_responses" table
DROP TABLE `auto_responses`;
-- reverse: add column "time_zone" to table: "messaging_users"
ALTER TABLE `messaging_users` DROP COLUMN `time_zone`;
-- reverse: add column "message_id" to table: "crm_action_runs"
ALTER TABLE `crm_action_runs` DROP COLUMN `message_id`;
-- reverse: add column "sealed" to table: "components"
ALTER TABLE `components` DROP COLUMN `sealed`;
-- reverse: add column "auto_responses" to table: "channels"
ALTER TABLE `channels` DROP COLUMN `auto_responses`;
