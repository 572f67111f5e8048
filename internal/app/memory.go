package app

import (
	"os"
	"sync"
)

// slack is how much garbage may gather, at least, before Go collects it. With
// little in memory it would be collected after every 4 MB, some two hundred
// requests, and each time all that lives is looked through.
const slack = 16 << 20

// ballast is never touched, so that it takes no memory; but it counts as what
// lives, of which as much again may gather.
var ballast = sync.OnceValue(func() []byte {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	return make([]byte, slack)
})

// Slack gives Go's collector some slack, whose price does not grow with what lives
// as that of a higher GOGC does. GOGC or GOMEMLIMIT in the environment stand
// instead of it.
func Slack() { ballast() }
