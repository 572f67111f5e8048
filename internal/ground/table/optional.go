package table

// Optional is what the graph shows of a column that stores the zero value for none:
// a pointer to the value, or nil, which is null.
func Optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
