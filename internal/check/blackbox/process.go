package blackbox

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is a "parley serve" that is killed and started again on the same
// database and address.
type Process struct {
	// Program is the path of the binary, behind a command that runs it, if any.
	Program []string
	// Address is where it listens; FreeAddress finds one.
	Address  string
	Database string
	// PublicURL is where carriers reach it, or a proxy before it; URL by default.
	PublicURL string
	// Args are further flags of serve.
	Args []string
	// Bounded keeps the bounds that an agent has by default; otherwise they have none,
	// since a few agents do the work of many.
	Bounded bool
	// Output takes the whole log, besides its end that Log tells; nil for nobody.
	Output io.Writer

	command *exec.Cmd
	ended   chan struct{}
	log     tail
}

// FreeAddress returns a loopback address where nothing listens.
func FreeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// URL is where the process is reached.
func (p *Process) URL() string { return "http://" + p.Address }

// Begin starts the process.
func (p *Process) Begin() error {
	args := append(append([]string(nil), p.Program[1:]...),
		"serve", "--addr", p.Address, "--database", p.Database, "--public-url", cmp.Or(p.PublicURL, p.URL()))
	p.command = exec.Command(p.Program[0], append(args, p.Args...)...) //nolint:gosec,noctx // the program a caller built; it ends by Kill or Stop
	p.command.Env = os.Environ()
	if !p.Bounded {
		p.command.Env = append(p.command.Env, "PARLEY_RATE=0", "PARLEY_IN_FLIGHT=0", "PARLEY_SENDS=0", "PARLEY_STARTS=0", "PARLEY_BULKS=0")
	}
	p.log.also = p.Output
	p.command.Stderr, p.command.WaitDelay = &p.log, time.Second
	if err := p.command.Start(); err != nil {
		return err
	}
	p.ended = make(chan struct{})
	go func(command *exec.Cmd, ended chan struct{}) {
		defer close(ended)
		_ = command.Wait() // tells that it was killed
	}(p.command, p.ended)
	return nil
}

// Start starts the process and waits until it can serve.
func (p *Process) Start(ctx context.Context) error {
	if err := p.Begin(); err != nil {
		return err
	}
	return p.Await(ctx, http.StatusOK)
}

// Await waits until /readyz answers with a status; 30 s at most.
func (p *Process) Await(ctx context.Context, status int) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client := &Client{URL: p.URL(), Timeout: 3 * time.Second}
	for {
		if client.Get(ctx, "/readyz") == status {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("the server ended by itself; its log ends with:\n%s", p.Log())
		case <-ctx.Done():
			return fmt.Errorf("/readyz did not answer %d in time; the server's log ends with:\n%s", status, p.Log())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Kill ends the process as a crash does: at once, wherever it stands.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Stop asks the process to end and waits until it has.
func (p *Process) Stop() { p.end(syscall.SIGTERM) }

func (p *Process) end(signal syscall.Signal) {
	if p.command == nil {
		return
	}
	_ = p.command.Process.Signal(signal) // it may have ended by itself
	<-p.ended
	p.command = nil
}

// PID is the running process's id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Log is the end of what the process has logged.
func (p *Process) Log() string { return p.log.String() }

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	end  []byte
	also io.Writer
}

const mostTail = 16 << 10

// Write implements io.Writer. It never fails, which would end the process.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.also != nil {
		_, _ = t.also.Write(b)
	}
	t.end = append(t.end, b...)
	if len(t.end) > 2*mostTail {
		t.end = bytes.Clone(t.end[len(t.end)-mostTail:])
	}
	return len(b), nil
}

// String is the last 4,000 bytes.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.end[max(0, len(t.end)-4000):])
}
