// Package browser drives a headless Chromium against Parley's playground, cut off from
// every network except the loopback.
//
// It is for tests behind the build tag "browser", which need Chromium (chromium,
// chromium-browser or google-chrome on the PATH, or PARLEY_TEST_CHROMIUM). Without it a
// test fails; it is never skipped.
package browser

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Patience bounds every single wait in the browser.
const Patience = 30 * time.Second

// Check is one walk through the playground: what to do, and what must be seen.
type Check struct {
	// BaseURL is the server's address by a local name, such as
	// http://127.0.0.1:8080.
	BaseURL string
	// Address is where the playground is opened, with its key.
	Address string
	// Agent is the one that the picker must offer and that the walk chooses.
	Agent string
	// QueryTab is the title of a tab, which is the name of its operation. It is
	// run by the execute button, and its response must contain WantResponse.
	QueryTab, WantResponse string
	// SubscriptionTab is run the same way. Once its response contains WantOpen,
	// Trigger is called, and WantEvent must appear.
	SubscriptionTab, WantOpen string
	// Trigger makes the event happen. It runs on a goroutine of the test.
	Trigger func(t testing.TB)
	// WantEvent is text of the event.
	WantEvent string
	// Screenshot is the file to write a PNG of the last state to, also when a
	// step is not seen; empty for none.
	Screenshot string
}

// CheckPlayground opens the playground in a fresh browser, walks through c, and
// fails t when a step is not seen, when anything but c.BaseURL's host is asked
// for, when a request fails, or when the console shows an error.
func CheckPlayground(t testing.TB, c Check) {
	t.Helper()
	base, err := url.Parse(c.BaseURL)
	require.NoError(t, err)
	p := open(t, base.Host)
	p.picture = c.Screenshot
	p.load(c.Address)
	p.chooseAgent(c.Agent)

	p.openTab(c.QueryTab)
	p.execute()
	p.waitForResponse(c.WantResponse)

	p.openTab(c.SubscriptionTab)
	p.execute()
	p.waitForResponse(c.WantOpen)
	c.Trigger(t)
	p.waitForResponse(c.WantEvent)
	p.waitForResponse(c.WantOpen) // the frames before stay in sight

	p.screenshot()
	p.execute() // the same button stops a subscription
	p.openDialog()
	require.NotZero(t, p.log.requests(), "the browser's traffic was not seen")
	require.Empty(t, p.log.faults(), "what went wrong inside the browser")
}

// open starts a Chromium of its own with an empty profile, which may reach
// nothing but host on the loopback.
func open(t testing.TB, host string) *page {
	t.Helper()
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options(t)...)
	ctx, closeTab := chromedp.NewContext(allocator)
	p := &page{t: t, ctx: ctx, log: newLog(host)}
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until Chromium has left its profile
		closeTab()
		stop()
	})
	// No deadline here: Chromium lives as long as the context that started it.
	require.NoError(t, chromedp.Listen(ctx, p.log.observe))
	p.do(chromedp.EmulateViewport(1440, 900))
	return p
}

func options(t testing.TB) []chromedp.ExecAllocatorOption {
	return []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(executable(t)),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless,
		chromedp.NoSandbox, // CI runs as root in a container
		chromedp.DisableGPU,
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	}
}

func executable(t testing.TB) string {
	t.Helper()
	for _, name := range []string{os.Getenv("PARLEY_TEST_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.FailNow(t, "There is no Chromium here. Install it (apt-get install chromium) or name one in PARLEY_TEST_CHROMIUM.")
	return ""
}
