package picture_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/picture"
	"parley/internal/ground/clock"
)

type vars = parleytest.Vars

// bundle is a desk with a file store of its own.
type bundle struct {
	*parleytest.Parley
	folder string
}

func setup(t *testing.T) *bundle {
	folder := t.TempDir()
	return &bundle{parleytest.New(t, func(c *app.Config) { c.Files = folder }), folder}
}

// drawn is a picture of a size, as PNG.
func drawn(t *testing.T, width, height int) []byte {
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))))
	return b.Bytes()
}

// post uploads bytes with a token.
func (b *bundle) post(token string, content []byte) *httptest.ResponseRecorder {
	b.T.Helper()
	req := httptest.NewRequestWithContext(b.T.Context(), http.MethodPost, picture.Path, bytes.NewReader(content))
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	b.Server.Handler().ServeHTTP(rec, req)
	return rec
}

func (b *bundle) token(username string) string {
	token, err := b.Tokens.Mint(username, time.Hour)
	require.NoError(b.T, err)
	return token
}

// kept is an image as an upload answers it.
type kept struct {
	ID, ContentType, URL string
	Bytes, Width, Height int
}

// upload has ada upload bytes.
func (b *bundle) upload(content []byte) (k kept) {
	b.T.Helper()
	rec := b.post(b.token("ada"), content)
	require.Equal(b.T, http.StatusCreated, rec.Code, rec.Body.String())
	require.NoError(b.T, json.Unmarshal(rec.Body.Bytes(), &k))
	return k
}

// open asks for a link, as anybody may.
func (b *bundle) open(method, link string) *httptest.ResponseRecorder {
	b.T.Helper()
	rec := httptest.NewRecorder()
	b.Server.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(b.T.Context(), method, strings.TrimPrefix(link, b.PublicURL()), nil))
	return rec
}

func (b *bundle) remove(username, id string) parleytest.Tree {
	b.T.Helper()
	return b.As(username).Do(`mutation($id: ID!) { deleteImage(input: {id: $id}) { deletedId errors { code message } } }`, vars{"id": id}).Get("deleteImage")
}

func code(payload parleytest.Tree) string {
	if errs := payload.Get("errors").List(); len(errs) > 0 {
		return errs[0].Get("code").String()
	}
	return ""
}

// files are the files in the store.
func (b *bundle) files() []string {
	files, err := filepath.Glob(filepath.Join(b.folder, "images", "*", "*"))
	require.NoError(b.T, err)
	return files
}

func TestOnlyAdministratorsUploadAndDeleteImages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	content := drawn(t, 30, 20)
	require.Equal(t, http.StatusUnauthorized, b.post("", content).Code)
	require.Equal(t, http.StatusForbidden, b.post(b.token("amy"), content).Code)
	require.Empty(t, b.files())

	made := b.upload(content)
	require.Equal(t, kept{made.ID, "image/png", made.URL, len(content), 30, 20}, made)
	require.Equal(t, made, b.upload(content), "equal bytes are there once")
	require.Len(t, b.files(), 1)
	other := b.upload(drawn(t, 5, 5))

	const list = `{ images(first: 1) { nodes { id contentType bytes width height isUsed url } pageInfo { endCursor hasNextPage } } }`
	page := b.As("amy").Do(list, nil).Get("images")
	require.Equal(t, other.ID, page.Get("nodes").List()[0].Get("id").String(), "the newest first")
	require.True(t, page.Get("pageInfo", "hasNextPage").Bool())
	rest := b.As("amy").Do(`query($a: String) { images(after: $a) { nodes { id } } }`, vars{"a": page.Get("pageInfo", "endCursor").String()}).Get("images", "nodes").List()
	require.Len(t, rest, 1)
	require.Equal(t, made.ID, rest[0].Get("id").String())

	require.Equal(t, "FORBIDDEN", code(b.remove("amy", made.ID)))
	require.Empty(t, code(b.remove("ada", made.ID)))
	require.Equal(t, "NOT_FOUND", code(b.remove("ada", made.ID)))
	require.Equal(t, []string{"NOT_FOUND"}, b.As("amy").Raw(`query($id: ID!) { image(id: $id) { id } }`, vars{"id": made.ID}).Codes())
	require.Equal(t, http.StatusNotFound, b.open(http.MethodGet, made.URL).Code, "its links end at once")
	require.Len(t, b.files(), 1)
	require.Equal(t, []string{"CREATED", "CREATED", "DELETED"}, parleytest.Rows(t, b.Store, "SELECT action FROM audit_entries WHERE subject_type = 'Image' ORDER BY id"))
}

func TestAProgramNeedsTheScopeToUpload(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := func(scope string) string {
		made := b.As("ada").Do(`mutation($i: CreateAccessTokenInput!) { createAccessToken(input: $i) { token errors { message } } }`, vars{"i": vars{
			"agentId": b.Directory.AgentNamed("ada").ID, "name": scope, "scopes": []string{scope}, "idempotencyKey": scope, "expiresAt": clock.Of(time.Now().Add(time.Hour)).String(),
		}}).Get("createAccessToken")
		require.Empty(t, made.Get("errors").List(), made.String())
		return made.Get("token").String()
	}
	require.Equal(t, http.StatusForbidden, b.post(token("SEND"), drawn(t, 3, 3)).Code)
	require.Equal(t, http.StatusCreated, b.post(token("ADMINISTER"), drawn(t, 3, 3)).Code)
}

// claiming is the header of a PNG that claims a size, without a pixel.
func claiming(width, height uint32) []byte {
	header := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)...)
	header = append(header, 8, 2, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	return binary.BigEndian.AppendUint32(append(b, header...), crc32.ChecksumIEEE(header))
}

func TestFilesThatAreNoImagesAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	whole := drawn(t, 3, 3)
	for name, c := range map[string]struct {
		content []byte
		status  int
	}{
		"empty":            {nil, 400},
		"text":             {[]byte("hello"), 400},
		"page":             {[]byte("<html><script>alert(1)</script>"), 400},
		"SVG":              {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), 400},
		"PDF":              {[]byte("%PDF-1.7"), 400},
		"half a header":    {whole[:20], 400},
		"a bomb":           {claiming(1<<30, 1<<30), 400},
		"too wide":         {claiming(picture.MostSide+1, 1), 400},
		"no height":        {claiming(1, 0), 400},
		"the widest":       {claiming(picture.MostSide, picture.MostSide), 201},
		"the largest":      {append(whole, make([]byte, picture.MostBytes-len(whole))...), 201},
		"a byte too large": {append(whole, make([]byte, picture.MostBytes+1-len(whole))...), 413},
	} {
		rec := b.post(b.token("ada"), c.content)
		require.Equal(t, c.status, rec.Code, "%s: %s", name, rec.Body)
	}
	unstated := httptest.NewRequestWithContext(t.Context(), http.MethodPost, picture.Path, io.MultiReader(bytes.NewReader(make([]byte, picture.MostBytes+1))))
	unstated.Header.Set("Authorization", "Bearer "+b.token("ada"))
	rec := httptest.NewRecorder()
	b.Server.Handler().ServeHTTP(rec, unstated)
	require.Equal(t, http.StatusRequestEntityTooLarge, rec.Code, "without a stated length")
	require.Len(t, b.files(), 2)
}

// What an image is, its bytes say; and what else they say, no browser runs.
func TestImagesAreServedAsWhatTheyAre(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var jpg, animation bytes.Buffer
	require.NoError(t, jpeg.Encode(&jpg, image.NewGray(image.Rect(0, 0, 2, 2)), nil))
	require.NoError(t, gif.Encode(&animation, image.NewPaletted(image.Rect(0, 0, 2, 2), color.Palette{color.Black}), nil))
	webp := "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"
	for contentType, content := range map[string]string{
		"image/jpeg": jpg.String(), "image/gif": animation.String() + "<script>alert(1)</script>", "image/webp": webp, "image/png": string(drawn(t, 9, 9)),
	} {
		made := b.upload([]byte(content))
		require.Equal(t, contentType, made.ContentType)
		rec := b.open(http.MethodGet, made.URL)
		require.Equal(t, http.StatusOK, rec.Code)
		require.Equal(t, content, rec.Body.String())
		for header, value := range map[string]string{
			"Content-Type": contentType, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
			"Content-Disposition": "inline", "Cross-Origin-Resource-Policy": "cross-origin", "Referrer-Policy": "no-referrer", "Cache-Control": "private, immutable, max-age=7200",
		} {
			require.Equal(t, value, rec.Header().Get(header), header)
		}
		head := b.open(http.MethodHead, made.URL)
		require.Equal(t, rec.Header().Get("Content-Length"), head.Header().Get("Content-Length"))
		require.Zero(t, head.Body.Len())
	}
}

func TestLinksAreSignedAndEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, other := b.upload(drawn(t, 3, 3)), b.upload(drawn(t, 4, 4))
	read := func() string {
		return b.As("amy").Do(`query($id: ID!) { image(id: $id) { url } }`, vars{"id": made.ID}).Get("image", "url").String()
	}
	require.Equal(t, made.URL, read(), "within an hour it is the same")
	for name, link := range map[string]string{
		"another image": strings.Replace(made.URL, made.ID, other.ID, 1), "later": strings.Replace(made.URL, "expires=1", "expires=2", 1),
		"unsigned": strings.Split(made.URL, "&")[0], "bare": picture.Path + "/" + made.ID, "no id": strings.Replace(made.URL, made.ID, "img_0", 1),
		"a letter": made.URL + "A", "a path": picture.Path + "/..%2f..%2fparley.db" + made.URL[strings.Index(made.URL, "?"):],
	} {
		require.Equal(t, http.StatusNotFound, b.open(http.MethodGet, link).Code, name)
	}
	require.Equal(t, http.StatusMethodNotAllowed, b.open(http.MethodPost, made.URL).Code)

	b.Clock.Advance(time.Hour)
	rec := b.open(http.MethodGet, made.URL)
	require.Equal(t, http.StatusOK, rec.Code, "for an hour at least")
	require.Equal(t, "private, immutable, max-age=3600", rec.Header().Get("Cache-Control"))
	again := &bundle{parleytest.OpenAt(t, b.Config.Database, func(c *app.Config) { c.Files = b.folder }), b.folder}
	require.Equal(t, http.StatusOK, again.open(http.MethodGet, made.URL).Code, "another process knows it")
	b.Clock.Advance(time.Hour)
	require.Equal(t, http.StatusGone, b.open(http.MethodGet, made.URL).Code)
	require.Equal(t, http.StatusOK, b.open(http.MethodGet, read()).Code, "a fresh one opens it")
}

func (b *bundle) component(name string, id *string) string {
	b.T.Helper()
	constant := vars{"name": "Door", "type": "IMAGE", "text": "https://example.com/door.png", "alt": "A door"}
	if id != nil {
		constant = vars{"name": "Door", "type": "IMAGE", "imageId": *id, "alt": "A door"}
	}
	made := b.As("ada").Do(`mutation($i: CreateComponentInput!) { createComponent(input: $i) { component { id } errors { code field message } } }`, vars{"i": vars{
		"name": name, "developerName": name, "kind": "ENHANCED_LINK", "idempotencyKey": name,
		"design": vars{"constants": []vars{constant}, "formats": []vars{{"format": "RICH_LINK", "title": "Home", "url": "https://example.com/"}}},
	}}).Get("createComponent")
	require.Empty(b.T, code(made), made.String())
	return made.Get("component", "id").String()
}

func TestAnImageStaysWhileAVersionUsesIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.upload(drawn(t, 3, 3))
	used := func() bool {
		return b.As("amy").Do(`query($id: ID!) { image(id: $id) { isUsed } }`, vars{"id": made.ID}).Get("image", "isUsed").Bool()
	}
	require.False(t, used())
	component := b.component("first", &made.ID)
	require.True(t, used())
	require.Equal(t, "CONFLICT", code(b.remove("ada", made.ID)))
	payload := b.As("ada").Do(`mutation($i: UpdateComponentInput!) { updateComponent(input: $i) { component { version } errors { message } } }`, vars{"i": vars{
		"id": component, "design": vars{"formats": []vars{{"format": "RICH_LINK", "title": "Home", "url": "https://example.com/"}}},
	}}).Get("updateComponent")
	require.Equal(t, "2", payload.Get("component", "version").String(), payload.String())
	require.Equal(t, "CONFLICT", code(b.remove("ada", made.ID)), "the version before uses it")
	clone := b.component("second", &made.ID)
	for _, id := range []string{component, clone} {
		require.True(t, used())
		b.As("ada").Do(`mutation($id: ID!) { deleteComponent(input: {id: $id}) { errors { message } } }`, vars{"id": id})
	}
	require.False(t, used())
	require.Empty(t, code(b.remove("ada", made.ID)))

	refused := b.As("ada").Do(`mutation($i: CreateComponentInput!) { createComponent(input: $i) { errors { code field } } }`, vars{"i": vars{
		"name": "x", "developerName": "x", "kind": "ENHANCED_LINK", "idempotencyKey": "x",
		"design": vars{"constants": []vars{{"name": "Door", "type": "IMAGE", "imageId": made.ID, "alt": "A door"}}, "formats": []vars{{"format": "RICH_LINK", "title": "Home", "url": "https://example.com/"}}},
	}}).Get("createComponent", "errors").List()
	require.Equal(t, "input.design.constants.0.imageId", refused[0].Get("field").String())
}

// A crash leaves files without rows, which go a day later, and never a row without a file.
// A file that is gone all the same, or torn, comes back with the next upload.
func TestFilesThatACrashLeavesAreSwept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	content := drawn(t, 3, 3)
	made := b.upload(content)
	file := b.files()[0]
	old, young := filepath.Join(filepath.Dir(file), "old"), filepath.Join(filepath.Dir(file), "young")
	others := filepath.Join(b.folder, "images", "another database's")
	yesterday := time.Now().Add(-25 * time.Hour)
	for _, path := range []string{old, young, others} {
		require.NoError(t, os.WriteFile(path, content, 0o600))
	}
	for _, path := range []string{old, file, others} {
		require.NoError(t, os.Chtimes(path, yesterday, yesterday))
	}
	require.NoError(t, b.Schema.Pictures.Sweep(t.Context()))
	require.NoFileExists(t, old)
	require.FileExists(t, young)
	require.FileExists(t, file)
	require.FileExists(t, others)

	for _, spoil := range []func() error{func() error { return os.Truncate(file, 1) }, func() error { return os.RemoveAll(filepath.Join(b.folder, "images")) }} {
		require.NoError(t, spoil())
		require.Equal(t, http.StatusNotFound, b.open(http.MethodGet, made.URL).Code)
		require.Equal(t, made, b.upload(content))
		require.Equal(t, http.StatusOK, b.open(http.MethodGet, made.URL).Code)
	}
}

// Two processes that get the same image at the same time keep one row and one file.
func TestTheSameImageAtOnceIsThereOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	desks := []*bundle{b, {parleytest.OpenAt(t, b.Config.Database, func(c *app.Config) { c.Files = b.folder }), b.folder}}
	content, ids := drawn(t, 3, 3), make(chan string, 20)
	var uploads sync.WaitGroup
	for i := range cap(ids) {
		desk := desks[i%2]
		ctx := desk.Context("ada")
		uploads.Go(func() {
			made, err := desk.Schema.Pictures.Upload(ctx, bytes.NewReader(content))
			if err != nil {
				ids <- err.Error()
				return
			}
			ids <- made.ID()
		})
	}
	uploads.Wait()
	first := <-ids
	for range cap(ids) - 1 {
		require.Equal(t, first, <-ids)
	}
	require.Len(t, b.files(), 1)
	require.Len(t, parleytest.Rows(t, b.Store, "SELECT id FROM images"), 1)
}

func TestWithoutAFileStoreUploadsSaySo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Schema.Pictures.Files = picture.NewFiles("")
	rec := b.post(b.token("ada"), drawn(t, 3, 3))
	require.Equal(t, http.StatusServiceUnavailable, rec.Code)
	require.Contains(t, rec.Body.String(), "--files")
	require.NoError(t, b.Schema.Pictures.Sweep(t.Context()))
	require.ErrorContains(t, picture.NewFiles("gs://images").Check(t.Context()), "not gs://")
}
