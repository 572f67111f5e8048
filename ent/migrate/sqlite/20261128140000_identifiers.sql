-- +goose Up
-- create "identifiers" table
CREATE TABLE `identifiers` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `channel_id` integer NOT NULL, `kind` text NOT NULL, `lookup` text NOT NULL, `display` text NOT NULL, `received` text NOT NULL DEFAULT (''), `is_primary` bool NOT NULL, `created_at` integer NOT NULL, `messaging_user_id` integer NOT NULL, CONSTRAINT `identifiers_messaging_users_identifiers` FOREIGN KEY (`messaging_user_id`) REFERENCES `messaging_users` (`id`) ON DELETE NO ACTION);
-- every customer is known by their address
INSERT INTO identifiers (channel_id, messaging_user_id, kind, lookup, display, is_primary, created_at)
	SELECT u.channel_id, u.id, CASE WHEN u.address LIKE '+%' THEN 'PHONE_NUMBER' WHEN c.type LIKE 'SMS%' THEN 'SENDER_NAME' ELSE 'PLATFORM_ID' END,
		u.address, u.address, TRUE, u.created_at
	FROM messaging_users AS u JOIN channels AS c ON c.id = u.channel_id ORDER BY u.id;
-- create index "identifier_channel_id_lookup" to table: "identifiers"
CREATE UNIQUE INDEX `identifier_channel_id_lookup` ON `identifiers` (`channel_id`, `lookup`);
-- create index "identifier_messaging_user_id" to table: "identifiers"
CREATE INDEX `identifier_messaging_user_id` ON `identifiers` (`messaging_user_id`);

-- +goose Down
-- reverse: create index "identifier_messaging_user_id" to table: "identifiers"
DROP INDEX `identifier_messaging_user_id`;
-- reverse: create index "identifier_channel_id_lookup" to table: "identifiers"
DROP INDEX `identifier_channel_id_lookup`;
-- reverse: create "identifiers" table
DROP TABLE `identifiers`;
