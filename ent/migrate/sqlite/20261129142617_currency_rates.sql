-- +goose Up
-- add column "currency_rates" to table: "organizations"
ALTER TABLE `organizations` ADD COLUMN `currency_rates` json NULL;

-- +goose Down
-- reverse: add column "currency_rates" to table: "organizations"
ALTER TABLE `organizations` DROP COLUMN `currency_rates`;
