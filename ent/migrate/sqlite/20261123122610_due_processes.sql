-- +goose Up
-- add column "due_at" to table: "conversations" (in place: a copy of the table would take long and hold the file)
ALTER TABLE `conversations` ADD COLUMN `due_at` integer NOT NULL DEFAULT (0);
-- Conversations whose window is open are due when it closes.
UPDATE conversations SET due_at = last_incoming_at + (SELECT CASE WHEN channels.type IN ('FACEBOOK', 'FACEBOOK_ENHANCED') THEN 604800000000 ELSE 86400000000 END FROM channels WHERE channels.id = channel_id)
 WHERE last_incoming_at > unixepoch() * 1000000 - 604800000000 AND channel_id IN (SELECT id FROM channels WHERE type IN ('WHATSAPP', 'WHATSAPP_ENHANCED', 'FACEBOOK', 'FACEBOOK_ENHANCED'));
UPDATE conversations SET due_at = 0 WHERE due_at > 0 AND due_at <= unixepoch() * 1000000;
-- create index "conversation_due" to table: "conversations"
CREATE INDEX `conversation_due` ON `conversations` (`due_at`) WHERE due_at > 0;
-- create "processes" table
CREATE TABLE `processes` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `host` text NOT NULL, `version` text NOT NULL, `bus` text NOT NULL DEFAULT (''), `started_at` integer NOT NULL DEFAULT (0), `seen_at` integer NOT NULL DEFAULT (0));
-- create index "processes_name_key" to table: "processes"
CREATE UNIQUE INDEX `processes_name_key` ON `processes` (`name`);

-- +goose Down
-- reverse: create index "processes_name_key" to table: "processes"
DROP INDEX `processes_name_key`;
-- reverse: create "processes" table
DROP TABLE `processes`;
-- reverse: create index "conversation_due" to table: "conversations"
DROP INDEX `conversation_due`;
-- reverse: add column "due_at" to table: "conversations"
ALTER TABLE `conversations` DROP COLUMN `due_at`;
