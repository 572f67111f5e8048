-- +goose Up
-- create "former_anchors" table
CREATE TABLE `former_anchors` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `conversation_id` integer NOT NULL, `record_id` integer NOT NULL, CONSTRAINT `former_anchors_conversations_conversation` FOREIGN KEY (`conversation_id`) REFERENCES `conversations` (`id`) ON DELETE NO ACTION, CONSTRAINT `former_anchors_records_record` FOREIGN KEY (`record_id`) REFERENCES `records` (`id`) ON DELETE NO ACTION);
-- create index "formeranchor_conversation_id" to table: "former_anchors"
CREATE UNIQUE INDEX `formeranchor_conversation_id` ON `former_anchors` (`conversation_id`);
-- create index "formeranchor_record_id" to table: "former_anchors"
CREATE INDEX `formeranchor_record_id` ON `former_anchors` (`record_id`);

-- +goose Down
-- reverse: create index "formeranchor_record_id" to table: "former_anchors"
DROP INDEX `formeranchor_record_id`;
-- reverse: create index "formeranchor_conversation_id" to table: "former_anchors"
DROP INDEX `formeranchor_conversation_id`;
-- reverse: create "former_anchors" table
DROP TABLE `former_anchors`;
