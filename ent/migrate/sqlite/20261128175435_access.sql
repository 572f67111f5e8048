-- +goose Up
-- add columns "kind" and "tokens_valid_from" to table: "agents"
ALTER TABLE `agents` ADD COLUMN `kind` text NOT NULL DEFAULT ('PERSON');
ALTER TABLE `agents` ADD COLUMN `tokens_valid_from` integer NOT NULL DEFAULT (0);
-- create "access_tokens" table
CREATE TABLE `access_tokens` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `agent_id` integer NOT NULL, `name` text NOT NULL, `hash` blob NOT NULL, `scopes` json NOT NULL, `expires_at` integer NOT NULL, `creator_id` integer NOT NULL DEFAULT (0), `last_used_at` integer NOT NULL DEFAULT (0), `issued_at` integer NOT NULL, `created_at` integer NOT NULL);
-- create index "access_tokens_hash_key" to table: "access_tokens"
CREATE UNIQUE INDEX `access_tokens_hash_key` ON `access_tokens` (`hash`);
-- create index "accesstoken_agent_id" to table: "access_tokens"
CREATE INDEX `accesstoken_agent_id` ON `access_tokens` (`agent_id`);
-- create "signing_keys" table
CREATE TABLE `signing_keys` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `kid` text NOT NULL, `value` blob NULL, `retired_at` integer NOT NULL DEFAULT (0), `created_at` integer NOT NULL);
-- create index "signing_keys_kid_key" to table: "signing_keys"
CREATE UNIQUE INDEX `signing_keys_kid_key` ON `signing_keys` (`kid`);

-- +goose Down
-- reverse: create index "signing_keys_kid_key" to table: "signing_keys"
DROP INDEX `signing_keys_kid_key`;
-- reverse: create "signing_keys" table
DROP TABLE `signing_keys`;
-- reverse: create index "accesstoken_agent_id" to table: "access_tokens"
DROP INDEX `accesstoken_agent_id`;
-- reverse: create index "access_tokens_hash_key" to table: "access_tokens"
DROP INDEX `access_tokens_hash_key`;
-- reverse: create "access_tokens" table
DROP TABLE `access_tokens`;
-- reverse: add columns "kind" and "tokens_valid_from" to table: "agents"
ALTER TABLE `agents` DROP COLUMN `tokens_valid_from`;
ALTER TABLE `agents` DROP COLUMN `kind`;
