-- +goose Up
-- drop index "attempt_lane" from table: "attempts"
DROP INDEX "attempt_lane";
-- create index "attempt_lane" to table: "attempts"
CREATE INDEX "attempt_lane" ON "attempts" ("conversation_id", "message_id") WHERE status IN ('QUEUED', 'SENDING');

-- +goose Down
-- reverse: create index "attempt_lane" to table: "attempts"
DROP INDEX "attempt_lane";
-- reverse: drop index "attempt_lane" from table: "attempts"
CREATE INDEX "attempt_lane" ON "attempts" ("conversation_id", "id") WHERE status IN ('QUEUED', 'SENDING');
