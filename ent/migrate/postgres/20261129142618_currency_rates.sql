-- +goose Up
-- modify "organizations" table
ALTER TABLE "organizations" ADD COLUMN "currency_rates" jsonb NULL;

-- +goose Down
-- reverse: modify "organizations" table
ALTER TABLE "organizations" DROP COLUMN "currency_rates";
