// Package memo lets one query read the same thing only once, however many of its fields
// ask for it. What it remembers ends with the query.
package memo

import (
	"context"
	"sync"
)

type key struct{}

// NewContext returns a context whose work remembers what it reads.
func NewContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, key{}, &sync.Map{})
}

// Read returns what read gave to the first that asked for name under ctx. Where
// ctx remembers nothing, as in mutations and streams, it reads each time.
func Read[T any](ctx context.Context, name string, read func() (T, error)) (T, error) {
	kept, found := ctx.Value(key{}).(*sync.Map)
	if !found {
		return read()
	}
	once, _ := kept.LoadOrStore(name, sync.OnceValues(read))
	return once.(func() (T, error))()
}
