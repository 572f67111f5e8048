-- +goose Up
-- create "organizations" table
CREATE TABLE `organizations` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `time_zone` text NOT NULL DEFAULT ('UTC'), `country` text NOT NULL DEFAULT (''));
-- its one row, which an administrator names
INSERT INTO `organizations` (`name`) VALUES ('Parley');

-- +goose Down
-- reverse: create "organizations" table
DROP TABLE `organizations`;
