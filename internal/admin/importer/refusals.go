package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// RowRefusal is a row that was not taken in.
type RowRefusal struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// RefusedRows are those that were not taken in.
type RefusedRows struct {
	Refused int64 `json:"refused"`
	// Refusals are the first mostShown. All are in the file, if one was named.
	Refusals []RowRefusal `json:"refusals"`
}

// refusals count refused rows, and write them to a file, which is made with the first; to
// none without a path. What they need of memory does not grow with the rows.
type refusals struct {
	rows *RefusedRows
	path string
	file *os.File
	out  *csv.Writer
}

// header is the first line of the file.
var header = []string{"Line", "Id", "Reason"}

// refusalsIn are refusals that go to a file, which must not be the one that is imported.
func refusalsIn(path, imported string, rows *RefusedRows) (refusals, error) {
	rows.Refusals = []RowRefusal{}

	is, err := os.Stat(path)
	from, fault := os.Stat(imported)
	if err == nil && fault == nil && os.SameFile(is, from) {
		return refusals{}, fmt.Errorf("--refused names the file that is imported: %s", path)
	}
	return refusals{rows: rows, path: path}, nil
}

func (r *refusals) add(line int, id, reason string) (err error) {
	r.rows.Refused++
	if len(r.rows.Refusals) < mostShown {
		r.rows.Refusals = append(r.rows.Refusals, RowRefusal{line, reason})
	}
	if r.path == "" {
		return nil
	}
	if r.file == nil {
		if r.file, err = os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil { // it holds ids of customers
			return err
		}
		r.out = csv.NewWriter(r.file)
		if err := r.out.Write(header); err != nil {
			return err
		}
	}
	return r.out.Write([]string{strconv.Itoa(line), id, reason})
}

// close ends the file. One that an earlier run left is taken away when all rows were read
// and none was refused.
func (r *refusals) close(whole bool) error {
	if r.file == nil {
		if !whole {
			return nil
		}
		if text, err := os.ReadFile(r.path); err == nil && strings.HasPrefix(string(text), strings.Join(header, ",")+"\n") {
			return os.Remove(r.path)
		}
		return nil
	}
	r.out.Flush()
	return errors.Join(r.out.Error(), r.file.Close())
}
