package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"parley/internal/check/blackbox"
)

// postgres is a PostgreSQL server of the scenario's own.
type postgres struct {
	programs, data, address string
	as                      *syscall.Credential // PostgreSQL refuses to run as root
	server                  *exec.Cmd
	ended                   chan struct{}
}

// newPostgres makes a database cluster and starts it.
func (t *trial) newPostgres(ctx context.Context) (*postgres, error) {
	p := &postgres{}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well formed
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return nil, errors.New("initdb is not here; install PostgreSQL's server, or leave these scenarios out by --without-postgres")
	}
	p.programs = filepath.Dir(found[len(found)-1])
	var err error
	if p.data, err = os.MkdirTemp("", "parley-chaos-postgres-"); err != nil {
		return nil, err
	}
	t.after(func() error { p.stop(syscall.SIGQUIT); return os.RemoveAll(p.data) })
	if os.Geteuid() == 0 {
		if err := p.becomePostgres(); err != nil {
			return nil, err
		}
	}
	if out, err := p.command(ctx, "initdb", "-D", p.data, "-U", "postgres", "-A", "trust").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	if p.address, err = blackbox.FreeAddress(ctx); err != nil {
		return nil, err
	}
	return p, p.start(ctx)
}

func (p *postgres) becomePostgres() error {
	u, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, errUID := strconv.Atoi(u.Uid)
	gid, errGID := strconv.Atoi(u.Gid)
	p.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return errors.Join(errUID, errGID, os.Chown(p.data, uid, gid))
}

func (p *postgres) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(p.programs, name), args...) //nolint:gosec // PostgreSQL's own programs
	c.Dir, c.SysProcAttr = p.data, &syscall.SysProcAttr{Credential: p.as}
	return c
}

// url names a database of the server, reached at an address.
func url(address, name string) string {
	return "postgres://postgres@" + address + "/" + name + "?sslmode=disable"
}

// start starts the server and waits until it answers. After a crash its old
// processes may still be ending, so it tries again.
func (p *postgres) start(ctx context.Context) error {
	_, err := eventually(ctx, 30*time.Second, "PostgreSQL starts", func() (bool, string) {
		if !p.runs() {
			if err := p.launch(); err != nil {
				return false, err.Error()
			}
		}
		err := p.exec(ctx, "SELECT 1")
		return err == nil, fmt.Sprint(err)
	})
	return err
}

func (p *postgres) runs() bool {
	if p.server == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *postgres) launch() error {
	host, port, err := net.SplitHostPort(p.address)
	if err != nil {
		return err
	}
	p.server = p.command(context.Background(), "postgres", "-D", p.data, "-h", host, "-p", port, "-k", p.data, "-c", "max_connections=100")
	if err := p.server.Start(); err != nil {
		return err
	}
	p.ended = make(chan struct{})
	go func(server *exec.Cmd, ended chan struct{}) {
		defer close(ended)
		_ = server.Wait() // tells how it was stopped
	}(p.server, p.ended)
	return nil
}

// stop ends the server: SIGINT is its fast stop, SIGQUIT the immediate one, and
// SIGKILL a crash.
func (p *postgres) stop(how syscall.Signal) {
	if p.runs() {
		_ = p.server.Process.Signal(how)
		<-p.ended
	}
}

func (p *postgres) exec(ctx context.Context, statement string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", url(p.address, "postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, statement)
	return err
}

// create makes a database and returns its URL.
func (p *postgres) create(ctx context.Context) (string, error) {
	return url(p.address, "parley"), p.exec(ctx, "CREATE DATABASE parley")
}

// restarted stops PostgreSQL under two processes, in turn in good order, at once
// and by a crash.
func restarted(ctx context.Context, t *trial) error {
	p, err := t.newPostgres(ctx)
	if err != nil {
		return err
	}
	database, err := p.create(ctx)
	if err != nil {
		return err
	}
	w, err := t.build(ctx, plan{database: database, processes: 2})
	if err != nil {
		return err
	}
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	l := w.start(ctx, rate/5)
	times, ways := t.times(9, 3), []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL}
	var slowest time.Duration
	for n := range times {
		if _, err := l.reaches(ctx, threads, 30*time.Second); err != nil {
			return err
		}
		p.stop(ways[n%len(ways)])
		if err := w.ready(ctx, http.StatusServiceUnavailable); err != nil {
			return err
		}
		wait(ctx, t.between(0, 2*time.Second))
		if err := p.start(ctx); err != nil {
			return err
		}
		back := time.Now()
		if err := w.ready(ctx, http.StatusOK); err != nil {
			return err
		}
		slowest = max(slowest, time.Since(back))
	}
	t.repeats("%d stops: fast, immediate and by kill -9 in turn", times)
	t.note("/readyz 200 again at most %s after PostgreSQL", round(slowest))
	return errors.Join(w.finish(ctx, l, c), l.only("503", "UNAVAILABLE", "TIMEOUT"))
}

// ready waits until every process says by /readyz whether it can serve.
func (w *world) ready(ctx context.Context, status int) error {
	for _, process := range w.processes {
		if err := process.Await(ctx, status); err != nil {
			return err
		}
	}
	return nil
}

// silent has connections to PostgreSQL go silent: one at its COMMIT, and all of
// them for a while.
func silent(ctx context.Context, t *trial) error {
	p, err := t.newPostgres(ctx)
	if err != nil {
		return err
	}
	database, err := p.create(ctx)
	if err != nil {
		return err
	}
	proxy, err := blackbox.StartProxy(ctx, p.address)
	if err != nil {
		return err
	}
	t.after(func() error { proxy.Close(); return nil })
	w, err := t.build(ctx, plan{database: database, reach: url(proxy.Address(), "parley")})
	if err != nil {
		return err
	}
	w.patient()
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	l := w.start(ctx, rate/10)
	var longest time.Duration
	ways := slices.Repeat([]func() error{
		func() error { return gone(ctx, proxy.SilenceAt("commit", false)) },
		func() error { return gone(ctx, proxy.SilenceAt("commit", true)) },
		func() error {
			proxy.Silence()
			wait(ctx, t.between(3*time.Second, 8*time.Second))
			proxy.Heal()
			return nil
		},
	}, t.times(2, 1))
	for _, silence := range ways[:t.times(len(ways), 2)] {
		if _, err := l.reaches(ctx, threads, 30*time.Second); err != nil {
			return err
		}
		if err := silence(); err != nil {
			return err
		}
		took, err := l.reaches(ctx, threads+1, 75*time.Second) // more than can be under way
		if err != nil {
			return err
		}
		longest = max(longest, took)
	}
	t.repeats("%d times: one connection before and after its COMMIT arrived, and all for 3 to 8 s", t.times(len(ways), 2))
	t.note("writes continued at most %s later", round(longest))
	return errors.Join(w.finish(ctx, l, c), l.only("503", "UNAVAILABLE", "TIMEOUT", "no answer in time"))
}

func gone(ctx context.Context, happened <-chan struct{}) error {
	select {
	case <-happened:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(10 * time.Second):
		return errors.New("no connection carried a COMMIT")
	}
}
