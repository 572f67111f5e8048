package picture

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"gocloud.dev/blob"

	entimage "parley/ent/image"
	"parley/internal/ground/job"
	"parley/internal/ground/viewer"
)

// orphaned is how old a file without a row is before it is removed: its upload is long over.
const orphaned = 24 * time.Hour

// sweptAtOnce is how many files are looked up in one statement.
const sweptAtOnce = 500

// Jobs are the jobs of this package.
func (s *Service) Jobs() []job.Job {
	return []job.Job{job.Periodic{Name: "sweep_images", Queue: job.Upkeep, Every: 24 * time.Hour, Run: s.Sweep}}
}

// folder is where the files of this database lie, apart from those of others that have the
// same file store: a sweep removes what it has no row of.
func (s *Service) folder() string {
	sum := sha256.Sum256(append([]byte("files of "), s.Links.Secret...))
	return "images/" + hex.EncodeToString(sum[:8]) + "/"
}

// Sweep removes files that have no row: what a crash, or a file store that was away, left
// behind.
func (s *Service) Sweep(ctx context.Context) error {
	bucket, err := s.Files.open(ctx)
	if errors.Is(err, errNoFiles) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx = viewer.AsSystem(ctx, "images")
	list := bucket.List(&blob.ListOptions{Prefix: s.folder()})
	for more := true; more; {
		var old []string
		if old, more, err = s.aged(ctx, list); err != nil {
			return err
		}
		if err := s.removeOrphans(ctx, bucket, old); err != nil {
			return err
		}
	}
	return nil
}

// aged are the next files that are old enough, and whether there are more.
func (s *Service) aged(ctx context.Context, list *blob.ListIterator) (old []string, more bool, err error) {
	before := time.Now().Add(-orphaned) // by the file store's clock, which is no test's
	for len(old) < sweptAtOnce {
		file, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return old, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if file.ModTime.Before(before) {
			old = append(old, file.Key)
		}
	}
	return old, true, nil
}

func (s *Service) removeOrphans(ctx context.Context, bucket *blob.Bucket, files []string) error {
	kept, err := s.Store.Ent.Image.Query().Where(entimage.FileIn(files...)).Select(entimage.FieldFile).Strings(ctx)
	if err != nil {
		return err
	}
	has := make(map[string]bool, len(kept))
	for _, file := range kept {
		has[file] = true
	}
	for _, file := range files {
		if has[file] {
			continue
		}
		if err := bucket.Delete(ctx, file); err != nil && !isMissing(err) {
			return err
		}
	}
	return nil
}
