-- +goose Up
-- Search has two sets of tables: one is read while the other may be built anew.
-- They are outside of the ent schema.
-- create "search_states" table
CREATE TABLE `search_states` (`id` integer NOT NULL PRIMARY KEY, `serving` integer NOT NULL, `building` integer NOT NULL, `version` integer NOT NULL, `done_messages` integer NOT NULL, `done_conversations` integer NOT NULL, `last_message` integer NOT NULL, `last_conversation` integer NOT NULL);
-- create "search_buckets" table
CREATE TABLE `search_buckets` (`generation` integer NOT NULL, `from_spot` integer NOT NULL, `id` integer NOT NULL, `first_message` integer NOT NULL, PRIMARY KEY (`generation`, `from_spot`)) WITHOUT ROWID;
-- create the tables of generation 0
CREATE TABLE `search_places_0` (`spot` integer NOT NULL, `message_id` integer NOT NULL, `conversation_id` integer NOT NULL, PRIMARY KEY (`spot`, `message_id`)) WITHOUT ROWID;
CREATE VIRTUAL TABLE `search_texts_0` USING fts5(tokens, content='', columnsize=0, detail='none', tokenize='ascii');
CREATE VIRTUAL TABLE `search_people_0` USING fts5(tokens, content='', contentless_delete=1, detail='none', tokenize='ascii');
-- create the tables of generation 1
CREATE TABLE `search_places_1` (`spot` integer NOT NULL, `message_id` integer NOT NULL, `conversation_id` integer NOT NULL, PRIMARY KEY (`spot`, `message_id`)) WITHOUT ROWID;
CREATE VIRTUAL TABLE `search_texts_1` USING fts5(tokens, content='', columnsize=0, detail='none', tokenize='ascii');
CREATE VIRTUAL TABLE `search_people_1` USING fts5(tokens, content='', contentless_delete=1, detail='none', tokenize='ascii');

-- +goose Down
-- reverse: create "search_people_1" table
DROP TABLE `search_people_1`;
-- reverse: create "search_texts_1" table
DROP TABLE `search_texts_1`;
-- reverse: create "search_places_1" table
DROP TABLE `search_places_1`;
-- reverse: create "search_people_0" table
DROP TABLE `search_people_0`;
-- reverse: create "search_texts_0" table
DROP TABLE `search_texts_0`;
-- reverse: create "search_places_0" table
DROP TABLE `search_places_0`;
-- reverse: create "search_buckets" table
DROP TABLE `search_buckets`;
-- reverse: create "search_states" table
DROP TABLE `search_states`;
