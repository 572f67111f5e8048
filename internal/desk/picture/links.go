package picture

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"time"

	"parley/internal/channel"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
)

// Path is where images are uploaded, and what the address of each begins with.
const Path = "/files/images"

// For how long links open an image, at least. They end with an hour and with a day, so
// that whoever asks again meanwhile gets the same one, and browsers keep what they loaded.
const (
	shown, shownTill = time.Hour, time.Hour
	sent, sentTill   = 7 * 24 * time.Hour, 24 * time.Hour
)

// Links makes and reads the addresses that open images without a token: each says until
// when, and is signed. All fields are required.
type Links struct {
	// Secret is what they are signed with. All processes on a database share it.
	Secret []byte
	IDs    *publicid.Codec
	Clock  clock.Clock
	// Base is where browsers reach this server, without a final slash; Public is where
	// everybody does, empty when it is not known.
	Base, Public func() string
}

// Shown is an address for whoever uses the graph, for an hour or two.
func (l *Links) Shown(key int64) string { return l.Base() + l.path(key, l.end(shown, shownTill)) }

// Sent is an address for customers and platforms, for a week. It is a path alone, which
// nobody can open, when nobody knows where this server is.
func (l *Links) Sent(key int64) string { return l.Public() + l.path(key, l.end(sent, sentTill)) }

// Fresh is the address of an image in a component for whoever uses the graph.
func (l *Links) Fresh(i *channel.Image) string {
	if i.Key == 0 {
		return i.URL
	}
	return l.Shown(i.Key)
}

// Renew gives the images of the store in s addresses for customers that were made now.
func (l *Links) Renew(s *channel.Structured) {
	renew := func(i *channel.Image) *channel.Image {
		if i == nil || i.Key == 0 {
			return i
		}
		return &channel.Image{Key: i.Key, URL: l.Sent(i.Key), Alt: i.Alt}
	}
	if s.Link != nil {
		link := *s.Link
		link.Image = renew(link.Image)
		s.Link = &link
	}
	if s.Template != nil {
		template := *s.Template
		template.Image = renew(template.Image)
		s.Template = &template
	}
	for i := range s.Options {
		s.Options[i].Image = renew(s.Options[i].Image)
	}
}

func (l *Links) end(least, till time.Duration) int64 {
	return l.Clock.Now().Std().Truncate(till).Add(least + till).Unix()
}

func (l *Links) path(key, end int64) string {
	id, until := l.IDs.Encode(publicid.Image, key), strconv.FormatInt(end, 10)
	return Path + "/" + id + "?expires=" + until + "&signature=" + l.sign(id, until)
}

func (l *Links) sign(id, until string) string {
	mac := hmac.New(sha256.New, l.Secret)
	mac.Write([]byte(id + " " + until)) // neither holds a space
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

var (
	errLink = fault.New(fault.NotFound, "This is no link to an image.")

	// ErrExpired is why a link opens nothing any more.
	ErrExpired = fault.New(fault.Conflict, "The link has expired. Ask for a fresh one.")
)

// open is the image that a link is to, and for how long it still opens it.
func (l *Links) open(id string, query url.Values) (key int64, left time.Duration, err error) {
	until := query.Get("expires")
	if !hmac.Equal([]byte(l.sign(id, until)), []byte(query.Get("signature"))) {
		return 0, 0, errLink
	}
	end, err := strconv.ParseInt(until, 10, 64)
	key, ok := l.IDs.Decode(publicid.Image, id)
	if err != nil || !ok {
		return 0, 0, errLink // signed by somebody else's hand
	}
	if left = time.Unix(end, 0).Sub(l.Clock.Now().Std()); left <= 0 {
		return 0, 0, ErrExpired
	}
	return key, left, nil
}
