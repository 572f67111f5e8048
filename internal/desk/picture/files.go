package picture

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // s3:// addresses

	"parley/internal/ground/fault"
)

// Files is a file store: a folder, or a bucket of an object store.
type Files struct {
	where string

	mu     sync.Mutex
	bucket *blob.Bucket
}

// NewFiles names a file store: a folder, or the address of a bucket such as
// s3://images?region=eu-central-1. It is opened when it is first used. Empty is none.
func NewFiles(where string) *Files { return &Files{where: where} }

var errNoFiles = fault.New(fault.Unavailable, "This server has no file store. Ask its operator to start it with --files.")

// Check opens the store, so that a wrong name is known at the start.
func (f *Files) Check(ctx context.Context) error {
	_, err := f.open(ctx)
	return err
}

// open returns the bucket.
func (f *Files) open(ctx context.Context) (*blob.Bucket, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bucket != nil {
		return f.bucket, nil
	}
	bucket, err := f.find(ctx)
	if err == nil {
		f.bucket = bucket
	}
	return bucket, err
}

func (f *Files) find(ctx context.Context) (*blob.Bucket, error) {
	switch scheme, _, isURL := strings.Cut(f.where, "://"); {
	case f.where == "":
		return nil, errNoFiles
	case isURL && scheme != "s3":
		return nil, fmt.Errorf("the file store is a folder or an s3:// address, not %s://", scheme)
	case isURL:
		bucket, err := blob.OpenBucket(ctx, f.where)
		if err != nil {
			return nil, fmt.Errorf("open the file store %s: %w", withoutSecrets(f.where), err)
		}
		return bucket, nil
	}
	folder, err := filepath.Abs(f.where)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the file store: %w", err)
	}
	return fileblob.OpenBucket(folder, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
}

// withoutSecrets is an address without its query, where people write keys.
func withoutSecrets(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "s3://…"
	}
	return "s3://" + u.Host
}

// Close closes the store. A nil one has nothing to close.
func (f *Files) Close() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bucket == nil {
		return nil
	}
	return f.bucket.Close()
}
