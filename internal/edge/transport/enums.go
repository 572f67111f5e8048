package transport

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// mostEnumBytes bounds the values that suggestions are looked for.
const mostEnumBytes = 100

// explainEnum refuses an unknown enum value in a variable in the words that
// validation has for one in the document.
func explainEnum(schema *ast.Schema, err *gqlerror.Error) {
	const says = " is not a valid "
	at := strings.LastIndex(err.Message, says)
	if at < 0 {
		return
	}
	value, name := err.Message[:at], err.Message[at+len(says):]
	enum := schema.Types[name]
	if enum == nil || enum.Kind != ast.Enum {
		return
	}
	err.Message = `Value "` + value + `" does not exist in "` + name + `" enum.`
	if len(value) > mostEnumBytes {
		return
	}
	known := make([]string, len(enum.EnumValues))
	for i, v := range enum.EnumValues {
		known[i] = v.Name
	}
	core.SuggestListQuoted("Did you mean the enum value", value, known)(err)
}
