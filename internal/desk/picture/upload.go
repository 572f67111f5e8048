package picture

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"parley/ent"
	entimage "parley/ent/image"
	"parley/ent/imageuse"
	"parley/internal/desk/administration"
	"parley/internal/desk/journal"
	"parley/internal/ground/fault"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Bounds of a file store's work.
const (
	mostUploads = 8 // at a time: what they hold in memory
	fileTimeout = 30 * time.Second
)

// slots are the uploads at work.
type slots struct {
	once sync.Once
	free chan struct{}
}

// take waits for a slot.
func (s *slots) take(ctx context.Context) (give func(), err error) {
	s.once.Do(func() { s.free = make(chan struct{}, mostUploads) })
	select {
	case s.free <- struct{}{}:
		return func() { <-s.free }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Upload keeps an image and returns it; one with equal bytes that was kept before is
// returned instead. The viewer of ctx administers, and a program has the scope for that.
func (s *Service) Upload(ctx context.Context, body io.Reader) (*Image, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	if v := viewer.FromContext(ctx); !v.Allows(viewer.Administer) {
		return nil, fault.New(fault.Forbidden, "This needs an access token with the scope %s. Create one with createAccessToken.", viewer.Administer)
	}
	give, err := s.uploading.take(ctx)
	if err != nil {
		return nil, err
	}
	defer give()
	if err := quota.Spend(ctx, s.Uploads).Take(); err != nil {
		return nil, err
	}
	return s.upload(ctx, body)
}

func (s *Service) upload(ctx context.Context, body io.Reader) (*Image, error) {
	content, err := read(body)
	if err != nil {
		return nil, err
	}
	contentType, width, height, err := inspect(content)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, fileTimeout)
	defer cancel()
	bucket, err := s.Files.open(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	made := &ent.Image{
		ContentType: contentType, Bytes: len(content), Width: width, Height: height, Sha256: hex.EncodeToString(sum[:]),
		File: s.folder() + strings.ToLower(rand.Text()),
	}
	row, there, err := s.stored(ctx, bucket, made.Sha256)
	if err != nil || there {
		return s.of(row), err
	}
	missing := ""
	if row != nil {
		missing = row.File
	}
	if err := bucket.WriteAll(ctx, made.File, content, &blob.WriterOptions{ContentType: contentType}); err != nil {
		return nil, away(ctx, err)
	}
	row, err = s.keep(ctx, made, missing)
	if err != nil || row.File != made.File {
		s.drop(ctx, made.File)
	}
	return s.of(row), err
}

// ErrTooLarge is why an upload has too many bytes.
var ErrTooLarge = fault.New(fault.LimitExceeded, "An image has at most %d bytes. Make it smaller.", MostBytes)

// read reads a body that holds one image at most.
func read(body io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(body, MostBytes+1))
	var tooLarge *http.MaxBytesError
	if len(content) > MostBytes || errors.As(err, &tooLarge) {
		return nil, ErrTooLarge
	}
	if err != nil {
		return nil, fault.New(fault.BadInput, "The body did not arrive whole and in time. Send it again.")
	}
	return content, nil
}

// stored is the row of equal bytes, nil for none, and whether its file is there, whole.
func (s *Service) stored(ctx context.Context, bucket *blob.Bucket, sum string) (row *ent.Image, there bool, err error) {
	row, err = s.Store.Ent.Image.Query().Where(entimage.Sha256(sum)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	file, err := bucket.Attributes(ctx, row.File)
	if isMissing(err) {
		return row, false, nil
	}
	return row, err == nil && file.Size == int64(row.Bytes), away(ctx, err)
}

// keep adds the row of a file, or finds the one of equal bytes that came meanwhile. The
// file that went missing is replaced in the row that had it.
func (s *Service) keep(ctx context.Context, made *ent.Image, missing string) (row *ent.Image, err error) {
	write := func(ctx context.Context, tx *store.Tx) (err error) {
		ctx = journal.Within(ctx, tx)
		row, err = tx.Ent.Image.Query().Where(entimage.Sha256(made.Sha256)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			row, err = add(ctx, tx, made)
		case err == nil && row.File == missing:
			row, err = tx.Ent.Image.UpdateOne(row).SetFile(made.File).Save(ctx)
		}
		return err
	}
	if err = s.Store.Write(ctx, write); ent.IsConstraintError(err) { // another process was first
		err = s.Store.Write(ctx, write)
	}
	return row, err
}

func add(ctx context.Context, tx *store.Tx, made *ent.Image) (*ent.Image, error) {
	n, err := tx.Ent.Image.Query().Count(ctx)
	if err != nil {
		return nil, err
	}
	if n >= MostImages {
		return nil, fault.New(fault.LimitExceeded, "The organisation has %d images, which is the limit. Delete one that no component uses.", n)
	}
	return tx.Ent.Image.Create().SetContentType(made.ContentType).SetBytes(made.Bytes).SetWidth(made.Width).SetHeight(made.Height).
		SetSha256(made.Sha256).SetFile(made.File).SetCreatedAt(tx.Now).Save(ctx)
}

// Delete removes an image that no version of a component uses, and returns its id.
func (s *Service) Delete(ctx context.Context, id string) (*string, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	image, err := s.Get(ctx, id)
	if err != nil {
		return nil, fault.At("input.id", err)
	}
	err = s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		used, err := tx.Ent.ImageUse.Query().Where(imageuse.ImageID(image.Key)).Exist(ctx)
		if err != nil {
			return err
		}
		if used {
			return errUsed
		}
		return tx.Ent.Image.DeleteOneID(image.Key).Exec(journal.Within(ctx, tx))
	})
	switch {
	case ent.IsConstraintError(err): // a component took it at the same time
		return nil, errUsed
	case ent.IsNotFound(err):
		return nil, fault.At("input.id", fault.Missing("image"))
	}
	if err != nil {
		return nil, err
	}
	s.drop(ctx, image.file)
	return &id, nil
}

var errUsed = fault.New(fault.Conflict, "A version of a component uses this image, so it stays. Delete the component first, if no message was made of it.")

// drop removes a file whose row is gone. If that fails, the sweep does it.
func (s *Service) drop(ctx context.Context, file string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fileTimeout)
	defer cancel()
	if bucket, err := s.Files.open(ctx); err == nil {
		_ = bucket.Delete(ctx, file)
	}
}

// away is what callers are told of a file store that fails; its own words are for operators.
func away(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	slog.ErrorContext(ctx, "the file store failed", "error", err)
	return fault.New(fault.Unavailable, "The file store does not answer. Try again shortly.")
}

// isMissing reports whether a file is not there.
func isMissing(err error) bool { return gcerrors.Code(err) == gcerrors.NotFound }
