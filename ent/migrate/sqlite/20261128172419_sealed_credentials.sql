-- +goose Up
-- add columns to table: "provider_accounts"
ALTER TABLE `provider_accounts` ADD COLUMN `sealed` blob NULL;
ALTER TABLE `provider_accounts` ADD COLUMN `last_used_at` integer NOT NULL DEFAULT (0);
ALTER TABLE `provider_accounts` ADD COLUMN `last_error` text NOT NULL DEFAULT ('');
ALTER TABLE `provider_accounts` ADD COLUMN `last_error_at` integer NOT NULL DEFAULT (0);

-- +goose Down
-- reverse: add columns to table: "provider_accounts"
ALTER TABLE `provider_accounts` DROP COLUMN `last_error_at`;
ALTER TABLE `provider_accounts` DROP COLUMN `last_error`;
ALTER TABLE `provider_accounts` DROP COLUMN `last_used_at`;
ALTER TABLE `provider_accounts` DROP COLUMN `sealed`;
