-- +goose Up
-- modify "provider_accounts" table
ALTER TABLE "provider_accounts" ADD COLUMN "credentials" character varying NOT NULL DEFAULT '';

-- +goose Down
-- reverse: modify "provider_accounts" table
ALTER TABLE "provider_accounts" DROP COLUMN "credentials";
