package transport

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"parley/internal/edge/answer"
)

const (
	mediaResponse = "application/graphql-response+json"
)

// accepted is what a caller accepts.
type accepted struct {
	media  string // of the answer; mediaEvents if the caller prefers a stream
	events bool   // a stream too, for a subscription
}

// negotiate chooses the media type of the answer by RFC 9110, 12.5.1. Without an
// Accept header, or with a range that covers all, it is application/json, which
// every client reads. graphql-response+json must be named, and then wins a tie;
// event-stream must be named and preferred. An empty media means that nothing is
// acceptable.
func negotiate(accept []string) accepted {
	ranges := strings.TrimSpace(strings.Join(accept, ","))
	if ranges == "" {
		return accepted{media: answer.MediaJSON}
	}
	best := map[string]preference{}
	for _, part := range strings.Split(ranges, ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil || !isUTF8(parameters) {
			continue
		}
		for _, offer := range []string{answer.MediaJSON, mediaResponse, mediaEvents} {
			p := preference{specificity: covers(name, offer), quality: quality(parameters)}
			if p.specificity > best[offer].specificity {
				best[offer] = p
			}
		}
	}
	plain, response, events := best[answer.MediaJSON], best[mediaResponse], best[mediaEvents]
	streams := events.specificity == exact && events.quality > 0
	single := plain
	a := accepted{media: answer.MediaJSON, events: streams}
	if response.quality > plain.quality || response.quality == plain.quality && response.specificity == exact {
		a.media, single = mediaResponse, response
	}
	switch {
	case streams && events.beats(single):
		a.media = mediaEvents
	case single.quality <= 0:
		a.media = ""
	}
	return a
}

// IsStream reports whether a request prefers an event stream to any other answer.
func IsStream(r *http.Request) bool {
	return negotiate(r.Header.Values("Accept")).media == mediaEvents
}

// refusals returns the media type for a refusal before any stream.
func (a accepted) refusals() string {
	if a.media == mediaEvents {
		return answer.MediaJSON
	}
	return a.media
}

// preference is that of the most specific range that covers a media type.
type preference struct {
	specificity int
	quality     float64
}

const exact = 3

func (p preference) beats(q preference) bool {
	return p.quality > q.quality || p.quality == q.quality && p.specificity > q.specificity
}

// covers returns how closely a media range names offer; 0: not at all.
func covers(mediaRange, offer string) int {
	switch mediaRange {
	case offer:
		return exact
	case "application/*":
		return 2
	case "*/*":
		return 1
	}
	return 0
}

func quality(parameters map[string]string) float64 {
	text, found := parameters["q"]
	if !found {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
