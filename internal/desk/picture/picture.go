// Package picture keeps the images that components show: their bytes in a file store, what
// is known of them in the database.
//
//	image, err := service.Upload(ctx, body)           // once for equal bytes
//	link := service.Links.Sent(image.Key)             // opens it for a week, without a token
//	image, file, err := service.Open(ctx, id, query)  // of a link
//
// A file is written before its row, under a name of its own, and removed after it. So a row
// always has its file, and what a crash leaves is a file without a row, which a job removes.
package picture

import (
	"context"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent"
	entimage "parley/ent/image"
	"parley/ent/imageuse"
	"parley/internal/desk/feed"
	"parley/internal/ground/clock"
	"parley/internal/ground/cursor"
	"parley/internal/ground/fault"
	"parley/internal/ground/page"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
)

// Bounds of images.
const (
	MostImages = 5000    // of the organisation
	MostBytes  = 5 << 20 // of an image
	MostSide   = 4096    // pixels of its width and its height
)

// Service is the use cases. All fields are required.
type Service struct {
	Store   *store.Store
	IDs     *publicid.Codec
	Cursors *feed.Cursors
	Files   *Files
	Links   *Links
	// Uploads bounds the images that an agent uploads.
	Uploads *quota.Quota

	uploading slots
}

// Image is one as it was read.
type Image struct {
	Key                  int64
	ContentType          string
	Bytes, Width, Height int
	CreatedAt            clock.Time

	file    string
	service *Service
}

// IsNode marks a GraphQL Node.
func (*Image) IsNode() {}

// ID is the opaque id.
func (i *Image) ID() string { return i.service.IDs.Encode(publicid.Image, i.Key) }

// URL is an address to look at it.
func (i *Image) URL() string { return i.service.Links.Shown(i.Key) }

// Page is a page of images, the newest first.
type Page = page.Page[*Image]

// Edge is an image in a page.
type Edge = page.Edge[*Image]

const place cursor.Kind = "images"

// Cursor is its place in the list.
func (i *Image) Cursor() string { return i.service.Cursors.Seal(place, i.Key) }

func (s *Service) of(row *ent.Image) *Image {
	if row == nil {
		return nil
	}
	return &Image{
		Key: row.ID, ContentType: row.ContentType, Bytes: row.Bytes, Width: row.Width, Height: row.Height, CreatedAt: row.CreatedAt,
		file: row.File, service: s,
	}
}

// List reads a page of images, the newest first.
func (s *Service) List(ctx context.Context, w page.Window) (*Page, error) {
	query := s.Store.Ent.Image.Query()
	if w.Cursor != "" {
		var key int64
		if err := w.Place(s.Cursors.Sealer, place, "images", &key); err != nil {
			return nil, err
		}
		query.Where(entimage.IDLT(key))
	}
	rows, err := query.Order(entimage.ByID(entsql.OrderDesc())).Limit(w.Size + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	nodes := make([]*Image, len(rows))
	for i, row := range rows {
		nodes[i] = s.of(row)
	}
	p := page.Of(nodes, w)
	return &p, nil
}

// ByKey reads images by key, in one statement.
func (s *Service) ByKey(ctx context.Context, keys []int64) (map[int64]*Image, error) {
	rows, err := s.Store.Ent.Image.Query().Where(entimage.IDIn(keys...)).All(ctx)
	found := make(map[int64]*Image, len(rows))
	for _, row := range rows {
		found[row.ID] = s.of(row)
	}
	return found, err
}

// Get reads one by its public id.
func (s *Service) Get(ctx context.Context, id string) (*Image, error) {
	key, _ := s.IDs.Decode(publicid.Image, id) // no image has the key 0
	found, err := s.ByKey(ctx, []int64{key})
	if err == nil && found[key] == nil {
		return nil, fault.Missing("image")
	}
	return found[key], err
}

// Used says of each image whether a version of a component uses it, in one statement.
func (s *Service) Used(ctx context.Context, of []*Image) ([]bool, error) {
	keys := make([]int64, len(of))
	for i, image := range of {
		keys[i] = image.Key
	}
	var used []int64
	err := s.Store.Ent.ImageUse.Query().Where(imageuse.ImageIDIn(keys...)).Unique(true).Select(imageuse.FieldImageID).Scan(ctx, &used)
	out := make([]bool, len(of))
	for i, key := range keys {
		out[i] = slices.Contains(used, key)
	}
	return out, err
}
