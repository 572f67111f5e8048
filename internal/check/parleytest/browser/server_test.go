//go:build browser

package browser_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"parley/internal/check/parleytest"
	"parley/internal/check/parleytest/browser"
	"parley/web"
)

// The playground against the whole program: a query sees what came in before,
// a subscription what comes in while it watches.
func TestThePlaygroundWorksAgainstTheRealServer(t *testing.T) {
	p := parleytest.New(t).Run()
	p.Say("+12025550198", parleytest.Direct, "I was here before you looked")
	browser.CheckPlayground(t, browser.Check{
		BaseURL:  p.URL(),
		Address:  strings.Replace(p.PlaygroundURL(), p.PublicURL(), p.URL(), 1),
		Agent:    "amy",
		QueryTab: "MyInbox", WantResponse: "I was here before you looked",
		SubscriptionTab: "WatchMyInbox", WantOpen: "OPEN",
		Trigger:    func(testing.TB) { p.Say("+12025550199", parleytest.Direct, "I came while you watched") },
		WantEvent:  "I came while you watched",
		Screenshot: os.Getenv("PARLEY_TEST_SCREENSHOT"),
	})
}

// TestTheLookOfThePlayground with every example that it opens.
func TestTheLookOfThePlayground(t *testing.T) {
	p := parleytest.New(t).Run()
	var tabs []string
	for _, example := range web.Examples() {
		tabs = append(tabs, regexp.MustCompile(`(?:query|mutation|subscription) (\w+)`).FindStringSubmatch(example.Query)[1])
	}
	host := strings.TrimPrefix(p.URL(), "http://")
	browser.CheckLook(t, host, strings.Replace(p.PlaygroundURL(), p.PublicURL(), p.URL(), 1), [2]string{"amy", "bo"}, tabs)
}
