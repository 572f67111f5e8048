-- +goose Up
-- create "link_refusals" table
CREATE TABLE `link_refusals` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `unlinked` bool NOT NULL, `agent_id` integer NOT NULL, `created_at` integer NOT NULL, `messaging_user_id` integer NOT NULL, `record_id` integer NOT NULL, CONSTRAINT `link_refusals_messaging_users_messaging_user` FOREIGN KEY (`messaging_user_id`) REFERENCES `messaging_users` (`id`) ON DELETE NO ACTION, CONSTRAINT `link_refusals_records_record` FOREIGN KEY (`record_id`) REFERENCES `records` (`id`) ON DELETE NO ACTION);
-- create index "linkrefusal_messaging_user_id_record_id" to table: "link_refusals"
CREATE UNIQUE INDEX `linkrefusal_messaging_user_id_record_id` ON `link_refusals` (`messaging_user_id`, `record_id`);
-- create index "linkrefusal_record_id" to table: "link_refusals"
CREATE INDEX `linkrefusal_record_id` ON `link_refusals` (`record_id`);
-- create "linking_rules" table
CREATE TABLE `linking_rules` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `active` bool NOT NULL DEFAULT (true), `place` integer NOT NULL DEFAULT (0), `object_type` text NOT NULL, `match_fields` json NOT NULL, `mode` text NOT NULL, `timing` text NOT NULL, `channel_id` integer NOT NULL, CONSTRAINT `linking_rules_channels_channel` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE NO ACTION);
-- create index "linkingrule_channel_id" to table: "linking_rules"
CREATE INDEX `linkingrule_channel_id` ON `linking_rules` (`channel_id`);
-- create "record_links" table
CREATE TABLE `record_links` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `object_type` text NOT NULL, `reason` text NOT NULL, `field` text NOT NULL DEFAULT (''), `rule_id` integer NOT NULL DEFAULT (0), `agent_id` integer NOT NULL DEFAULT (0), `linked_at` integer NOT NULL DEFAULT (0), `messaging_user_id` integer NOT NULL, `record_id` integer NOT NULL, CONSTRAINT `record_links_messaging_users_messaging_user` FOREIGN KEY (`messaging_user_id`) REFERENCES `messaging_users` (`id`) ON DELETE NO ACTION, CONSTRAINT `record_links_records_record` FOREIGN KEY (`record_id`) REFERENCES `records` (`id`) ON DELETE NO ACTION);
-- create index "recordlink_messaging_user_id_object_type" to table: "record_links"
CREATE UNIQUE INDEX `recordlink_messaging_user_id_object_type` ON `record_links` (`messaging_user_id`, `object_type`);
-- create index "recordlink_record_id" to table: "record_links"
CREATE INDEX `recordlink_record_id` ON `record_links` (`record_id`);

-- +goose Down
-- reverse: create index "recordlink_record_id" to table: "record_links"
DROP INDEX `recordlink_record_id`;
-- reverse: create index "recordlink_messaging_user_id_object_type" to table: "record_links"
DROP INDEX `recordlink_messaging_user_id_object_type`;
-- reverse: create "record_links" table
DROP TABLE `record_links`;
-- reverse: create index "linkingrule_channel_id" to table: "linking_rules"
DROP INDEX `linkingrule_channel_id`;
-- reverse: create "linking_rules" table
DROP TABLE `linking_rules`;
-- reverse: create index "linkrefusal_record_id" to table: "link_refusals"
DROP INDEX `linkrefusal_record_id`;
-- reverse: create index "linkrefusal_messaging_user_id_record_id" to table: "link_refusals"
DROP INDEX `linkrefusal_messaging_user_id_record_id`;
-- reverse: create "link_refusals" table
DROP TABLE `link_refusals`;
