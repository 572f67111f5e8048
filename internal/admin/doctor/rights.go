package doctor

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// forOthers are the rights of users who do not own a file.
const forOthers = 0o077

// fileRights looks at who may read the SQLite file and those beside it: they hold the
// keys that tokens are made with.
func (e *examination) fileRights(context.Context) (Finding, error) {
	if runtime.GOOS == "windows" {
		return ok("The folder's access list decides who may read the database's files."), nil
	}
	file, err := filepath.EvalSymlinks(e.Database)
	if err != nil {
		return Finding{}, err
	}
	var open []string
	for _, beside := range []string{"", "-wal", "-shm", "-journal", ".lock"} {
		if info, err := os.Stat(file + beside); err == nil && info.Mode()&forOthers != 0 {
			open = append(open, file+beside)
		}
	}
	if len(open) > 0 {
		return warn("Run chmod 600 "+strings.Join(open, " ")+" as their owner; servers may keep running.",
			"Other users of this machine have access to the database, which contains the token keys and customers' messages."), nil
	}
	return ok("Only their owner can access the database's files."), nil
}
