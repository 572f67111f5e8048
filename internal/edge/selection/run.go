package selection

import (
	"context"
	"slices"
	"sync"

	"parley/internal/ground/allowance"
	"parley/internal/ground/viewer"
)

// run is one answer under way: first everything that resolvers must tell is
// fetched, level by level, so that a batch is called once for all its parents;
// then the answer is written from the top to the end.
type run struct {
	ctx     context.Context //nolint:containedctx // a run is one call
	allowed *allowance.Allowance
	chunks  [][]byte // of the answer, before what w holds
	w       Writer
	columns []column
	stack   []any

	// sharing says that it is for many, and so ends where a chunk is full: then it is
	// tooLarge.
	sharing, tooLarge bool
}

// column holds what was fetched for a field: for every parent, in the order of
// the answer, its source, its object, or how many children its list has (-1 for
// none), which lie in children one after the other.
type column struct {
	values   []any
	counts   []int
	children []any

	parent, child int // how far it is written
}

// Bounds on what a run keeps for the next.
const (
	chunkBytes = 64 << 10
	keptBytes  = 256 << 10
	keptValues = 4096
)

// release puts the run back for another.
func (r *run) release() {
	for _, c := range r.chunks {
		if cap(c) <= keptBytes {
			c = c[:0]
			chunks.Put(&c)
		}
	}
	r.chunks, r.ctx, r.allowed = nil, nil, nil
	r.sharing, r.tooLarge = false, false
	if cap(r.w.b) > keptBytes || cap(r.stack) > keptValues {
		return
	}
	kept := 0
	for i := range r.columns {
		kept += r.columns[i].clear()
	}
	if kept > keptValues {
		return
	}
	r.w = Writer{b: r.w.b[:0]}
	clear(r.stack[:cap(r.stack)])
	r.stack = r.stack[:0]
	runs.Put(r)
}

// clear empties the column, and tells for how many values it has room.
func (c *column) clear() int {
	clear(c.values)
	clear(c.children)
	*c = column{values: c.values[:0], counts: c.counts[:0], children: c.children[:0]}
	return cap(c.values) + cap(c.counts) + cap(c.children)
}

// begin makes a run for an operation.
func (p *plan) begin(ctx context.Context) *run {
	r := runs.Get().(*run)
	r.ctx, r.allowed = ctx, allowance.FromContext(ctx)
	r.columns = slices.Grow(r.columns[:0], p.slots)[:p.slots]
	return r
}

// fetch fetches what the parents' staged fields need, and what theirs need.
func (r *run) fetch(ctx context.Context, o *object, parents []any, variables map[string]any) bool {
	for _, f := range o.staged {
		if !r.stage(ctx, f, parents, variables) {
			return false
		}
	}
	return true
}

func (r *run) stage(ctx context.Context, f *field, parents []any, variables map[string]any) bool {
	sources, ok := f.resolve(ctx, parents, variables)
	return ok && r.keep(ctx, f, sources, variables)
}

// resolve gives a field's sources; false after an error.
func (f *field) resolve(ctx context.Context, parents []any, variables map[string]any) (sources []any, ok bool) {
	if f.Resolve == nil && f.Batch == nil {
		return parents, true
	}
	if len(parents) == 0 {
		return nil, true
	}
	var fc Call
	var err error
	if f.Args != nil {
		if fc.Args, err = f.Args(ctx, f.field.ArgumentMap(variables)); err != nil {
			return nil, false
		}
	}
	if f.Of != "" {
		ctx = context.WithValue(ctx, fieldKey{}, f)
	}
	if f.Batch != nil {
		if f.Shared == SharedByAll {
			ctx = viewer.AsSystem(ctx, "shared field")
		}
		sources, err = f.Batch(ctx, parents, fc)
		return sources, err == nil
	}
	return f.each(ctx, parents, fc)
}

// each calls a resolver for one parent after the other.
func (f *field) each(ctx context.Context, parents []any, fc Call) ([]any, bool) {
	sources := make([]any, len(parents))
	for i, parent := range parents {
		var err error
		if sources[i], err = f.Resolve(ctx, parent, fc); err != nil {
			return nil, false
		}
	}
	return sources, true
}

// objectBytes is what an object that is kept counts as of what is read for the answer. It
// is about the least that is written of one, so that only what is too large is refused:
// lists inside lists, of which no price knows how long they are.
const objectBytes = 16

// keep puts what was fetched for a field into its column, and fetches what its
// objects need; not when they are too many.
func (r *run) keep(ctx context.Context, f *field, sources []any, variables map[string]any) bool {
	column := &r.columns[f.slot]
	if f.Of != "" && f.Many == nil && r.allowed.Read(ctx, objectBytes*len(sources)) != nil {
		return false
	}
	var objects []any
	switch {
	case f.Of == "":
		column.values = append(column.values, sources...)
	case f.Many != nil:
		for _, source := range sources {
			before := len(column.children)
			list, ok := f.Many(column.children, source)
			count := len(list) - before
			if !ok {
				count = -1
			}
			column.children, column.counts = list, append(column.counts, count)
			if r.allowed.Read(ctx, objectBytes*max(count, 1)) != nil {
				return false
			}
		}
		objects = column.children
	default:
		for _, source := range sources {
			var object any
			if source != nil {
				object = f.One(source)
			}
			column.values = append(column.values, object)
		}
		objects = column.values
	}
	return !f.stagedBelow() || r.fetchBelow(ctx, f, objects, variables)
}

func (r *run) fetchBelow(ctx context.Context, f *field, objects []any, variables map[string]any) bool {
	if f.of == nil {
		return r.fetch(ctx, f.on, compact(objects), variables)
	}
	byMember := make(map[*object][]any, len(f.members))
	for _, v := range objects {
		if on, v := f.pick(v); v != nil {
			byMember[on] = append(byMember[on], v)
		}
	}
	for _, on := range f.memberList() {
		if !r.fetch(ctx, on, byMember[on], variables) {
			return false
		}
	}
	return true
}

// compact leaves out nulls, which have no fields.
func compact(objects []any) []any {
	if !slices.Contains(objects, nil) {
		return objects
	}
	out := make([]any, 0, len(objects))
	for _, v := range objects {
		if v != nil {
			out = append(out, v)
		}
	}
	return out
}

// encode writes an object; false when the executor must.
func (r *run) encode(o *object, v any) bool {
	for _, f := range o.fields {
		r.w.b = append(r.w.b, f.key...)
		r.value(f, v)
		if len(r.w.b) >= chunkBytes {
			r.spill()
		}
	}
	r.w.b = append(r.w.b, o.end...)
	return !r.w.invalid
}

var chunks = sync.Pool{New: func() any { b := make([]byte, 0, chunkBytes+chunkBytes/4); return &b }}

// spill begins another chunk of the answer, unless that is more than the operation
// may take: then the rest of it is dropped.
func (r *run) spill() {
	r.tooLarge = r.sharing
	if r.tooLarge || r.w.invalid || r.allowed.Write(r.ctx, len(r.w.b)) != nil {
		r.w.invalid, r.w.b = true, r.w.b[:0]
		return
	}
	r.chunks = append(r.chunks, r.w.b)
	r.w.b = (*chunks.Get().(*[]byte))[:0]
}

// joined is the answer in one piece, which is not the run's.
func (r *run) joined() []byte { return slices.Concat(append(r.chunks, r.w.b)...) }

func (r *run) value(f *field, v any) {
	switch {
	case f.Of == "":
		r.leaf(f, v)
	case f.Many != nil:
		r.list(f, v)
	default:
		r.one(f, v)
	}
}

func (r *run) leaf(f *field, v any) {
	if f.slot >= 0 {
		c := &r.columns[f.slot]
		v = c.values[c.parent]
		c.parent++
	}
	f.Write(&r.w, v)
}

func (r *run) one(f *field, v any) {
	if f.slot >= 0 {
		c := &r.columns[f.slot]
		v = c.values[c.parent]
		c.parent++
	} else {
		v = f.One(v)
	}
	r.object(f, v, f.NonNull)
}

func (r *run) object(f *field, v any, nonNull bool) {
	on, v := f.pick(v)
	if v == nil {
		r.w.Null(nonNull)
		return
	}
	r.encode(on, v)
}

func (r *run) list(f *field, v any) {
	if f.slot < 0 {
		start := len(r.stack)
		list, ok := f.Many(r.stack, v)
		r.stack = list
		r.elements(f, list[start:], ok)
		r.stack = r.stack[:start]
		return
	}
	c := &r.columns[f.slot]
	count := c.counts[c.parent]
	c.parent++
	from := c.child
	c.child += max(count, 0)
	r.elements(f, c.children[from:c.child], count >= 0)
}

func (r *run) elements(f *field, objects []any, ok bool) {
	if !ok {
		r.w.Null(f.NonNull)
		return
	}
	r.w.b = append(r.w.b, '[')
	for i, v := range objects {
		if r.w.invalid {
			return
		}
		if i > 0 {
			r.w.b = append(r.w.b, ',')
		}
		r.object(f, v, f.ElemNonNull)
	}
	r.w.b = append(r.w.b, ']')
}
