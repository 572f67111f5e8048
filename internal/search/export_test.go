package search

// Ways returns a Desk that changes from one way of looking to another at these
// numbers.
func (d *Desk) Ways(candidates, tried, step int) *Desk {
	return &Desk{d.Desk, d.Rows, d.Time, ways{candidates, tried, step}}
}
