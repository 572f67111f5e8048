-- +goose Up
-- create "identities" table
CREATE TABLE `identities` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `issuer` text NOT NULL, `subject` text NOT NULL, `agent_id` integer NOT NULL, `last_seen_at` integer NOT NULL DEFAULT (0), `counts_from` integer NOT NULL DEFAULT (0));
-- create index "identity_issuer_subject" to table: "identities"
CREATE UNIQUE INDEX `identity_issuer_subject` ON `identities` (`issuer`, `subject`);
-- create index "identity_agent_id" to table: "identities"
CREATE INDEX `identity_agent_id` ON `identities` (`agent_id`);

-- +goose Down
-- reverse: create index "identity_agent_id" to table: "identities"
DROP INDEX `identity_agent_id`;
-- reverse: create index "identity_issuer_subject" to table: "identities"
DROP INDEX `identity_issuer_subject`;
-- reverse: create "identities" table
DROP TABLE `identities`;
