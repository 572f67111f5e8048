-- +goose Up
-- Words are now kept behind an era and a channel, too. The index in that layout is built
-- from what is there, in two sets of tables and a state of its own.
-- add column "era" to table: "search_buckets"; first, since whoever writes the index
-- reads that table before any other of it
ALTER TABLE "search_buckets" ADD COLUMN "era" bigint NOT NULL DEFAULT 0;
-- create the tables of generation 2
CREATE TABLE "search_texts_2" ("spot" bigint NOT NULL, "message_id" bigint NOT NULL, "conversation_id" bigint NOT NULL, "tokens" tsvector NOT NULL, PRIMARY KEY ("spot", "message_id"));
CREATE INDEX "search_texts_2_tokens" ON "search_texts_2" USING gin ("tokens") WITH (gin_pending_list_limit = 256);
CREATE TABLE "search_people_2" ("conversation_id" bigint NOT NULL, "tokens" tsvector NOT NULL, PRIMARY KEY ("conversation_id"));
CREATE INDEX "search_people_2_tokens" ON "search_people_2" USING gin ("tokens") WITH (gin_pending_list_limit = 256);
-- create the tables of generation 3
CREATE TABLE "search_texts_3" ("spot" bigint NOT NULL, "message_id" bigint NOT NULL, "conversation_id" bigint NOT NULL, "tokens" tsvector NOT NULL, PRIMARY KEY ("spot", "message_id"));
CREATE INDEX "search_texts_3_tokens" ON "search_texts_3" USING gin ("tokens") WITH (gin_pending_list_limit = 256);
CREATE TABLE "search_people_3" ("conversation_id" bigint NOT NULL, "tokens" tsvector NOT NULL, PRIMARY KEY ("conversation_id"));
CREATE INDEX "search_people_3_tokens" ON "search_people_3" USING gin ("tokens") WITH (gin_pending_list_limit = 256);
-- The tables of the layout before stay as they are: servers of the last version search and
-- write them. "parley search rebuild" empties them.

-- +goose Down
-- reverse: create "search_people_3" table
DROP TABLE "search_people_3";
-- reverse: create "search_texts_3" table
DROP TABLE "search_texts_3";
-- reverse: create "search_people_2" table
DROP TABLE "search_people_2";
-- reverse: create "search_texts_2" table
DROP TABLE "search_texts_2";
-- reverse: what the new layout keeps in the tables of both
DELETE FROM "search_buckets" WHERE "generation" > 1;
DELETE FROM "search_states" WHERE "id" > 1;
-- reverse: add column "era" to table: "search_buckets"
ALTER TABLE "search_buckets" DROP COLUMN "era";
