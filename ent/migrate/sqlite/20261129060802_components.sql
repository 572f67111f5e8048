-- +goose Up
-- add column "asked_id" to table: "conversations"
ALTER TABLE `conversations` ADD COLUMN `asked_id` integer NOT NULL DEFAULT (0);
-- create "components" table
CREATE TABLE `components` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `name_key` text NOT NULL, `developer_name` text NOT NULL, `kind` text NOT NULL, `description` text NOT NULL DEFAULT (''), `version` integer NOT NULL, `archived` bool NOT NULL DEFAULT (false), `used` bool NOT NULL DEFAULT (false), `created_at` integer NOT NULL, `updated_at` integer NOT NULL DEFAULT (0));
-- create index "components_developer_name_key" to table: "components"
CREATE UNIQUE INDEX `components_developer_name_key` ON `components` (`developer_name`);
-- create index "component_name_key" to table: "components"
CREATE INDEX `component_name_key` ON `components` (`name_key`);
-- create "component_answers" table
CREATE TABLE `component_answers` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `message_id` integer NOT NULL, `component_id` integer NOT NULL, `option` integer NOT NULL, `created_at` integer NOT NULL);
-- create index "component_answers_message_id_key" to table: "component_answers"
CREATE UNIQUE INDEX `component_answers_message_id_key` ON `component_answers` (`message_id`);
-- create index "componentanswer_component_id" to table: "component_answers"
CREATE INDEX `componentanswer_component_id` ON `component_answers` (`component_id`);
-- create "component_versions" table
CREATE TABLE `component_versions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `number` integer NOT NULL, `design` json NOT NULL, `author_id` integer NOT NULL, `created_at` integer NOT NULL, `component_id` integer NOT NULL, CONSTRAINT `component_versions_components_component` FOREIGN KEY (`component_id`) REFERENCES `components` (`id`) ON DELETE NO ACTION);
-- create index "componentversion_component_id_number" to table: "component_versions"
CREATE UNIQUE INDEX `componentversion_component_id_number` ON `component_versions` (`component_id`, `number`);

-- +goose Down
-- reverse: create index "componentversion_component_id_number" to table: "component_versions"
DROP INDEX `componentversion_component_id_number`;
-- reverse: create "component_versions" table
DROP TABLE `component_versions`;
-- reverse: create index "componentanswer_component_id" to table: "component_answers"
DROP INDEX `componentanswer_component_id`;
-- reverse: create index "component_answers_message_id_key" to table: "component_answers"
DROP INDEX `component_answers_message_id_key`;
-- reverse: create "component_answers" table
DROP TABLE `component_answers`;
-- reverse: create index "component_name_key" to table: "components"
DROP INDEX `component_name_key`;
-- reverse: create index "components_developer_name_key" to table: "components"
DROP INDEX `components_developer_name_key`;
-- reverse: create "components" table
DROP TABLE `components`;
-- reverse: add column "asked_id" to table: "conversations"
ALTER TABLE `conversations` DROP COLUMN `asked_id`;
