-- +goose Up
-- create "audit_entries" table
CREATE TABLE `audit_entries` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `action` text NOT NULL, `actor_id` integer NOT NULL DEFAULT (0), `actor_name` text NOT NULL DEFAULT (''), `source` text NOT NULL DEFAULT (''), `subject_type` text NOT NULL DEFAULT (''), `subject_id` integer NOT NULL DEFAULT (0), `subject_name` text NOT NULL DEFAULT (''), `detail` text NOT NULL DEFAULT (''), `changes` blob NULL, `count` integer NOT NULL DEFAULT (1), `created_at` integer NOT NULL);
-- create index "auditentry_subject_type_subject_id" to table: "audit_entries"
CREATE INDEX `auditentry_subject_type_subject_id` ON `audit_entries` (`subject_type`, `subject_id`);
-- create index "auditentry_actor_id" to table: "audit_entries"
CREATE INDEX `auditentry_actor_id` ON `audit_entries` (`actor_id`);
-- create index "auditentry_created_at" to table: "audit_entries"
CREATE INDEX `auditentry_created_at` ON `audit_entries` (`created_at`);

-- +goose Down
-- reverse: create index "auditentry_created_at" to table: "audit_entries"
DROP INDEX `auditentry_created_at`;
-- reverse: create index "auditentry_actor_id" to table: "audit_entries"
DROP INDEX `auditentry_actor_id`;
-- reverse: create index "auditentry_subject_type_subject_id" to table: "audit_entries"
DROP INDEX `auditentry_subject_type_subject_id`;
-- reverse: create "audit_entries" table
DROP TABLE `audit_entries`;
