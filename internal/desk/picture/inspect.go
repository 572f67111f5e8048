package picture

import (
	"bytes"
	"image"
	_ "image/gif"  // formats that are taken
	_ "image/jpeg" // formats that are taken
	_ "image/png"  // formats that are taken

	_ "golang.org/x/image/webp" // formats that are taken

	"parley/internal/ground/fault"
)

// inspect reads what an image is from its own bytes; what its sender calls it does not
// count. Only its header is read, never its pixels, however many it claims.
func inspect(content []byte) (contentType string, width, height int, err error) {
	if len(content) == 0 {
		return "", 0, 0, fault.New(fault.BadInput, "The body is empty. Send the bytes of an image.")
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return "", 0, 0, fault.New(fault.BadInput, "This is not an image that can be used. Send a PNG, JPEG, GIF or WebP as the body itself, not in a form.")
	}
	if config.Width < 1 || config.Height < 1 || config.Width > MostSide || config.Height > MostSide {
		return "", 0, 0, fault.New(fault.BadInput, "An image has 1 to %d pixels on each side, not %d by %d. Make it smaller.", MostSide, config.Width, config.Height)
	}
	return "image/" + format, config.Width, config.Height, nil
}
