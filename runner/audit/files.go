package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"ablate/cache"
)

// Raw reads a raw file and compares it with what the run read, where that is known. path is empty
// where the file is gone.
func (a *Audit) Raw(ctx context.Context, name, path string, recorded cache.Digest) error {
	a.Result.Raw.Of++
	if path == "" {
		a.Find("raw file", name, "", "does not exist any more; the run read a file with digest %s", recorded)
		return nil
	}
	now, size, err := cache.FileDigestNow(ctx, path)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.Find("raw file", name, "", "cannot be read: %v", err)
		return nil
	}
	a.Result.Raw.Bytes += size
	a.raw[now] = path
	if !recorded.IsZero() && now != recorded {
		a.Find("raw file", name, "", "has been changed: %s has digest %s, the run read a file with digest %s", path, now, recorded)
		return nil
	}
	a.Result.Raw.Checked++
	return nil
}

// Files compares a directory of files that were made again from the cache with what the run left.
// What only the given directory holds is listed as not checked, logs of failures aside.
func (a *Audit) Files(ctx context.Context, made, given string) error {
	ours, err := Names(made)
	if err != nil {
		return err
	}
	theirs, err := Names(given)
	if err != nil {
		return err
	}
	for _, name := range ours {
		if err := a.file(ctx, name, filepath.Join(made, filepath.FromSlash(name)), filepath.Join(given, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	var extra []string
	for _, name := range theirs {
		if !slices.Contains(ours, name) && !strings.HasPrefix(name, "logs/") && !slices.Contains(a.Beside, name) {
			extra = append(extra, name)
		}
	}
	if len(extra) > 0 {
		a.Skip(fmt.Sprintf("%d files in %s: %s", len(extra), given, strings.Join(extra[:min(5, len(extra))], ", ")), "no run of this study made these files, or their sources are lost")
	}
	return nil
}

// file compares one file of the report with the same file made again.
func (a *Audit) file(ctx context.Context, name, made, given string) error {
	a.Result.Report.Of++
	want, _, err := cache.FileDigestNow(ctx, made)
	if err != nil {
		return err
	}
	got, _, err := cache.FileDigestNow(ctx, given)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, fs.ErrNotExist):
		a.Find("report", name, "", "is missing in %s", filepath.Dir(given))
	case a.found(name):
		// What differs was named when the file was read for what it says.
	case err != nil:
		a.Find("report", name, "", "cannot be read: %v", err)
	case got == want:
		a.Result.Report.Checked++
	default:
		detail := fmt.Sprintf("has digest %s, made again from the cache %s", got, want)
		if a.Differ != nil {
			if d := a.Differ(name, made, given); d != "" {
				detail = d + "; it " + detail
			}
		}
		a.Find("report", name, "", "%s", detail)
	}
	return nil
}

// found reports whether there is a finding of a file of the report already.
func (a *Audit) found(name string) bool {
	return slices.ContainsFunc(a.Findings, func(f Finding) bool { return f.What == "report" && f.Name == name })
}

// Names lists the regular files below a directory, as slash paths, sorted.
func Names(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		out = append(out, filepath.ToSlash(rel))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	slices.Sort(out)
	return out, nil
}
