-- +goose Up
-- Words are now kept behind an era and a channel, too. The index in that layout is built
-- from what is there, in two sets of tables and a state of its own.
-- add column "era" to table: "search_buckets"
ALTER TABLE `search_buckets` ADD COLUMN `era` integer NOT NULL DEFAULT 0;
-- create the tables of generation 2
CREATE TABLE `search_places_2` (`spot` integer NOT NULL, `message_id` integer NOT NULL, `conversation_id` integer NOT NULL, PRIMARY KEY (`spot`, `message_id`)) WITHOUT ROWID;
CREATE VIRTUAL TABLE `search_texts_2` USING fts5(tokens, content='', columnsize=0, detail='none', tokenize='ascii');
CREATE VIRTUAL TABLE `search_people_2` USING fts5(tokens, content='', contentless_delete=1, detail='none', tokenize='ascii');
-- create the tables of generation 3
CREATE TABLE `search_places_3` (`spot` integer NOT NULL, `message_id` integer NOT NULL, `conversation_id` integer NOT NULL, PRIMARY KEY (`spot`, `message_id`)) WITHOUT ROWID;
CREATE VIRTUAL TABLE `search_texts_3` USING fts5(tokens, content='', columnsize=0, detail='none', tokenize='ascii');
CREATE VIRTUAL TABLE `search_people_3` USING fts5(tokens, content='', contentless_delete=1, detail='none', tokenize='ascii');
-- The tables of the layout before stay as they are: servers of the last version search and
-- write them. "parley search rebuild" empties them.

-- +goose Down
-- reverse: create "search_people_3" table
DROP TABLE `search_people_3`;
-- reverse: create "search_texts_3" table
DROP TABLE `search_texts_3`;
-- reverse: create "search_places_3" table
DROP TABLE `search_places_3`;
-- reverse: create "search_people_2" table
DROP TABLE `search_people_2`;
-- reverse: create "search_texts_2" table
DROP TABLE `search_texts_2`;
-- reverse: create "search_places_2" table
DROP TABLE `search_places_2`;
-- reverse: what the new layout keeps in the tables of both
DELETE FROM `search_buckets` WHERE `generation` > 1;
DELETE FROM `search_states` WHERE `id` > 1;
-- reverse: add column "era" to table: "search_buckets"
ALTER TABLE `search_buckets` DROP COLUMN `era`;
