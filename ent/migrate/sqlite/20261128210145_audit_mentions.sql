-- +goose Up
-- create "audit_mentions" table
CREATE TABLE `audit_mentions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `entry_id` integer NOT NULL, `subject_type` text NOT NULL, `subject_id` integer NOT NULL);
-- create index "auditmention_subject_type_subject_id_entry_id" to table: "audit_mentions"
CREATE INDEX `auditmention_subject_type_subject_id_entry_id` ON `audit_mentions` (`subject_type`, `subject_id`, `entry_id`);
-- create index "auditmention_entry_id" to table: "audit_mentions"
CREATE INDEX `auditmention_entry_id` ON `audit_mentions` (`entry_id`);
-- of the entries that are there
INSERT INTO `audit_mentions` (`entry_id`, `subject_type`, `subject_id`)
SELECT e.id, json_extract(c.value, '$.o'), k.value FROM audit_entries AS e, json_each(CAST(e.changes AS TEXT)) AS c, json_each(c.value, '$.g') AS k
WHERE e.changes IS NOT NULL AND json_extract(c.value, '$.o') IS NOT NULL
UNION
SELECT e.id, json_extract(c.value, '$.o'), k.value FROM audit_entries AS e, json_each(CAST(e.changes AS TEXT)) AS c, json_each(c.value, '$.l') AS k
WHERE e.changes IS NOT NULL AND json_extract(c.value, '$.o') IS NOT NULL;

-- +goose Down
-- reverse: create index "auditmention_entry_id" to table: "audit_mentions"
DROP INDEX `auditmention_entry_id`;
-- reverse: create index "auditmention_subject_type_subject_id_entry_id" to table: "audit_mentions"
DROP INDEX `auditmention_subject_type_subject_id_entry_id`;
-- reverse: create "audit_mentions" table
DROP TABLE `audit_mentions`;
