package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"parley/internal/desk/formula/trial"
)

// formulaCmd runs formulas that come as JSON lines, so that whoever writes formulas can
// test them. It needs no database.
type formulaCmd struct {
	File string `arg:"" optional:"" type:"existingfile" help:"File of JSON objects, one a line; by default standard input."`
}

// mostLine is how long a line may be, in bytes.
const mostLine = 1 << 20

// Run implements the command.
func (c formulaCmd) Run(ctx context.Context, out io.Writer) error {
	in := io.Reader(os.Stdin)
	if c.File != "" {
		file, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	return answerFormulas(ctx, in, out)
}

// answerFormulas writes an answer for each line, in order, and keeps none back while it
// waits for more.
func answerFormulas(ctx context.Context, in io.Reader, out io.Writer) error {
	reader, writer := bufio.NewReaderSize(in, mostLine), bufio.NewWriter(out)
	for ctx.Err() == nil {
		line, whole, err := nextLine(reader)
		if len(line) > 0 || !whole {
			answer := trial.Problem(fmt.Sprintf("The line is longer than %d bytes.", mostLine))
			if whole {
				answer = trial.Answer(line, time.Now())
			}
			if _, err := writer.Write(answer); err != nil {
				return err
			}
		}
		if err != nil || reader.Buffered() == 0 {
			if flushed := writer.Flush(); flushed != nil {
				return flushed
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// nextLine reads a line with its end; of one that is too long only the end, and then it
// is not whole.
func nextLine(reader *bufio.Reader) (line []byte, whole bool, err error) {
	line, err = reader.ReadSlice('\n')
	for whole = true; errors.Is(err, bufio.ErrBufferFull); whole = false {
		line, err = reader.ReadSlice('\n')
	}
	return line, whole, err
}
