-- +goose Up
-- create "quick_texts" table
CREATE TABLE `quick_texts` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `title` text NOT NULL, `title_key` text NOT NULL, `text` text NOT NULL, `folder` text NOT NULL DEFAULT (''), `scope` text NOT NULL, `creator_id` integer NOT NULL, `use_count` integer NOT NULL DEFAULT (0), `archived` bool NOT NULL DEFAULT (false), `created_at` integer NOT NULL, `updated_at` integer NOT NULL DEFAULT (0), `queue_id` integer NULL, CONSTRAINT `quick_texts_queues_queue` FOREIGN KEY (`queue_id`) REFERENCES `queues` (`id`) ON DELETE SET NULL);
-- create index "quicktext_scope_creator_id" to table: "quick_texts"
CREATE INDEX `quicktext_scope_creator_id` ON `quick_texts` (`scope`, `creator_id`);
-- create index "quicktext_queue_id" to table: "quick_texts"
CREATE INDEX `quicktext_queue_id` ON `quick_texts` (`queue_id`);

-- +goose Down
-- reverse: create index "quicktext_queue_id" to table: "quick_texts"
DROP INDEX `quicktext_queue_id`;
-- reverse: create index "quicktext_scope_creator_id" to table: "quick_texts"
DROP INDEX `quicktext_scope_creator_id`;
-- reverse: create "quick_texts" table
DROP TABLE `quick_texts`;
