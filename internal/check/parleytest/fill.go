package parleytest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// Fill gives every exported field of what into points to, and of what it holds, a
// value of its own that is not zero: a test that compares what comes back catches
// a field that was forgotten on the way, also one that is added later.
func Fill(t testing.TB, into any) {
	t.Helper()
	next := int64(1000)
	fill(t, reflect.ValueOf(into).Elem(), &next)
}

func fill(t testing.TB, v reflect.Value, next *int64) {
	t.Helper()
	*next--
	if v.Type() == reflect.TypeFor[json.RawMessage]() {
		v.SetBytes(fmt.Append(nil, *next))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(t, v.Field(i), next)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), next)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0), next)
		fill(t, v.Index(1), next)
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *next))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64, reflect.Int:
		v.SetInt(*next)
	case reflect.Interface: // whatever the caller keeps there
	default:
		require.Fail(t, "Fill does not know this type", "%s", v.Type())
	}
}
