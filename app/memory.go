package app

import (
	"os"
	"sync"
)

// slack is how much garbage may gather, at least, before Go collects it. With a small
// heap, Go would collect after every 4 MB, some 170 inbox pages, and mark the whole
// heap each time: 15 % of the instructions of a page.
const slack = 16 << 20

// ballast is never touched, so it takes no memory. It counts as live, and Go lets as
// much garbage gather again.
var ballast = sync.OnceValue(func() []byte {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	return make([]byte, slack)
})

// Slack lets Go's garbage collector wait for slack more bytes of garbage. Unlike a
// higher GOGC, it costs no more memory as the heap grows. GOGC or GOMEMLIMIT in the
// environment replace it.
func Slack() { ballast() }
