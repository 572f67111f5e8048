-- +goose Up
ALTER TABLE `conversations` ADD COLUMN `first_seq` integer NOT NULL DEFAULT (1);

-- +goose Down
ALTER TABLE `conversations` DROP COLUMN `first_seq`;
