package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"parley/internal/desk/feed"
	"parley/internal/desk/picture"
	"parley/internal/edge/answer"
	"parley/internal/edge/server"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store/address"
)

// imagesAnHour is how many images an agent may upload in an hour.
const imagesAnHour = 240

// files is where images are: by default in a folder beside a SQLite file.
func (c Config) files() string {
	if c.Files == "" && !address.IsPostgres(c.Database) {
		return c.Database + ".files"
	}
	return c.Files
}

func (a *App) wirePictures(ids *publicid.Codec, cursors *feed.Cursors) *picture.Service {
	a.files = picture.NewFiles(a.Config.files())
	return &picture.Service{
		Store: a.Store, IDs: ids, Cursors: cursors, Files: a.files,
		Uploads: quota.New("upload", "images", imagesAnHour, clock.Real{}),
		Links:   &picture.Links{Secret: a.imageKey, IDs: ids, Clock: a.Config.Clock, Base: a.PublicURL, Public: a.knownURL},
	}
}

// knownURL is where everybody reaches the server; empty in production when nobody said so.
func (a *App) knownURL() string {
	if a.Config.PublicURL == "" && a.Config.Mode != server.Development {
		return ""
	}
	return a.PublicURL()
}

// uploading is how long an image may take to arrive and be kept.
const uploading = time.Minute

// answering is how long the answer to an upload may take.
const answering = 10 * time.Second

// upload takes an image: the body is its bytes.
func (a *App) upload(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), uploading)
	defer cancel()
	conn, until := http.NewResponseController(w), time.Now().Add(uploading)
	_, _ = conn.SetReadDeadline(until), conn.SetWriteDeadline(until.Add(answering))
	image, err := a.Schema.Pictures.Upload(ctx, r.Body)
	if err != nil {
		answer.Refuse(w, r, statusOf(err), err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": image.ID(), "contentType": image.ContentType, "bytes": image.Bytes, "width": image.Width, "height": image.Height, "url": image.URL(),
	})
}

// show answers with the image of a link. Nothing in it can run as a page, whatever it holds.
func (a *App) show(w http.ResponseWriter, r *http.Request) {
	image, err := a.Schema.Pictures.Open(r.Context(), r.PathValue("id"), r.URL.Query())
	if err != nil {
		answer.Refuse(w, r, statusOf(err), err)
		return
	}
	defer image.File.Close()
	h := w.Header()
	h.Set("Content-Type", image.ContentType)
	h.Set("Content-Length", strconv.Itoa(image.Bytes))
	h.Set("Content-Disposition", "inline")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // customers see it on pages of others
	h.Set("Cache-Control", "private, immutable, max-age="+strconv.Itoa(int(image.Left.Seconds())))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = io.Copy(w, image.File) // an error means that the caller, or the store, has left
}

// statusOf is the status of a refusal.
func statusOf(err error) int {
	switch {
	case errors.Is(err, picture.ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, picture.ErrExpired):
		return http.StatusGone
	case fault.CodeOf(err) == fault.NotFound:
		return http.StatusNotFound
	case fault.CodeOf(err) == fault.LimitExceeded:
		return http.StatusTooManyRequests
	}
	return answer.StatusOf(err)
}
