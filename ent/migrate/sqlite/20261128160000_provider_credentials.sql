-- +goose Up
-- add column "credentials" to table: "provider_accounts"
ALTER TABLE `provider_accounts` ADD COLUMN `credentials` text NOT NULL DEFAULT ('');

-- +goose Down
-- reverse: add column "credentials" to table: "provider_accounts"
ALTER TABLE `provider_accounts` DROP COLUMN `credentials`;
