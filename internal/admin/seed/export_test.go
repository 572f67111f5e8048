package seed

// InBatches has o go in with so many messages to a write.
func InBatches(o Options, messages int) Options {
	o.batch = messages
	return o
}
