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
		return ok("Who may read the database's files is for the folder's access list to say."), nil
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
		return warn("Run chmod 600 "+strings.Join(open, " ")+" as their owner; a server may go on meanwhile.",
			"Other users of this machine have rights to the database, which holds the keys that tokens are made with and what customers wrote."), nil
	}
	return ok("The database's files are for their owner alone."), nil
}
