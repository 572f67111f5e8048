package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"parley/internal/ground/clock"
)

// starts measures how large the program is, and how long it takes from its start
// until /readyz answers 200: on databases that are empty, and on full ones.
func (s *settings) starts(ctx context.Context, r *report) error {
	dir, err := os.MkdirTemp("", "parley-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program := filepath.Join(dir, "parley")
	if err := s.build(ctx, r, program); err != nil {
		return err
	}
	for _, kind := range []struct {
		name string
		own  func(context.Context) (string, func() error, error)
	}{
		{"SQLite", ownSQLite},
		{"PostgreSQL", s.ownPostgres},
	} {
		if err := s.startsOn(ctx, r, program, kind.name, kind.own); err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
	}
	return nil
}

// build makes the program as "make build" does, the second time without symbols.
func (s *settings) build(ctx context.Context, r *report, program string) error {
	note := "without the playground"
	if _, err := os.Stat("web/dist/manifest.json"); err == nil {
		note = "with the playground"
	}
	for _, as := range []struct{ name, flags string }{
		{"without symbols", "-s -w"},
		{"as make build makes it", ""},
	} {
		if err := buildProgram(ctx, program, as.flags); err != nil {
			return err
		}
		info, err := os.Stat(program)
		if err != nil {
			return err
		}
		r.add(figure{Group: "program", Name: as.name, Clients: 1, Kilobytes: float64(info.Size()) / 1000, Note: note})
	}
	return nil
}

func buildProgram(ctx context.Context, program, flags string) error {
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "sqlite_fts5", "-ldflags", flags, "-o", program, "./cmd/parley") //nolint:gosec // G204: flags and a path of ours
	command.Env = append(os.Environ(), "CGO_CFLAGS=-O2 -g0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

func (s *settings) startsOn(ctx context.Context, r *report, program, kind string, own func(context.Context) (string, func() error, error)) (err error) {
	full, drop, err := own(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	if err := s.fillAt(ctx, full, clock.Of(time.Now())); err != nil {
		return err
	}
	var onEmpty, onFull []time.Duration
	for range s.Rounds {
		took, err := timeStart(ctx, program, full)
		if err != nil {
			return err
		}
		onFull = append(onFull, took)
		empty, drop, err := own(ctx)
		if err != nil {
			return err
		}
		took, err = timeStart(ctx, program, empty)
		if err := errors.Join(err, drop()); err != nil {
			return err
		}
		onEmpty = append(onEmpty, took)
	}
	group := "start to ready on " + kind
	r.add(figure{Group: group, Name: "an empty database", Clients: 1, P50: percentile(onEmpty, 50)})
	r.add(figure{Group: group, Name: fmt.Sprintf("%d conversations", s.Conversations), Clients: 1, P50: percentile(onFull, 50)})
	return nil
}

// timeStart starts the program, and stops it when it is ready.
func timeStart(ctx context.Context, program, database string) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	process := exec.CommandContext(ctx, program, "serve", "--addr", "127.0.0.1:0")
	process.Env = append(os.Environ(), "PARLEY_DATABASE="+database, "PARLEY_CREATE=true") // the first may hold a password
	out, err := process.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := process.Start(); err != nil {
		return 0, err
	}
	err = untilReady(ctx, out)
	took = time.Since(began)
	_ = process.Process.Signal(os.Interrupt)
	_, _ = io.Copy(io.Discard, out)
	return took, errors.Join(err, process.Wait())
}

// untilReady reads where the program listens, and asks whether it is ready until
// it is.
func untilReady(ctx context.Context, out io.Reader) error {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		address, _, found := strings.Cut(lines.Text(), "/graphql")
		if !found {
			continue
		}
		_, address, _ = strings.Cut(address, "http://")
		for {
			status, err := get(ctx, "http://"+address+"/readyz")
			if err != nil || status == http.StatusOK {
				return err
			}
		}
	}
	return errors.Join(errors.New("it said nowhere where it listens"), lines.Err())
}

func get(ctx context.Context, url string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
