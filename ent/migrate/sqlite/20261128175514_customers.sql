-- +goose Up
ALTER TABLE `messaging_users` ADD COLUMN `external_id` text NOT NULL DEFAULT ('');
CREATE INDEX `messaginguser_external_id` ON `messaging_users` (`external_id`) WHERE external_id <> '';
CREATE TABLE `consent_entries` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `messaging_user_id` integer NOT NULL, `status` text NOT NULL, `source` text NOT NULL, `reason` text NOT NULL DEFAULT (''), `actor_id` integer NOT NULL DEFAULT (0), `given_at` integer NOT NULL DEFAULT (0), `created_at` integer NOT NULL);
CREATE INDEX `consententry_messaging_user_id` ON `consent_entries` (`messaging_user_id`);

-- +goose Down
DROP INDEX `consententry_messaging_user_id`;
DROP TABLE `consent_entries`;
DROP INDEX `messaginguser_external_id`;
ALTER TABLE `messaging_users` DROP COLUMN `external_id`;
