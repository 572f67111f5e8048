package resolvers

import (
	"context"

	"parley/internal/ground/fault"
	"parley/internal/ground/page"
	"parley/internal/ground/viewer"
)

// Page sizes: what a page holds when nobody says, and at most.
const (
	defaultPage = 20
	mostPage    = 100
)

// end asks for a page from one end of a list: a size and a cursor, and the
// arguments they came in.
type end struct {
	size        *int
	cursor      *string
	sizeField   string
	cursorField string
}

func (e end) given() bool { return e.size != nil || e.cursor != nil }

func (e end) field() string {
	if e.size != nil {
		return e.sizeField
	}
	return e.cursorField
}

// windowOf checks what a page is asked for by. It runs backward when it is asked
// for from the end, and when nobody says and backward is the list's way.
func windowOf(first *int, after *string, last *int, before *string, backward bool) (page.Window, error) {
	front, back := end{first, after, "first", "after"}, end{last, before, "last", "before"}
	if front.given() && back.given() {
		return page.Window{}, fault.Input(back.field(), "Combine `first` with `after`, or `last` with `before`. Use only one of the pairs.")
	}
	if back.given() || backward && !front.given() {
		w, err := back.window()
		w.Backward = true
		return w, err
	}
	return front.window()
}

func (e end) window() (page.Window, error) {
	w := page.Window{Size: defaultPage}
	if e.cursor != nil {
		if w.Cursor = *e.cursor; w.Cursor == "" {
			return w, fault.Input(e.cursorField, "The cursor is empty. Pass a cursor from an edge, or leave it out.")
		}
	}
	if e.size != nil {
		if w.Size = *e.size; w.Size < 1 || w.Size > mostPage {
			return w, fault.Input(e.sizeField, "The page size must be 1 to %d, not %d.", mostPage, w.Size)
		}
	}
	return w, nil
}

// listWindow shows the first of a list when nobody says which.
func listWindow(first *int, after *string, last *int, before *string) (page.Window, error) {
	return windowOf(first, after, last, before, false)
}

// recordWindow takes `first` for what was not said when it is the default that
// the schema gives it, and the page is asked for from the end.
func recordWindow(first *int, after *string, last *int, before *string) (page.Window, error) {
	if first != nil && *first == defaultPage && (last != nil || before != nil) {
		first = nil
	}
	return listWindow(first, after, last, before)
}

// threadWindow shows the newest messages when nobody says which.
func threadWindow(first *int, after *string, last *int, before *string) (page.Window, error) {
	return windowOf(first, after, last, before, true)
}

// eachFrom gives every parent its object from one batch; nil for key 0. The
// parents were read under the viewer, and whoever sees them sees these: they are
// read as part of them, so that a change of rights between the two statements of
// a page cannot tear it.
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
	found, err := batch(viewer.AsSystem(ctx, "edge"), keys)
	for i, p := range parents {
		out[i] = found[key(p)]
	}
	return out, err
}
