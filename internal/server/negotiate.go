package server

import (
	"mime"
	"strconv"
	"strings"
)

const (
	mediaJSON     = "application/json"
	mediaResponse = "application/graphql-response+json"
)

// negotiate chooses the media type of the answer by RFC 9110, 12.5.1. Without
// an Accept header, or where a range covers both, it is application/json, which
// every client reads; graphql-response+json must be named, and then wins a tie.
func negotiate(accept []string) (media string, ok bool) {
	ranges := strings.TrimSpace(strings.Join(accept, ","))
	if ranges == "" {
		return mediaJSON, true
	}
	best := map[string]preference{}
	for _, part := range strings.Split(ranges, ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil || !isUTF8(parameters) {
			continue
		}
		for _, offer := range []string{mediaJSON, mediaResponse} {
			p := preference{specificity: covers(name, offer), quality: quality(parameters)}
			if p.specificity > best[offer].specificity {
				best[offer] = p
			}
		}
	}
	plain, response := best[mediaJSON], best[mediaResponse]
	switch {
	case plain.quality <= 0 && response.quality <= 0:
		return "", false
	case response.quality > plain.quality,
		response.quality == plain.quality && response.specificity == exact:
		return mediaResponse, true
	}
	return mediaJSON, true
}

// preference is what the most specific range says of a media type.
type preference struct {
	specificity int
	quality     float64
}

const exact = 3

// covers returns how closely a media range names offer, 0 when it does not.
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
