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
-- The tables of the layout before are emptied. A process of the last version goes on
-- writing to them, and builds them again if it is left to run.
DELETE FROM `search_buckets`;
DELETE FROM `search_places_0`;
DELETE FROM `search_places_1`;
INSERT INTO `search_texts_0` (`search_texts_0`) VALUES ('delete-all');
INSERT INTO `search_texts_1` (`search_texts_1`) VALUES ('delete-all');
INSERT INTO `search_people_0` (`search_people_0`) VALUES ('delete-all');
INSERT INTO `search_people_1` (`search_people_1`) VALUES ('delete-all');
UPDATE `search_states` SET `building` = `serving`, `done_messages` = 0, `done_conversations` = 0, `last_message` = (SELECT COALESCE(MAX(`id`), 0) FROM `messages`), `last_conversation` = (SELECT COALESCE(MAX(`id`), 0) FROM `conversations`) WHERE `id` = 1;

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
