package specs

import (
	"reflect"
	"strings"
)

// TakesShares reports whether a proxy scores mixtures with shares of their own. Means of the scores
// of single models do not: they weigh models by what a set is made of.
func TakesShares(proxy string) bool {
	return !strings.HasPrefix(proxy, "mean_") && !strings.HasSuffix(proxy, "_id")
}

// Proxies are the names that the key proxies takes.
func Proxies() []string {
	f, ok := reflect.TypeFor[Study]().FieldByName("Proxies")
	if !ok {
		panic("internal error: no field Proxies")
	}
	return strings.Split(f.Tag.Get("enum"), "|")
}
