package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"ablate/specs"
	"ablate/stages/text"
)

// formatNames are the formats in words.
var formatNames = map[string]string{"text": "plain text", "jsonl": "JSON Lines", "parquet": "Parquet", "tokens": "arrays of ids"}

// formatOf is the format of a corpus's files: what the study says, else what their names say, else
// their content. Files of several formats, and metadata that were read as those of another format,
// are errors: what is read as something else is not found out later.
func formatOf(corpus specs.Corpus, found []text.File) (string, error) {
	if corpus.Format != "auto" && corpus.Format != "" {
		return corpus.Format, nil
	}
	first := map[string]string{} // of each format, a file
	count := map[string]int{}
	var unlike []error
	arrays := slices.ContainsFunc(found, func(f text.File) bool { return specs.FormatOfName(f.Name) == "tokens" })
	for _, f := range found {
		format := specs.FormatOfName(f.Name)
		if format == "jsonl" && corpus.Bad.Format != "drop" {
			if err := namedOtherwise(f, corpus.Text); err != nil {
				unlike = append(unlike, err)
			}
		}
		if format == "" {
			if arrays && text.IsIndex(f.Name) {
				continue // Arrays looks at it
			}
			var err error
			if format, err = text.ContentFormat(f.Path, corpus.Text); err != nil {
				var path *fs.PathError
				if errors.As(err, &path) {
					return "", err
				}
				if corpus.Bad.Format != "drop" {
					unlike = append(unlike, err)
				}
				continue
			}
		}
		if count[format]++; count[format] == 1 {
			first[format] = f.Name
		}
	}
	if len(unlike) > 0 {
		more := ""
		if len(unlike) > 1 {
			more = fmt.Sprintf(", and so are %d others", len(unlike)-1)
		}
		return "", fmt.Errorf("%w%s (exclude such files, or write bad: {format: drop} to leave them out and count them)", unlike[0], more)
	}
	if len(count) > 1 {
		var parts []string
		for _, format := range slices.Sorted(maps.Keys(count)) {
			parts = append(parts, fmt.Sprintf("%d are %s, such as %s", count[format], formatNames[format], first[format]))
		}
		return "", fmt.Errorf("the files are of several formats: %s; give format (text reads every file as one document), exclude files, or make a corpus of each format", strings.Join(parts, "; "))
	}
	for format := range count {
		if format == "tokens" && corpus.DType == "" { // the patterns do not show what the files are
			by := "names"
			if specs.FormatOfName(first[format]) == "" {
				by = "content"
			}
			return "", fmt.Errorf("the files hold tokens by their %s: give format: tokens, and dtype", by)
		}
		if said := patternFormat(corpus.Files); format != said && len(corpus.Metadata) > 0 {
			return "", fmt.Errorf("the files are %s by their content, such as %s, and the corpus's metadata are those of %s: give format: %s and metadata that fit, or format: %s",
				formatNames[format], first[format], formatNames[said], format, said)
		}
		return format, nil
	}
	return "text", nil
}

// namedOtherwise returns what a file is that is called JSON Lines and certainly is something else.
// What may be damaged is for its reader to tell, with the place.
func namedOtherwise(f text.File, textField string) error {
	format, err := text.ContentFormat(f.Path, textField)
	var stranger *text.StrangerError
	switch {
	case errors.As(err, &stranger):
		return err
	case err == nil && format != "jsonl" && format != "text":
		return fmt.Errorf("%s is %s by its content and JSON Lines by its name: give format, or rename it", f.Path, formatNames[format])
	}
	return nil
}

// patternFormat is the format that a study's metadata were checked for.
func patternFormat(patterns []string) string {
	for _, p := range patterns {
		if format := specs.FormatOfName(p); format != "" {
			return format
		}
	}
	return "text"
}
