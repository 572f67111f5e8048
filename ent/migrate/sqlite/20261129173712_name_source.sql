-- +goose Up
-- modify "messaging_users" table
ALTER TABLE `messaging_users` ADD COLUMN `name_source` text NOT NULL DEFAULT ('');

-- +goose Down
-- reverse: modify "messaging_users" table
ALTER TABLE `messaging_users` DROP COLUMN `name_source`;
