-- +goose Up
-- create "agents" table
CREATE TABLE `agents` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `username` text NOT NULL, `name` text NOT NULL, `role` text NOT NULL, `licensed` bool NOT NULL DEFAULT (true), `active` bool NOT NULL DEFAULT (true), `created_at` integer NOT NULL);
-- create index "agents_username_key" to table: "agents"
CREATE UNIQUE INDEX `agents_username_key` ON `agents` (`username`);
-- create "attempts" table
CREATE TABLE `attempts` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `conversation_id` integer NOT NULL, `number` integer NOT NULL, `status` text NOT NULL, `error_code` text NOT NULL DEFAULT (''), `detail` text NOT NULL DEFAULT (''), `provider_account_id` integer NOT NULL, `provider_id` text NULL, `throttled` integer NOT NULL DEFAULT (0), `updated_at` integer NOT NULL DEFAULT (0), `created_at` integer NOT NULL, `message_id` integer NOT NULL, CONSTRAINT `attempts_messages_attempts` FOREIGN KEY (`message_id`) REFERENCES `messages` (`id`) ON DELETE NO ACTION);
-- create index "attempt_message_id_number" to table: "attempts"
CREATE UNIQUE INDEX `attempt_message_id_number` ON `attempts` (`message_id`, `number`);
-- create index "attempt_lane" to table: "attempts"
CREATE INDEX `attempt_lane` ON `attempts` (`conversation_id`, `message_id`) WHERE status = 'QUEUED' OR status = 'SENDING';
-- create index "attempt_provider_account_id_provider_id" to table: "attempts"
CREATE INDEX `attempt_provider_account_id_provider_id` ON `attempts` (`provider_account_id`, `provider_id`) WHERE provider_id IS NOT NULL;
-- create "channels" table
CREATE TABLE `channels` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `type` text NOT NULL, `address` text NOT NULL, `name` text NOT NULL, `country` text NOT NULL DEFAULT (''), `required_consent` text NOT NULL DEFAULT (''), `active` bool NOT NULL DEFAULT (true), `created_at` integer NOT NULL, `provider_account_id` integer NOT NULL, `queue_id` integer NULL, CONSTRAINT `channels_provider_accounts_channels` FOREIGN KEY (`provider_account_id`) REFERENCES `provider_accounts` (`id`) ON DELETE NO ACTION, CONSTRAINT `channels_queues_channels` FOREIGN KEY (`queue_id`) REFERENCES `queues` (`id`) ON DELETE SET NULL);
-- create index "channel_provider_account_id_address" to table: "channels"
CREATE UNIQUE INDEX `channel_provider_account_id_address` ON `channels` (`provider_account_id`, `address`);
-- create index "channel_queue_id" to table: "channels"
CREATE INDEX `channel_queue_id` ON `channels` (`queue_id`);
-- create "conversations" table
CREATE TABLE `conversations` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `object_type` text NOT NULL DEFAULT (''), `assigned` bool NOT NULL DEFAULT (false), `name` text NOT NULL DEFAULT (''), `address` text NOT NULL, `preview` text NOT NULL DEFAULT (''), `last_message_at` integer NOT NULL DEFAULT (0), `last_message_id` integer NOT NULL DEFAULT (0), `last_direction` text NOT NULL DEFAULT (''), `last_incoming_at` integer NOT NULL DEFAULT (0), `is_unread` bool NOT NULL DEFAULT (false), `inbound_count` integer NOT NULL DEFAULT (0), `read_count` integer NOT NULL DEFAULT (0), `last_seq` integer NOT NULL DEFAULT (0), `sent_by` json NULL, `created_at` integer NOT NULL, `channel_id` integer NOT NULL, `owner_id` integer NULL, `messaging_user_id` integer NOT NULL, `queue_id` integer NULL, `record_id` integer NULL, CONSTRAINT `conversations_channels_conversations` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE NO ACTION, CONSTRAINT `conversations_agents_owner` FOREIGN KEY (`owner_id`) REFERENCES `agents` (`id`) ON DELETE SET NULL, CONSTRAINT `conversations_messaging_users_conversation` FOREIGN KEY (`messaging_user_id`) REFERENCES `messaging_users` (`id`) ON DELETE NO ACTION, CONSTRAINT `conversations_queues_conversations` FOREIGN KEY (`queue_id`) REFERENCES `queues` (`id`) ON DELETE SET NULL, CONSTRAINT `conversations_records_conversations` FOREIGN KEY (`record_id`) REFERENCES `records` (`id`) ON DELETE SET NULL);
-- create index "conversations_messaging_user_id_key" to table: "conversations"
CREATE UNIQUE INDEX `conversations_messaging_user_id_key` ON `conversations` (`messaging_user_id`);
-- create index "conversation_newest" to table: "conversations"
CREATE INDEX `conversation_newest` ON `conversations` (`last_message_at`, `id`);
-- create index "conversation_owner" to table: "conversations"
CREATE INDEX `conversation_owner` ON `conversations` (`owner_id`, `last_message_at`, `id`);
-- create index "conversation_channel" to table: "conversations"
CREATE INDEX `conversation_channel` ON `conversations` (`channel_id`, `last_message_at`, `id`);
-- create index "conversation_queue" to table: "conversations"
CREATE INDEX `conversation_queue` ON `conversations` (`queue_id`, `last_message_at`, `id`) WHERE queue_id IS NOT NULL;
-- create index "conversation_record" to table: "conversations"
CREATE INDEX `conversation_record` ON `conversations` (`record_id`, `last_message_at`, `id`) WHERE record_id IS NOT NULL;
-- create index "conversation_object" to table: "conversations"
CREATE INDEX `conversation_object` ON `conversations` (`object_type`, `last_message_at`, `id`) WHERE object_type <> '';
-- create index "conversation_channel_unassigned" to table: "conversations"
CREATE INDEX `conversation_channel_unassigned` ON `conversations` (`channel_id`, `last_message_at`, `id`) WHERE owner_id IS NULL;
-- create index "conversation_unread" to table: "conversations"
CREATE INDEX `conversation_unread` ON `conversations` (`last_message_at`, `id`) WHERE is_unread;
-- create index "conversation_owner_unread" to table: "conversations"
CREATE INDEX `conversation_owner_unread` ON `conversations` (`owner_id`, `last_message_at`, `id`) WHERE is_unread;
-- create index "conversation_channel_unread" to table: "conversations"
CREATE INDEX `conversation_channel_unread` ON `conversations` (`channel_id`, `last_message_at`, `id`) WHERE is_unread;
-- create "count_cells" table
CREATE TABLE `count_cells` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `owner_id` integer NOT NULL DEFAULT (0), `channel_id` integer NOT NULL, `queue_id` integer NOT NULL DEFAULT (0), `object_type` text NOT NULL DEFAULT (''), `conversations` integer NOT NULL DEFAULT (0), `with_inbound` integer NOT NULL DEFAULT (0), `unread` integer NOT NULL DEFAULT (0), `unread_inbound` integer NOT NULL DEFAULT (0), `new` integer NOT NULL DEFAULT (0));
-- create index "countcell_owner_id_channel_id_queue_id_object_type" to table: "count_cells"
CREATE UNIQUE INDEX `countcell_owner_id_channel_id_queue_id_object_type` ON `count_cells` (`owner_id`, `channel_id`, `queue_id`, `object_type`);
-- create index "countcell_channel_id" to table: "count_cells"
CREATE INDEX `countcell_channel_id` ON `count_cells` (`channel_id`);
-- create "events" table
CREATE TABLE `events` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `cause` text NOT NULL, `conversation_id` integer NOT NULL DEFAULT (0), `message_id` integer NOT NULL DEFAULT (0), `actor_id` integer NOT NULL DEFAULT (0), `idempotency_key` text NOT NULL DEFAULT (''), `facts` blob NOT NULL, `created_at` integer NOT NULL);
-- create "idempotency_keys" table
CREATE TABLE `idempotency_keys` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `agent_id` integer NOT NULL, `mutation` text NOT NULL, `key` text NOT NULL, `payload_hash` blob NOT NULL, `result_id` integer NOT NULL DEFAULT (0), `created_at` integer NOT NULL);
-- create index "idempotencykey_agent_id_mutation_key" to table: "idempotency_keys"
CREATE UNIQUE INDEX `idempotencykey_agent_id_mutation_key` ON `idempotency_keys` (`agent_id`, `mutation`, `key`);
-- create index "idempotencykey_created_at" to table: "idempotency_keys"
CREATE INDEX `idempotencykey_created_at` ON `idempotency_keys` (`created_at`);
-- create "lanes" table
CREATE TABLE `lanes` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `token` integer NOT NULL, `leased_until` integer NOT NULL DEFAULT (0));
-- create "log_heads" table
CREATE TABLE `log_heads` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `epoch` integer NOT NULL, `position` integer NOT NULL DEFAULT (0));
-- create "messages" table
CREATE TABLE `messages` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `seq` integer NOT NULL, `direction` text NOT NULL DEFAULT (''), `kind` text NOT NULL, `source` text NOT NULL, `text` text NOT NULL DEFAULT (''), `rest` blob NULL, `template_type` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT (''), `error_code` text NOT NULL DEFAULT (''), `inbound_ordinal` integer NOT NULL DEFAULT (0), `provider_account_id` integer NULL, `provider_id` text NULL, `provider_time` integer NOT NULL DEFAULT (0), `created_at` integer NOT NULL, `conversation_id` integer NOT NULL, `author_id` integer NULL, CONSTRAINT `messages_conversations_messages` FOREIGN KEY (`conversation_id`) REFERENCES `conversations` (`id`) ON DELETE NO ACTION, CONSTRAINT `messages_agents_author` FOREIGN KEY (`author_id`) REFERENCES `agents` (`id`) ON DELETE SET NULL);
-- create index "message_conversation_id_seq" to table: "messages"
CREATE UNIQUE INDEX `message_conversation_id_seq` ON `messages` (`conversation_id`, `seq`);
-- create index "message_provider_account_id_provider_id" to table: "messages"
CREATE UNIQUE INDEX `message_provider_account_id_provider_id` ON `messages` (`provider_account_id`, `provider_id`) WHERE provider_id IS NOT NULL;
-- create "messaging_users" table
CREATE TABLE `messaging_users` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `address` text NOT NULL, `name` text NOT NULL DEFAULT (''), `country` text NOT NULL DEFAULT (''), `locale` text NOT NULL DEFAULT (''), `consent_status` text NOT NULL, `created_at` integer NOT NULL, `channel_id` integer NOT NULL, CONSTRAINT `messaging_users_channels_messaging_users` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE NO ACTION);
-- create index "messaginguser_channel_id_address" to table: "messaging_users"
CREATE UNIQUE INDEX `messaginguser_channel_id_address` ON `messaging_users` (`channel_id`, `address`);
-- create index "messaginguser_address" to table: "messaging_users"
CREATE INDEX `messaginguser_address` ON `messaging_users` (`address`);
-- create "participants" table
CREATE TABLE `participants` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `last_message_at` integer NOT NULL DEFAULT (0), `conversation_id` integer NOT NULL, `agent_id` integer NOT NULL, CONSTRAINT `participants_conversations_participants` FOREIGN KEY (`conversation_id`) REFERENCES `conversations` (`id`) ON DELETE NO ACTION, CONSTRAINT `participants_agents_agent` FOREIGN KEY (`agent_id`) REFERENCES `agents` (`id`) ON DELETE NO ACTION);
-- create index "participant_conversation_id_agent_id" to table: "participants"
CREATE UNIQUE INDEX `participant_conversation_id_agent_id` ON `participants` (`conversation_id`, `agent_id`);
-- create index "participant_agent_id_last_message_at_conversation_id" to table: "participants"
CREATE INDEX `participant_agent_id_last_message_at_conversation_id` ON `participants` (`agent_id`, `last_message_at`, `conversation_id`);
-- create "permission_sets" table
CREATE TABLE `permission_sets` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `permissions` json NOT NULL);
-- create index "permission_sets_name_key" to table: "permission_sets"
CREATE UNIQUE INDEX `permission_sets_name_key` ON `permission_sets` (`name`);
-- create "provider_accounts" table
CREATE TABLE `provider_accounts` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `key` text NOT NULL, `provider` text NOT NULL, `name` text NOT NULL, `sid` text NOT NULL DEFAULT (''), `secret` text NOT NULL DEFAULT (''), `base_url` text NOT NULL DEFAULT (''), `active` bool NOT NULL DEFAULT (true), `created_at` integer NOT NULL);
-- create index "provider_accounts_key_key" to table: "provider_accounts"
CREATE UNIQUE INDEX `provider_accounts_key_key` ON `provider_accounts` (`key`);
-- create "queues" table
CREATE TABLE `queues` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL);
-- create index "queues_name_key" to table: "queues"
CREATE UNIQUE INDEX `queues_name_key` ON `queues` (`name`);
-- create "raw_inbounds" table
CREATE TABLE `raw_inbounds` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `provider_account_id` integer NOT NULL, `event_id` text NOT NULL, `state` text NOT NULL, `provider_id` text NOT NULL DEFAULT (''), `payload` blob NOT NULL, `error` text NOT NULL DEFAULT (''), `created_at` integer NOT NULL);
-- create index "rawinbound_provider_account_id_event_id" to table: "raw_inbounds"
CREATE UNIQUE INDEX `rawinbound_provider_account_id_event_id` ON `raw_inbounds` (`provider_account_id`, `event_id`);
-- create index "raw_inbound_pending" to table: "raw_inbounds"
CREATE INDEX `raw_inbound_pending` ON `raw_inbounds` (`provider_account_id`, `provider_id`) WHERE state = 'PENDING';
-- create index "raw_inbound_failed" to table: "raw_inbounds"
CREATE INDEX `raw_inbound_failed` ON `raw_inbounds` (`created_at`) WHERE state = 'FAILED';
-- create "records" table
CREATE TABLE `records` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `object_type` text NOT NULL, `external_id` text NOT NULL, `name` text NOT NULL DEFAULT (''), `mobile_number` text NOT NULL DEFAULT (''), `opted_out` bool NOT NULL DEFAULT (false), `updated_at` integer NOT NULL DEFAULT (0));
-- create index "record_object_type_external_id" to table: "records"
CREATE UNIQUE INDEX `record_object_type_external_id` ON `records` (`object_type`, `external_id`);
-- create index "record_mobile_number" to table: "records"
CREATE INDEX `record_mobile_number` ON `records` (`mobile_number`);
-- create "secrets" table
CREATE TABLE `secrets` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `value` blob NOT NULL);
-- create index "secrets_name_key" to table: "secrets"
CREATE UNIQUE INDEX `secrets_name_key` ON `secrets` (`name`);
-- create "agent_permission_sets" table
CREATE TABLE `agent_permission_sets` (`agent_id` integer NOT NULL, `permission_set_id` integer NOT NULL, PRIMARY KEY (`agent_id`, `permission_set_id`), CONSTRAINT `agent_permission_sets_agent_id` FOREIGN KEY (`agent_id`) REFERENCES `agents` (`id`) ON DELETE CASCADE, CONSTRAINT `agent_permission_sets_permission_set_id` FOREIGN KEY (`permission_set_id`) REFERENCES `permission_sets` (`id`) ON DELETE CASCADE);
-- create "channel_members" table
CREATE TABLE `channel_members` (`channel_id` integer NOT NULL, `agent_id` integer NOT NULL, PRIMARY KEY (`channel_id`, `agent_id`), CONSTRAINT `channel_members_channel_id` FOREIGN KEY (`channel_id`) REFERENCES `channels` (`id`) ON DELETE CASCADE, CONSTRAINT `channel_members_agent_id` FOREIGN KEY (`agent_id`) REFERENCES `agents` (`id`) ON DELETE CASCADE);
-- create "queue_members" table
CREATE TABLE `queue_members` (`queue_id` integer NOT NULL, `agent_id` integer NOT NULL, PRIMARY KEY (`queue_id`, `agent_id`), CONSTRAINT `queue_members_queue_id` FOREIGN KEY (`queue_id`) REFERENCES `queues` (`id`) ON DELETE CASCADE, CONSTRAINT `queue_members_agent_id` FOREIGN KEY (`agent_id`) REFERENCES `agents` (`id`) ON DELETE CASCADE);

-- +goose Down
-- reverse: create "queue_members" table
DROP TABLE `queue_members`;
-- reverse: create "channel_members" table
DROP TABLE `channel_members`;
-- reverse: create "agent_permission_sets" table
DROP TABLE `agent_permission_sets`;
-- reverse: create index "secrets_name_key" to table: "secrets"
DROP INDEX `secrets_name_key`;
-- reverse: create "secrets" table
DROP TABLE `secrets`;
-- reverse: create index "record_mobile_number" to table: "records"
DROP INDEX `record_mobile_number`;
-- reverse: create index "record_object_type_external_id" to table: "records"
DROP INDEX `record_object_type_external_id`;
-- reverse: create "records" table
DROP TABLE `records`;
-- reverse: create index "raw_inbound_failed" to table: "raw_inbounds"
DROP INDEX `raw_inbound_failed`;
-- reverse: create index "raw_inbound_pending" to table: "raw_inbounds"
DROP INDEX `raw_inbound_pending`;
-- reverse: create index "rawinbound_provider_account_id_event_id" to table: "raw_inbounds"
DROP INDEX `rawinbound_provider_account_id_event_id`;
-- reverse: create "raw_inbounds" table
DROP TABLE `raw_inbounds`;
-- reverse: create index "queues_name_key" to table: "queues"
DROP INDEX `queues_name_key`;
-- reverse: create "queues" table
DROP TABLE `queues`;
-- reverse: create index "provider_accounts_key_key" to table: "provider_accounts"
DROP INDEX `provider_accounts_key_key`;
-- reverse: create "provider_accounts" table
DROP TABLE `provider_accounts`;
-- reverse: create index "permission_sets_name_key" to table: "permission_sets"
DROP INDEX `permission_sets_name_key`;
-- reverse: create "permission_sets" table
DROP TABLE `permission_sets`;
-- reverse: create index "participant_agent_id_last_message_at_conversation_id" to table: "participants"
DROP INDEX `participant_agent_id_last_message_at_conversation_id`;
-- reverse: create index "participant_conversation_id_agent_id" to table: "participants"
DROP INDEX `participant_conversation_id_agent_id`;
-- reverse: create "participants" table
DROP TABLE `participants`;
-- reverse: create index "messaginguser_address" to table: "messaging_users"
DROP INDEX `messaginguser_address`;
-- reverse: create index "messaginguser_channel_id_address" to table: "messaging_users"
DROP INDEX `messaginguser_channel_id_address`;
-- reverse: create "messaging_users" table
DROP TABLE `messaging_users`;
-- reverse: create index "message_provider_account_id_provider_id" to table: "messages"
DROP INDEX `message_provider_account_id_provider_id`;
-- reverse: create index "message_conversation_id_seq" to table: "messages"
DROP INDEX `message_conversation_id_seq`;
-- reverse: create "messages" table
DROP TABLE `messages`;
-- reverse: create "log_heads" table
DROP TABLE `log_heads`;
-- reverse: create "lanes" table
DROP TABLE `lanes`;
-- reverse: create index "idempotencykey_created_at" to table: "idempotency_keys"
DROP INDEX `idempotencykey_created_at`;
-- reverse: create index "idempotencykey_agent_id_mutation_key" to table: "idempotency_keys"
DROP INDEX `idempotencykey_agent_id_mutation_key`;
-- reverse: create "idempotency_keys" table
DROP TABLE `idempotency_keys`;
-- reverse: create "events" table
DROP TABLE `events`;
-- reverse: create index "countcell_channel_id" to table: "count_cells"
DROP INDEX `countcell_channel_id`;
-- reverse: create index "countcell_owner_id_channel_id_queue_id_object_type" to table: "count_cells"
DROP INDEX `countcell_owner_id_channel_id_queue_id_object_type`;
-- reverse: create "count_cells" table
DROP TABLE `count_cells`;
-- reverse: create index "conversation_channel_unread" to table: "conversations"
DROP INDEX `conversation_channel_unread`;
-- reverse: create index "conversation_owner_unread" to table: "conversations"
DROP INDEX `conversation_owner_unread`;
-- reverse: create index "conversation_unread" to table: "conversations"
DROP INDEX `conversation_unread`;
-- reverse: create index "conversation_channel_unassigned" to table: "conversations"
DROP INDEX `conversation_channel_unassigned`;
-- reverse: create index "conversation_object" to table: "conversations"
DROP INDEX `conversation_object`;
-- reverse: create index "conversation_record" to table: "conversations"
DROP INDEX `conversation_record`;
-- reverse: create index "conversation_queue" to table: "conversations"
DROP INDEX `conversation_queue`;
-- reverse: create index "conversation_channel" to table: "conversations"
DROP INDEX `conversation_channel`;
-- reverse: create index "conversation_owner" to table: "conversations"
DROP INDEX `conversation_owner`;
-- reverse: create index "conversation_newest" to table: "conversations"
DROP INDEX `conversation_newest`;
-- reverse: create index "conversations_messaging_user_id_key" to table: "conversations"
DROP INDEX `conversations_messaging_user_id_key`;
-- reverse: create "conversations" table
DROP TABLE `conversations`;
-- reverse: create index "channel_queue_id" to table: "channels"
DROP INDEX `channel_queue_id`;
-- reverse: create index "channel_provider_account_id_address" to table: "channels"
DROP INDEX `channel_provider_account_id_address`;
-- reverse: create "channels" table
DROP TABLE `channels`;
-- reverse: create index "attempt_provider_account_id_provider_id" to table: "attempts"
DROP INDEX `attempt_provider_account_id_provider_id`;
-- reverse: create index "attempt_lane" to table: "attempts"
DROP INDEX `attempt_lane`;
-- reverse: create index "attempt_message_id_number" to table: "attempts"
DROP INDEX `attempt_message_id_number`;
-- reverse: create "attempts" table
DROP TABLE `attempts`;
-- reverse: create index "agents_username_key" to table: "agents"
DROP INDEX `agents_username_key`;
-- reverse: create "agents" table
DROP TABLE `agents`;
