package specs

import "reflect"

// A few keys take two forms: what stands there tells which is meant. Such a type is a struct of two
// fields that are no keys. A mapping is read into the second, and anything else into the first.

// Listed is one entry of a list of mixtures: components, or components with their shares.
type Listed struct {
	Names  []string          `yaml:"-"` // of a set of components
	Shares map[string]string `yaml:"-"` // by the names of components; see Share
}

// ForEach is one word for all components, or a share for each.
type ForEach struct {
	All  string            `yaml:"-"`
	Each map[string]string `yaml:"-"` // by the names of components; see Share
}

// Given reports whether the study says anything.
func (f ForEach) Given() bool { return f.All != "" || f.Each != nil }

var listedType = reflect.TypeFor[Listed]()

// twoForms reports whether a type takes two forms.
func twoForms(t reflect.Type) bool { return t == listedType || t == reflect.TypeFor[ForEach]() }
