-- +goose Up
-- modify "bulk_batches" table
ALTER TABLE "bulk_batches" ADD COLUMN "decided_at" bigint NOT NULL DEFAULT 0;
-- modify "conversations" table
ALTER TABLE "conversations" ADD COLUMN "topic" character varying NOT NULL DEFAULT '';
-- drop index "lookup_target_id_field" from table: "lookups"
DROP INDEX "lookup_target_id_field";
-- modify "lookups" table
ALTER TABLE "lookups" ADD COLUMN "record_type" character varying NOT NULL DEFAULT '';
-- create index "lookup_children" to table: "lookups"
CREATE INDEX "lookup_children" ON "lookups" ("target_id", "field", "record_type");
-- create index "lookup_unfilled" to table: "lookups"
CREATE INDEX "lookup_unfilled" ON "lookups" ("id") WHERE ((record_type)::text = ''::text);
-- modify "rejected_changes" table
ALTER TABLE "rejected_changes" ADD COLUMN "changed_at" bigint NOT NULL DEFAULT 0;

-- +goose Down
-- reverse: modify "rejected_changes" table
ALTER TABLE "rejected_changes" DROP COLUMN "changed_at";
-- reverse: create index "lookup_unfilled" to table: "lookups"
DROP INDEX "lookup_unfilled";
-- reverse: create index "lookup_children" to table: "lookups"
DROP INDEX "lookup_children";
-- reverse: modify "lookups" table
ALTER TABLE "lookups" DROP COLUMN "record_type";
-- reverse: drop index "lookup_target_id_field" from table: "lookups"
CREATE INDEX "lookup_target_id_field" ON "lookups" ("target_id", "field");
-- reverse: modify "conversations" table
ALTER TABLE "conversations" DROP COLUMN "topic";
-- reverse: modify "bulk_batches" table
ALTER TABLE "bulk_batches" DROP COLUMN "decided_at";
