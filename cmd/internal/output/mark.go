package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// MarkFile is the mark of an output directory: it lists the files that ablate wrote there.
const MarkFile = ".ablate.json"

// Mark is what MarkFile holds.
type Mark struct {
	About string   `json:"about"`
	Study string   `json:"study"` // of the last run
	Files []string `json:"files"` // that ablate wrote, below the directory, with slashes, sorted

	dir  string
	data []byte
}

const aboutMark = "ablate writes the report of a study into this folder. It replaces the files that are listed here, and no others."

// mark writes what is ours, and the study whose report the directory holds.
func (d *Dir) mark(study string) error {
	m := Mark{About: aboutMark, Study: study, Files: slices.AppendSeq([]string{}, maps.Keys(d.ours))}
	slices.Sort(m.Files)
	data, err := m.encode()
	if err != nil {
		return err
	}
	return Write(d.at(MarkFile), data)
}

func (m *Mark) encode() ([]byte, error) {
	data, err := json.MarshalIndent(m, "", "  ")
	return append(data, '\n'), err
}

// ReadMark reads the mark of a directory.
func ReadMark(dir string) (*Mark, error) {
	path := filepath.Join(dir, MarkFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &Mark{dir: dir, data: data}
	if err := json.Unmarshal(data, m); err != nil || m.About == "" {
		return nil, fmt.Errorf("%s is damaged (%v): this file lists the files of the folder that ablate may replace; remove the file, and ablate looks at the folder as a new one", path, err)
	}
	return m, nil
}

// Judge says what is not as it should be in the mark of a directory that holds the report of a
// study, which has files of these names. A study.yaml may be a person's own, and so need not be
// listed.
func (m *Mark) Judge(study string, report []string) (wrong []string) {
	if m.Study != study {
		wrong = append(wrong, fmt.Sprintf("names study %q, whose report is that of %q", m.Study, study))
	}
	for _, name := range report {
		if !slices.Contains(m.Files, name) && name != studyFile && m.there(name) {
			wrong = append(wrong, fmt.Sprintf("does not list %s, which is a file of the report", name))
		}
	}
	for _, name := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			wrong = append(wrong, fmt.Sprintf("lists %q, which is not a file of the folder", name))
		}
	}
	if data, err := m.encode(); len(wrong) == 0 && (err != nil || !bytes.Equal(data, m.data)) {
		wrong = append(wrong, "is not what ablate wrote")
	}
	return wrong
}

// Missing lists the files that the mark names and the directory does not hold.
func (m *Mark) Missing() (names []string) {
	for _, name := range m.Files {
		if !m.there(name) {
			names = append(names, name)
		}
	}
	return names
}

func (m *Mark) there(name string) bool {
	_, err := os.Lstat(filepath.Join(m.dir, filepath.FromSlash(name)))
	return !errors.Is(err, fs.ErrNotExist)
}
