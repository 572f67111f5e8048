-- +goose Up
-- create "images" table
CREATE TABLE `images` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `content_type` text NOT NULL, `bytes` integer NOT NULL, `width` integer NOT NULL, `height` integer NOT NULL, `sha256` text NOT NULL, `file` text NOT NULL, `created_at` integer NOT NULL);
-- create index "images_sha256_key" to table: "images"
CREATE UNIQUE INDEX `images_sha256_key` ON `images` (`sha256`);
-- create "image_uses" table
CREATE TABLE `image_uses` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `image_id` integer NOT NULL, `component_id` integer NOT NULL, CONSTRAINT `image_uses_images_image` FOREIGN KEY (`image_id`) REFERENCES `images` (`id`) ON DELETE NO ACTION, CONSTRAINT `image_uses_components_component` FOREIGN KEY (`component_id`) REFERENCES `components` (`id`) ON DELETE CASCADE);
-- create index "imageuse_image_id_component_id" to table: "image_uses"
CREATE UNIQUE INDEX `imageuse_image_id_component_id` ON `image_uses` (`image_id`, `component_id`);
-- create index "imageuse_component_id" to table: "image_uses"
CREATE INDEX `imageuse_component_id` ON `image_uses` (`component_id`);

-- +goose Down
-- reverse: create index "imageuse_component_id" to table: "image_uses"
DROP INDEX `imageuse_component_id`;
-- reverse: create index "imageuse_image_id_component_id" to table: "image_uses"
DROP INDEX `imageuse_image_id_component_id`;
-- reverse: create "image_uses" table
DROP TABLE `image_uses`;
-- reverse: create index "images_sha256_key" to table: "images"
DROP INDEX `images_sha256_key`;
-- reverse: create "images" table
DROP TABLE `images`;
