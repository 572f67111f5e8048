package table

import (
	"encoding/json"
	"slices"

	"parley/internal/ground/store"
)

// Value is what one column holds of a T. Write and Same are nil in a column that is
// only read.
type Value[T any] struct {
	Read  func(into *T, from *store.Row, i int)
	Write func(from *T) any
	Same  func(a, b *T) bool
}

// Int is an integer, such as a number or a time.
func Int[T any, V ~int64](at func(*T) *V) Value[T] {
	return Value[T]{
		Read:  func(into *T, from *store.Row, i int) { *at(into) = V(from.Int(i)) },
		Write: func(from *T) any { return int64(*at(from)) },
		Same:  func(a, b *T) bool { return *at(a) == *at(b) },
	}
}

// Key is a reference: NULL when zero.
func Key[T any](at func(*T) *int64) Value[T] {
	v := Int(at)
	v.Write = func(from *T) any { return Nullable(*at(from)) }
	return v
}

// Nullable returns the key as it is stored: nil for zero.
func Nullable(key int64) any {
	if key == 0 {
		return nil
	}
	return key
}

// Text is text.
func Text[T any, V ~string](at func(*T) *V) Value[T] {
	return Value[T]{
		Read:  func(into *T, from *store.Row, i int) { *at(into) = V(from.Text(i)) },
		Write: func(from *T) any { return string(*at(from)) },
		Same:  func(a, b *T) bool { return *at(a) == *at(b) },
	}
}

// Bool is true or false.
func Bool[T any](at func(*T) *bool) Value[T] {
	return Value[T]{
		Read:  func(into *T, from *store.Row, i int) { *at(into) = from.Bool(i) },
		Write: func(from *T) any { return *at(from) },
		Same:  func(a, b *T) bool { return *at(a) == *at(b) },
	}
}

// Keys is a list of keys as JSON: NULL when empty.
func Keys[T any](at func(*T) *[]int64) Value[T] {
	return Value[T]{
		Read: func(into *T, from *store.Row, i int) { *at(into) = from.Keys(i) },
		Write: func(from *T) any {
			if len(*at(from)) == 0 {
				return nil
			}
			list, _ := json.Marshal(*at(from)) // integers always can be
			return string(list)
		},
		Same: func(a, b *T) bool { return slices.Equal(*at(a), *at(b)) },
	}
}
