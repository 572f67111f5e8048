-- +goose Up
-- modify "conversations" table
ALTER TABLE "conversations" ADD COLUMN "merged_into" bigint NULL, ADD COLUMN "earlier_messages" bigint NOT NULL DEFAULT 0, ADD COLUMN "earlier_inbound" bigint NOT NULL DEFAULT 0, ADD COLUMN "own_read" bigint NOT NULL DEFAULT 0, ADD COLUMN "own_state" character varying NOT NULL DEFAULT '';
-- create index "conversation_merged" to table: "conversations"
CREATE INDEX "conversation_merged" ON "conversations" ("merged_into") WHERE (merged_into IS NOT NULL);
-- modify "messaging_users" table
ALTER TABLE "messaging_users" ADD COLUMN "merged_into" bigint NULL, ADD COLUMN "merged_with" bigint NULL, ADD COLUMN "merged_at" bigint NOT NULL DEFAULT 0, ADD COLUMN "own_consent" character varying NOT NULL DEFAULT '';
-- create index "messaging_user_merged" to table: "messaging_users"
CREATE INDEX "messaging_user_merged" ON "messaging_users" ("merged_into") WHERE (merged_into IS NOT NULL);

-- +goose Down
-- reverse: create index "messaging_user_merged" to table: "messaging_users"
DROP INDEX "messaging_user_merged";
-- reverse: modify "messaging_users" table
ALTER TABLE "messaging_users" DROP COLUMN "own_consent", DROP COLUMN "merged_at", DROP COLUMN "merged_with", DROP COLUMN "merged_into";
-- reverse: create index "conversation_merged" to table: "conversations"
DROP INDEX "conversation_merged";
-- reverse: modify "conversations" table
ALTER TABLE "conversations" DROP COLUMN "own_state", DROP COLUMN "own_read", DROP COLUMN "earlier_inbound", DROP COLUMN "earlier_messages", DROP COLUMN "merged_into";
