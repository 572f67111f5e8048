-- +goose Up
-- add columns to table: "agents"
ALTER TABLE `agents` ADD COLUMN `default_channel_id` integer NULL;
ALTER TABLE `agents` ADD COLUMN `time_zone` text NOT NULL DEFAULT ('');
ALTER TABLE `agents` ADD COLUMN `locale` text NOT NULL DEFAULT ('');
-- add columns to table: "channels"
ALTER TABLE `channels` ADD COLUMN `developer_name` text NOT NULL DEFAULT ('');
ALTER TABLE `channels` ADD COLUMN `send_limits` json NULL;
-- create "preferences" table
CREATE TABLE `preferences` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `frontend` text NOT NULL, `value` text NOT NULL, `agent_id` integer NOT NULL, CONSTRAINT `preferences_agents_preferences` FOREIGN KEY (`agent_id`) REFERENCES `agents` (`id`) ON DELETE NO ACTION);
-- create index "preference_agent_id_frontend" to table: "preferences"
CREATE UNIQUE INDEX `preference_agent_id_frontend` ON `preferences` (`agent_id`, `frontend`);

-- +goose Down
-- reverse: create index "preference_agent_id_frontend" to table: "preferences"
DROP INDEX `preference_agent_id_frontend`;
-- reverse: create "preferences" table
DROP TABLE `preferences`;
-- reverse: add columns to table: "channels"
ALTER TABLE `channels` DROP COLUMN `send_limits`;
ALTER TABLE `channels` DROP COLUMN `developer_name`;
-- reverse: add columns to table: "agents"
ALTER TABLE `agents` DROP COLUMN `locale`;
ALTER TABLE `agents` DROP COLUMN `time_zone`;
ALTER TABLE `agents` DROP COLUMN `default_channel_id`;
