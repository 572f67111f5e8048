-- +goose Up
ALTER TABLE `conversations` ADD COLUMN `merged_into` integer NULL;
ALTER TABLE `conversations` ADD COLUMN `earlier_messages` integer NOT NULL DEFAULT (0);
ALTER TABLE `conversations` ADD COLUMN `earlier_inbound` integer NOT NULL DEFAULT (0);
ALTER TABLE `conversations` ADD COLUMN `own_read` integer NOT NULL DEFAULT (0);
ALTER TABLE `conversations` ADD COLUMN `own_state` text NOT NULL DEFAULT ('');
CREATE INDEX `conversation_merged` ON `conversations` (`merged_into`) WHERE merged_into IS NOT NULL;
ALTER TABLE `messaging_users` ADD COLUMN `merged_into` integer NULL;
ALTER TABLE `messaging_users` ADD COLUMN `merged_with` integer NULL;
ALTER TABLE `messaging_users` ADD COLUMN `merged_at` integer NOT NULL DEFAULT (0);
ALTER TABLE `messaging_users` ADD COLUMN `own_consent` text NOT NULL DEFAULT ('');
CREATE INDEX `messaging_user_merged` ON `messaging_users` (`merged_into`) WHERE merged_into IS NOT NULL;

-- +goose Down
DROP INDEX `messaging_user_merged`;
ALTER TABLE `messaging_users` DROP COLUMN `own_consent`;
ALTER TABLE `messaging_users` DROP COLUMN `merged_at`;
ALTER TABLE `messaging_users` DROP COLUMN `merged_with`;
ALTER TABLE `messaging_users` DROP COLUMN `merged_into`;
DROP INDEX `conversation_merged`;
ALTER TABLE `conversations` DROP COLUMN `own_state`;
ALTER TABLE `conversations` DROP COLUMN `own_read`;
ALTER TABLE `conversations` DROP COLUMN `earlier_inbound`;
ALTER TABLE `conversations` DROP COLUMN `earlier_messages`;
ALTER TABLE `conversations` DROP COLUMN `merged_into`;
