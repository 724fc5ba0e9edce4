package specs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Whatever the text: no panic; a study or Errors; errors lie in the file and have one line each;
// and what Parse accepts, the schema accepts.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range Shipped() {
		data, err := shipped.ReadFile("studies/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(small + "model: {}\n"))
	schema := compiled(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("f", data, ".")
		if err == nil {
			if err := schema.Validate(decoded(t, data)); err != nil {
				t.Errorf("the schema refuses what Parse accepts: %v", err)
			}
			s.At("corpora", "go", "files", "0")
			return
		}
		var errs Errors
		if !errors.As(err, &errs) || len(errs) == 0 {
			t.Fatalf("error %v is not Errors", err)
		}
		for _, e := range errs {
			if e.Line < 1 || e.Column < 1 || e.Message == "" {
				t.Errorf("no position or message: %#v", e)
			}
		}
	})
}
