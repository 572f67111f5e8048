package quota

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"parley/internal/ground/clock"
)

// Rate is how much one caller may do.
type Rate struct {
	PerSecond float64 // what comes back each second
	Burst     float64 // what there is at most
}

// Callers holds a bucket for each caller: what they do is taken from it, and it
// fills up again. The table is bounded; who was not heard of for longest is
// forgotten first, which fills their bucket. A nil *Callers bounds nobody. It is
// safe for concurrent use.
type Callers struct {
	rate  Rate
	clock clock.Clock

	mu      sync.Mutex
	buckets *simplelru.LRU[string, *bucket]
}

type bucket struct {
	left float64
	at   time.Time
}

// NewCallers makes a table for so many callers.
func NewCallers(rate Rate, most int, clk clock.Clock) *Callers {
	buckets, err := simplelru.NewLRU[string, *bucket](most, nil)
	if err != nil {
		panic(err) // most is not positive
	}
	return &Callers{rate: rate, clock: clk, buckets: buckets}
}

// Take takes n from a caller's bucket, or nothing when there is less: then it
// returns how long to wait until there is enough. More than the burst counts as
// the burst.
func (c *Callers) Take(caller string, n float64) (wait time.Duration) {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.bucket(caller)
	n = min(n, c.rate.Burst)
	if missing := n - b.left; missing > 0 {
		return max(time.Duration(missing/c.rate.PerSecond*float64(time.Second)), time.Millisecond)
	}
	b.left -= n
	return 0
}

// Charge takes n from a caller's bucket for what cannot be refused any more; they
// may be in debt for as much as the burst. It returns how long the debt lasts.
func (c *Callers) Charge(caller string, n float64) (debt time.Duration) {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.bucket(caller)
	b.left = max(b.left-n, -c.rate.Burst)
	return time.Duration(max(-b.left, 0) / c.rate.PerSecond * float64(time.Second))
}

// Give puts back what was taken for something that is not to count.
func (c *Callers) Give(caller string, n float64) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.bucket(caller)
	b.left = min(b.left+n, c.rate.Burst)
}

// bucket returns a caller's bucket as it is now; it needs the lock.
func (c *Callers) bucket(caller string) *bucket {
	now := c.clock.Now().Std()
	b, found := c.buckets.Get(caller)
	if !found {
		b = &bucket{left: c.rate.Burst, at: now}
		c.buckets.Add(caller, b)
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.left, b.at = min(b.left+passed.Seconds()*c.rate.PerSecond, c.rate.Burst), now
	}
	return b
}
