package message

// Read returns the names of the columns that a message is read from.
func Read() []string { return messages.Names(whole) }
