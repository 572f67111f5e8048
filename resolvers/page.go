package resolvers

import (
	"context"

	"parley/internal/conversation"
	"parley/internal/fault"
	"parley/internal/message"
)

// Page sizes: what a page holds when nobody says, and at most.
const (
	defaultPage = 20
	mostPage    = 100
)

// window is the page that first, after, last and before ask for.
type window struct {
	size     int
	backward bool
	cursor   string
}

func windowOf(first *int, after *string, last *int, before *string, backward bool) (w window, err error) {
	switch {
	case first != nil && last != nil:
		return w, fault.Input("last", "Give first or last, not both.")
	case first != nil && before != nil:
		return w, fault.Input("before", "`first` goes with `after`, `last` with `before`.")
	case last != nil && after != nil:
		return w, fault.Input("after", "`first` goes with `after`, `last` with `before`.")
	case after != nil && before != nil:
		return w, fault.Input("before", "Give after or before, not both.")
	}
	w = window{size: defaultPage, backward: backward}
	field, size, cursor := "first", first, after
	if last != nil || before != nil {
		field, size, cursor, w.backward = "last", last, before, true
	} else if first != nil || after != nil {
		w.backward = false
	}
	if cursor != nil {
		w.cursor = *cursor
	}
	if size == nil {
		return w, nil
	}
	if *size < 1 || *size > mostPage {
		return w, fault.Input(field, "A page holds 1 to %d; %d were asked for.", mostPage, *size)
	}
	w.size = *size
	return w, nil
}

func listWindow(first *int, after *string, last *int, before *string) (conversation.Window, error) {
	w, err := windowOf(first, after, last, before, false)
	return conversation.Window{Size: w.size, Backward: w.backward, Cursor: w.cursor}, err
}

// threadWindow shows the newest messages when nobody says which.
func threadWindow(first *int, after *string, last *int, before *string) (message.Window, error) {
	w, err := windowOf(first, after, last, before, true)
	return message.Window{Size: w.size, Backward: w.backward, Cursor: w.cursor}, err
}

// eachFrom gives every parent its object from one batch; nil for key 0 and for
// what the viewer may not see.
func eachFrom[P, O any](ctx context.Context, parents []P, key func(P) int64, batch func(context.Context, []int64) (map[int64]O, error)) ([]O, error) {
	out := make([]O, len(parents))
	var keys []int64
	for _, p := range parents {
		if k := key(p); k != 0 {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return out, nil
	}
	found, err := batch(ctx, keys)
	for i, p := range parents {
		out[i] = found[key(p)]
	}
	return out, err
}
