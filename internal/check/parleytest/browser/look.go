package browser

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// CheckLook fails the test unless the playground at address keeps within a narrow
// screen, is dark where the system is, has no red lines in its examples, and keeps the
// documentation open when another agent is chosen.
func CheckLook(t testing.TB, host, address string, agents [2]string, tabs []string) {
	t.Helper()
	p := open(t, host)
	p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
		})
		return err
	}))
	p.load(address)
	p.chooseAgent(agents[0])
	for _, element := range []string{"body", ".bar", ".bar-button"} {
		p.wait(element+" to be dark", `getComputedStyle(document.querySelector(%s)).backgroundColor.match(/\d+/g).slice(0, 3).every((part) => part < 100)`, element)
	}
	for _, tab := range tabs {
		p.openTab(tab)
		p.wait("no red line in "+tab, noRedLine)
	}
	p.keepDocs(agents[1])
	p.narrow()
	require.Empty(t, p.log.faults(), "what went wrong inside the browser")
}

// noRedLine checks the variables as GraphiQL does a moment after each change.
const noRedLine = `(() => {
	const editor = [...document.querySelectorAll(".graphiql-editor-tool .CodeMirror")].find((e) => e.offsetParent !== null).CodeMirror;
	editor.performLint();
	return editor.state.lint.marked.length === 0 && document.querySelector(".graphiql-query-editor .CodeMirror-lint-mark-error") === null;
})()`

func (p *page) keepDocs(agent string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(`[aria-label="Show Documentation Explorer"]`)))
	const shown = `document.querySelector(".graphiql-doc-explorer") !== null`
	p.wait("the documentation", shown)
	p.chooseAgent(agent)
	p.wait("the documentation for "+agent, shown+` && document.querySelector(".graphiql-spinner") === null`)
	p.do(chromedp.Click(chromedp.CSS(`[aria-label="Hide Documentation Explorer"]`)))
}

// narrow has everything below one another, and nothing beside the screen.
func (p *page) narrow() {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(390, 844))
	p.wait("the panes to be stacked", `(() => {
		const box = (of) => document.querySelector(of).getBoundingClientRect();
		const editors = box(".graphiql-editors"), response = box(".graphiql-response");
		return document.documentElement.scrollWidth <= 390 && editors.bottom <= response.top + 1 &&
			[editors, response].every(({ width, height, right }) => width > 300 && height > 150 && right <= 390);
	})()`)
	p.screenshot()
}
