// Package idempotency makes creating mutations idempotent: the first request with a key
// does the work and its result is remembered in the same transaction; a repeat gets that
// result.
package idempotency

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/fault"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// KeyLifetime is how long the result of an idempotency key is remembered.
const KeyLifetime = 7 * 24 * time.Hour

// Do runs make for the first request with the key and returns its result; a
// repeat with the same input returns that result, repeated, without running
// anything. An error from make undoes the claim with the rest of the write, so a
// refusal is not remembered.
func Do(ctx context.Context, tx *store.Tx, mutation, key string, input any, make func() (int64, error)) (result int64, repeated bool, err error) {
	hash, err := hashOf(input)
	if err != nil {
		return 0, false, err
	}
	agent := viewer.FromContext(ctx).AgentID
	claimed, err := tx.Exec(ctx, claimKey.With(agent, mutation, key, hash, int64(tx.Now)))
	if err != nil {
		return 0, false, err
	}
	if claimed == 0 {
		result, err = remembered(ctx, tx, readKey.With(agent, mutation, key), hash)
		return result, true, err
	}
	if result, err = make(); err != nil {
		return 0, false, err
	}
	_, err = tx.Exec(ctx, keepResult.With(result, agent, mutation, key))
	return result, false, err
}

var (
	claimKey = store.Fixed(`INSERT INTO idempotency_keys (agent_id, mutation, key, payload_hash, result_id, created_at) VALUES (?, ?, ?, ?, 0, ?)
		ON CONFLICT (agent_id, mutation, key) DO NOTHING`)
	keepResult = store.Fixed("UPDATE idempotency_keys SET result_id = ? WHERE agent_id = ? AND mutation = ? AND key = ?")
	readKey    = store.Fixed("SELECT payload_hash, result_id FROM idempotency_keys WHERE agent_id = ? AND mutation = ? AND key = ?")
)

func remembered(ctx context.Context, tx *store.Tx, key store.Query, hash []byte) (result int64, err error) {
	var was []byte
	err = tx.Query(ctx, key, func(rows *sql.Rows) error { return rows.Scan(&was, &result) })
	if err == nil && !bytes.Equal(was, hash) {
		err = &fault.Error{
			Code: fault.IdempotencyConflict, Field: "input.idempotencyKey",
			Message: "This idempotency key was already used with different input. Use a new key for a new request.",
		}
	}
	return result, err
}

// hashOf is over the input's JSON, whose names and order stay as they are whatever
// the fields are called in Go: a tag keeps the name of one that is renamed, and one
// that is added is left out while it is empty. Otherwise retries across an update
// would be conflicts.
func hashOf(input any) ([]byte, error) {
	b, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}

// CheckKey bounds an idempotency key: 1 to 64 visible ASCII characters.
func CheckKey(key string) error {
	ok := len(key) >= 1 && len(key) <= 64
	for i := 0; ok && i < len(key); i++ {
		ok = key[i] > ' ' && key[i] < 0x7f
	}
	if !ok {
		return fault.Input("input.idempotencyKey", "An idempotency key must be 1 to 64 visible ASCII characters, such as a UUID.")
	}
	return nil
}

// Jobs remove keys that have had their time, once an hour.
func Jobs(s *store.Store) []job.Job {
	return []job.Job{job.Periodic{Name: "forget_keys", Every: time.Hour, Run: func(ctx context.Context) error {
		for {
			if n, err := Forget(ctx, s); err != nil || n == 0 {
				return err
			}
		}
	}}}
}

// Forget removes idempotency keys older than KeyLifetime, at most 10,000 at a
// time, and tells how many.
func Forget(ctx context.Context, s *store.Store) (n int64, err error) {
	err = s.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		old := tx.Builder().Select("id").From(entsql.Table("idempotency_keys")).
			Where(entsql.LT("created_at", int64(tx.Now.Add(-KeyLifetime)))).Limit(10_000)
		n, err = tx.Exec(ctx, tx.Builder().Delete("idempotency_keys").Where(entsql.In("id", old)))
		return err
	})
	return n, err
}
