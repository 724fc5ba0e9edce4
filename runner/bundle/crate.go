package bundle

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"ablate/cache"
	"ablate/pipeline"
)

// entity is a node of the crate's graph. Its JSON has sorted keys, so that the same run gives the
// same bytes.
type entity map[string]any

func ref(id string) entity { return entity{"@id": id} }

// metadata makes ro-crate-metadata.json, after RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) and its
// profile Process Run Crate 0.5 (https://w3id.org/ro/wfrun/process/0.5): every file of the bundle
// is a part of the root, every step a CreateAction from its inputs to its outputs. Bytes that the
// bundle does not hold, raw files among them, are contextual entities named by their digest.
func metadata(m Manifest, s *pipeline.State, files []packed) ([]byte, error) {
	const profile = "https://w3id.org/ro/wfrun/process/0.5"
	g := &graph{s: s, packed: map[string]bool{}, named: map[cache.Digest]string{}, seen: map[string]bool{}}
	for _, f := range files {
		g.packed[f.name] = true
	}
	actions, last := g.actions()
	var parts []entity
	for _, f := range files {
		part, err := g.file(f)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	about := m.About
	if about == "" {
		about = "Study " + m.Study
	}
	root := entity{
		"@id": "./", "@type": "Dataset", "conformsTo": ref(profile), "name": "ablate study " + m.Study,
		"description": about + " The report of a run of this study, and everything needed to check the report without the machine that ran the study.",
		"license":     ref("#license"), "hasPart": single(refs(parts)), "mentions": single(refs(actions)), "datePublished": last,
	}
	license := entity{"@id": "#license", "@type": "CreativeWork", "name": m.License, "description": "Terms that whoever packed this bundle stated."}
	if m.License == "" {
		license["name"], license["description"] = "not stated", "Whoever packed this bundle did not state terms; ask before passing it on."
	} else if strings.HasPrefix(m.License, "https://") || strings.HasPrefix(m.License, "http://") {
		license["@id"] = m.License
		root["license"] = ref(m.License)
	}
	all := []entity{
		{"@id": crateName, "@type": "CreativeWork", "about": ref("./"), "conformsTo": ref("https://w3id.org/ro/crate/1.1")},
		root,
		{"@id": profile, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
		license,
	}
	all = append(append(append(append(all, g.programs...), parts...), actions...), g.absent...)
	data, err := json.MarshalIndent(map[string]any{
		"@context": []any{
			"https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context",
			map[string]string{"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
		},
		"@graph": all,
	}, "", " ")
	return append(data, '\n'), err
}

// graph gathers what actions refer to.
type graph struct {
	s        *pipeline.State
	packed   map[string]bool         // names of files in the bundle
	named    map[cache.Digest]string // what a blob is, in words: of the first step that left it
	seen     map[string]bool         // IDs of absent entities and programs
	absent   []entity
	programs []entity
}

// actions describes every step, and returns when the last of them ended.
func (g *graph) actions() (actions []entity, last string) {
	done := map[string]bool{}
	for i, step := range g.s.Plan.Steps {
		id := "#step-" + g.s.Keys[i].String()
		if done[id] { // two names for one computation
			continue
		}
		done[id] = true
		e := g.s.Entries[i]
		object, result := []entity{}, []entity{}
		for _, in := range g.s.Step(i).Inputs {
			if in.File != nil {
				object = append(object, g.lacking(in.File.Digest, "raw file "+in.File.Name, in.File.Size))
				continue
			}
			o, _ := g.s.Entries[in.Step].Output(in.Output)
			object = append(object, g.blob(o, in.Output+" of "+g.s.Plan.Steps[in.Step].ID))
		}
		for _, o := range e.Outputs {
			result = append(result, g.blob(o, o.Name+" of "+step.ID))
		}
		p := e.Provenance
		a := entity{
			"@id": id, "@type": "CreateAction", "name": step.ID, "instrument": g.program(p),
			"description":  fmt.Sprintf("Step of kind %s; %s lists what went into its key.", step.Kind, entryName(g.s.Keys[i])),
			"actionStatus": ref("http://schema.org/CompletedActionStatus"), "object": single(object), "result": single(result),
		}
		if began, err := time.Parse(time.RFC3339, p.Started); err == nil {
			const numeric = "2006-01-02T15:04:05-07:00" // the profile's own check takes no Z
			end := began.Add(time.Duration(p.WallSeconds * float64(time.Second))).UTC().Format(numeric)
			a["startTime"], a["endTime"] = began.UTC().Format(numeric), end
			last = max(last, end)
		}
		actions = append(actions, a)
	}
	return actions, last
}

// blob refers to an output, which the bundle holds or not.
func (g *graph) blob(o cache.Output, what string) entity {
	if name := blobName(o.Digest); g.packed[name] {
		if g.named[o.Digest] == "" {
			g.named[o.Digest] = what
		}
		return ref(name)
	}
	return g.lacking(o.Digest, what, o.Size)
}

// lacking refers to bytes that the bundle does not hold.
func (g *graph) lacking(d cache.Digest, what string, size int64) entity {
	id := "#sha256-" + d.String()
	if !g.seen[id] {
		g.seen[id] = true
		g.absent = append(g.absent, entity{
			"@id": id, "@type": "CreativeWork", "name": what, "sha256": d.String(), "size": strconv.FormatInt(size, 10),
			"description": "This file is not in the bundle; its size in bytes and its digest identify it.",
		})
	}
	return ref(id)
}

// program refers to what made a step.
func (g *graph) program(p cache.Provenance) entity {
	id := "#" + url.PathEscape("ablate-"+p.Ablate+"-"+p.Go+"-"+p.OS+"-"+p.Arch)
	if !g.seen[id] {
		g.seen[id] = true
		g.programs = append(g.programs, entity{
			"@id": id, "@type": "SoftwareApplication", "name": "ablate", "softwareVersion": p.Ablate,
			"softwareRequirements": p.Go, "operatingSystem": p.OS, "processorRequirements": p.Arch,
		})
	}
	return ref(id)
}

// file describes a file of the bundle. A blob has the digest that it is named by: nothing is packed
// before it was checked.
func (g *graph) file(f packed) (entity, error) {
	e := entity{"@id": (&url.URL{Path: f.name}).String(), "@type": "File", "name": path.Base(f.name), "encodingFormat": encoding(f.name)}
	if strings.HasPrefix(f.name, cacheFolder+"/blobs/") {
		d, err := cache.ParseDigest(path.Base(f.name))
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(f.path)
		if err != nil {
			return nil, err
		}
		output, _, _ := strings.Cut(g.named[d], " of ")
		e["name"], e["encodingFormat"] = g.named[d], encoding(output)
		e["sha256"], e["contentSize"] = d.String(), strconv.FormatInt(info.Size(), 10)
		return e, nil
	}
	data := f.data
	if f.path != "" {
		var err error
		if data, err = os.ReadFile(f.path); err != nil {
			return nil, err
		}
	}
	if strings.HasPrefix(f.name, cacheFolder+"/entries/") {
		e["name"], e["encodingFormat"] = "entry "+path.Base(f.name), "application/json"
	}
	e["sha256"], e["contentSize"] = cache.DigestOf(data).String(), strconv.Itoa(len(data))
	return e, nil
}

// encoding is the media type of a file by the end of its name.
func encoding(name string) string {
	types := map[string]string{
		".json": "application/json", ".html": "text/html", ".svg": "image/svg+xml", ".csv": "text/csv", ".yaml": "application/yaml",
		".parquet": "application/vnd.apache.parquet", ".arrow": "application/vnd.apache.arrow.file", ".safetensors": "application/octet-stream",
	}
	if t := types[path.Ext(name)]; t != "" {
		return t
	}
	return "text/plain"
}

// single is a list, or of one its element, as RO-Crate has it.
func single(list []entity) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func refs(entities []entity) []entity {
	out := make([]entity, len(entities))
	for i, e := range entities {
		out[i] = entity{"@id": e["@id"]}
	}
	return out
}
