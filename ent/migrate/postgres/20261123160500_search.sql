-- +goose Up
-- Search has two sets of tables: one is read while the other may be built anew.
-- They are outside of the ent schema.
-- create "search_states" table
CREATE TABLE "search_states" ("id" bigint NOT NULL, "serving" bigint NOT NULL, "building" bigint NOT NULL, "version" bigint NOT NULL, "done_messages" bigint NOT NULL, "done_conversations" bigint NOT NULL, "last_message" bigint NOT NULL, "last_conversation" bigint NOT NULL, PRIMARY KEY ("id"));
-- create "search_buckets" table
CREATE TABLE "search_buckets" ("generation" bigint NOT NULL, "from_spot" bigint NOT NULL, "id" bigint NOT NULL, "first_message" bigint NOT NULL, PRIMARY KEY ("generation", "from_spot"));
-- create the tables of generation 0
CREATE TABLE "search_texts_0" ("spot" bigint NOT NULL, "message_id" bigint NOT NULL, "conversation_id" bigint NOT NULL, "tokens" tsvector NOT NULL, PRIMARY KEY ("spot", "message_id"));
CREATE INDEX "search_texts_0_tokens" ON "search_texts_0" USING gin ("tokens") WITH (gin_pending_list_limit = 256);
CREATE TABLE "search_people_0" ("conversation_id" bigint NOT NULL, "tokens" tsvector NOT NULL, PRIMARY KEY ("conversation_id"));
CREATE INDEX "search_people_0_tokens" ON "search_people_0" USING gin ("tokens") WITH (gin_pending_list_limit = 256);
-- create the tables of generation 1
CREATE TABLE "search_texts_1" ("spot" bigint NOT NULL, "message_id" bigint NOT NULL, "conversation_id" bigint NOT NULL, "tokens" tsvector NOT NULL, PRIMARY KEY ("spot", "message_id"));
CREATE INDEX "search_texts_1_tokens" ON "search_texts_1" USING gin ("tokens") WITH (gin_pending_list_limit = 256);
CREATE TABLE "search_people_1" ("conversation_id" bigint NOT NULL, "tokens" tsvector NOT NULL, PRIMARY KEY ("conversation_id"));
CREATE INDEX "search_people_1_tokens" ON "search_people_1" USING gin ("tokens") WITH (gin_pending_list_limit = 256);

-- +goose Down
-- reverse: create "search_people_1" table
DROP TABLE "search_people_1";
-- reverse: create "search_texts_1" table
DROP TABLE "search_texts_1";
-- reverse: create "search_people_0" table
DROP TABLE "search_people_0";
-- reverse: create "search_texts_0" table
DROP TABLE "search_texts_0";
-- reverse: create "search_buckets" table
DROP TABLE "search_buckets";
-- reverse: create "search_states" table
DROP TABLE "search_states";
