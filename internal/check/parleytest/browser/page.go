package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// page is the playground in a browser.
type page struct {
	t   testing.TB
	ctx context.Context
	log *log
	// picture is the file for screenshots, empty for none.
	picture string
}

// run runs an action within Patience and fails the test on its error.
func run[T any](p *page, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	require.NoError(p.t, err, "the browser's log: %v", p.log.faults())
	return result
}

func (p *page) do(action chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	run(p, action)
}

func (p *page) load(address string) {
	p.t.Helper()
	p.do(chromedp.Navigate(address))
	p.wait("GraphiQL to appear", `document.querySelector(".graphiql-execute-button") !== null`)
	p.wait("the schema", `document.querySelector(".graphiql-spinner") === null`)
}

// chooseAgent picks the agent by name, as a person would, and waits until the
// header editor is filled for them.
func (p *page) chooseAgent(agent string) {
	p.t.Helper()
	p.wait("the agent "+agent+" to be offered", `[...document.getElementById("agent").options].some((o) => o.value === %s)`, agent)
	p.eval(`(() => {
		const picker = document.getElementById("agent");
		if (picker.value === %[1]s) return true;
		picker.value = %[1]s;
		picker.dispatchEvent(new Event("change"));
		return true;
	})()`, agent)
	p.wait("to be "+agent, `document.getElementById("status").textContent.includes(%s)`, agent)
	p.wait("the token in the header editor",
		`[...document.querySelectorAll(".graphiql-editor .CodeMirror")].some((e) => /"Authorization": "Bearer \S+"/.test(e.CodeMirror.getValue()))`)
}

func (p *page) openTab(title string) {
	p.t.Helper()
	const find = `[...document.querySelectorAll(".graphiql-tab-button")].find((b) => b.textContent.trim() === %s)`
	p.wait("the tab "+title, find+` !== undefined`, title)
	p.eval(find+`.click() === undefined`, title)
	// GraphiQL reads the document a moment after it is shown; till then it would
	// run the operation of the tab before.
	p.wait("the operation "+title+" to be understood",
		`document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror.operationName === %s`, title)
}

// openDialog opens the settings: dialogs bring styles of their own, which the
// page's policy could refuse.
func (p *page) openDialog() {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(`[aria-label="Open settings dialog"]`)))
	p.wait("the settings", `document.querySelector(".graphiql-dialog") !== null`)
}

func (p *page) execute() {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(".graphiql-execute-button")))
}

func (p *page) waitForResponse(text string) {
	p.t.Helper()
	p.wait("the response to hold "+text,
		`(document.querySelector(".graphiql-response .CodeMirror")?.CodeMirror.getValue() ?? "").includes(%s)`, text)
}

// screenshot writes the present state to the file that the check names.
func (p *page) screenshot() {
	p.t.Helper()
	if p.picture == "" {
		return
	}
	picture := run(p, chromedp.CaptureScreenshot())
	require.NoError(p.t, os.MkdirAll(filepath.Dir(p.picture), 0o750))
	require.NoError(p.t, os.WriteFile(p.picture, picture, 0o600))
}

// wait asks the page until the expression is true. It asks from here because
// the page's own policy forbids to compile code inside it.
func (p *page) wait(what, expression string, args ...any) {
	p.t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for !p.eval(expression, args...) {
		select {
		case <-deadline.C:
			p.screenshot()
			require.FailNow(p.t, "The browser waited in vain for "+what,
				"the browser's log: %v\nresponse: %s", p.log.faults(), p.response())
		case <-again.C:
		}
	}
}

func (p *page) response() string {
	return run(p, chromedp.Evaluate[string](`document.querySelector(".graphiql-response")?.innerText ?? document.body.innerText`))
}

// eval evaluates a boolean expression; the arguments are put in as JSON.
func (p *page) eval(expression string, args ...any) bool {
	p.t.Helper()
	return run(p, chromedp.Evaluate[bool](p.format(expression, args...)))
}

func (p *page) format(expression string, args ...any) string {
	if len(args) == 0 {
		return expression
	}
	quoted := make([]any, len(args))
	for i, arg := range args {
		text, err := json.Marshal(arg)
		require.NoError(p.t, err)
		quoted[i] = string(text)
	}
	return fmt.Sprintf(expression, quoted...)
}
