-- +goose Up
-- modify "provider_accounts" table
ALTER TABLE "provider_accounts" ADD COLUMN "sealed" bytea NULL, ADD COLUMN "last_used_at" bigint NOT NULL DEFAULT 0, ADD COLUMN "last_error" character varying NOT NULL DEFAULT '', ADD COLUMN "last_error_at" bigint NOT NULL DEFAULT 0;

-- +goose Down
-- reverse: modify "provider_accounts" table
ALTER TABLE "provider_accounts" DROP COLUMN "last_error_at", DROP COLUMN "last_error", DROP COLUMN "last_used_at", DROP COLUMN "sealed";
