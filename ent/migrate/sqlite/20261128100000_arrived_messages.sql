-- +goose Up
-- What one attempt delivered is delivered, whatever became of a later one.
UPDATE messages SET error_code = '', status = (SELECT MAX(a.status) FROM attempts AS a WHERE a.message_id = messages.id AND a.status IN ('DELIVERED', 'READ'))
WHERE status NOT IN ('DELIVERED', 'READ') AND id IN (SELECT b.message_id FROM attempts AS b WHERE b.status IN ('DELIVERED', 'READ')
	AND EXISTS (SELECT 1 FROM attempts AS c WHERE c.message_id = b.message_id AND c.number > b.number));

-- +goose Down
-- Nothing to undo.
