package specs

import (
	"reflect"
	"strings"
)

// Proxies are the names that the key proxies takes.
func Proxies() []string {
	f, ok := reflect.TypeFor[Study]().FieldByName("Proxies")
	if !ok {
		panic("internal error: no field Proxies")
	}
	return strings.Split(f.Tag.Get("enum"), "|")
}
