package picture

import (
	"context"
	"io"
	"net/url"
	"time"

	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// Opened is an image that a link opened. The caller closes File.
type Opened struct {
	*Image

	File io.ReadCloser
	Left time.Duration // for which the link still opens it
}

// Open opens the image of a link, whoever asks: the link is what lets them. A link that is
// forged, and an image that is gone, are NOT_FOUND; one that is over is CONFLICT.
func (s *Service) Open(ctx context.Context, id string, query url.Values) (*Opened, error) {
	key, left, err := s.Links.open(id, query)
	if err != nil {
		return nil, err
	}
	found, err := s.ByKey(viewer.AsSystem(ctx, "images"), []int64{key})
	if err != nil {
		return nil, err
	}
	image := found[key]
	if image == nil {
		return nil, fault.Missing("image")
	}
	bucket, err := s.Files.open(ctx)
	if err != nil {
		return nil, err
	}
	file, err := bucket.NewReader(ctx, image.file, nil)
	switch {
	case isMissing(err):
		return nil, fault.Missing("image")
	case err != nil:
		return nil, away(ctx, err)
	case file.Size() != int64(image.Bytes): // torn by a crash of the machine
		_ = file.Close()
		return nil, fault.Missing("image")
	}
	return &Opened{image, file, left}, nil
}
