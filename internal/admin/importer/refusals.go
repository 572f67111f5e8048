package importer

import (
	"encoding/csv"
	"errors"
	"os"
	"strconv"
)

// RowRefusal is a row that was not taken in.
type RowRefusal struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// refusals write refused rows to a file, which is made with the first; to none without a
// path. What they need of memory does not grow with the rows.
type refusals struct {
	path string
	file *os.File
	out  *csv.Writer
}

func (r *refusals) add(line int, id, reason string) (err error) {
	if r.path == "" {
		return nil
	}
	if r.file == nil {
		if r.file, err = os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil { // it holds ids of customers
			return err
		}
		r.out = csv.NewWriter(r.file)
		if err := r.out.Write([]string{"Line", "Id", "Reason"}); err != nil {
			return err
		}
	}
	return r.out.Write([]string{strconv.Itoa(line), id, reason})
}

func (r *refusals) close() error {
	if r.file == nil {
		return nil
	}
	r.out.Flush()
	return errors.Join(r.out.Error(), r.file.Close())
}
