package show

import (
	"bytes"
	"testing"

	"ablate/cmd/internal/study/auditing"
	"ablate/runner/audit"
	"ablate/runner/bundle"
)

func TestAudit(t *testing.T) {
	r := &auditing.Result{Study: "small", Cache: "/cache", Out: "out/small", All: 9, Seed: 7, Drawn: true, Beneath: "/upstream"}
	r.Raw, r.Steps, r.Blobs, r.Report, r.Upstream = audit.Count{Checked: 4, Of: 4, Bytes: 5000}, audit.Count{Checked: 9, Of: 9}, audit.Count{Checked: 30, Of: 30, Bytes: 159_000}, audit.Count{Checked: 20, Of: 20}, 2
	r.Executed = []audit.Executed{
		{Step: "correlate", Kind: "correlate", Outputs: 8, Same: true, Seconds: 0.26, Was: 0.31},
		{Step: "eval/a", Kind: "eval", Outputs: 1, Same: true, Unasked: true, Seconds: 0.5},
		{Step: "eval/b", Kind: "eval", Outputs: 1, Same: true, Unasked: true, Seconds: 0.75},
	}
	r.OnWord = map[string]int{"train": 5, "split": 1}
	r.Unchecked = []audit.Unchecked{{What: "who ran it", Why: "entries hold what the machine reported about itself"}}
	const counts = `raw files   4 of 4 have the content that the run read; 5 kB
steps       9 of 9: the key follows from the study and the content of the inputs
upstream    2 of these steps: the cache has no entry, /upstream has
blobs       30 of 30 have the digest that is their name; 159 kB
report      20 of 20 files equal those made again from the cache
executed    2 eval steps, every byte the same; 1.2s
executed    correlate: 8 outputs, every byte the same; 0.3s, 0.3s when it was made
drawn with  --seed 7

not checked
  who ran it: entries hold what the machine reported about itself

`
	const rest = "the audit found no differences; 6 of 9 steps were not executed again, so that their results rest on trust in who ran them (1 split, 5 train); --recompute all executes them\n"
	audited := func(quiet bool) string {
		return printed(t, func(w *bytes.Buffer) error { Audit(w, r, "small.zip", quiet); return nil })
	}
	want(t, "study small, cache /cache, report out/small\n\n"+counts+rest, audited(false))
	want(t, "", audited(true))
	r.Bundle = &bundle.Manifest{Program: "ablate 1.2"}
	want(t, "study small, bundle small.zip, packed by ablate 1.2\n\n"+counts+rest, audited(false))
	r.Findings = []audit.Finding{{What: "report", Name: "plan.json\x1b", Detail: "is missing"}}
	want(t, `report plan.json\x1b: is missing

1 difference
`, audited(true))
	r.Findings = append(r.Findings, audit.Finding{What: "entry", Name: "abcd", Step: "seed", Detail: "is missing"})
	want(t, `report plan.json\x1b: is missing
entry abcd (seed): is missing

2 differences
`, audited(true))
	r.Findings, r.OnWord, r.Report = nil, nil, audit.Count{}
	if got := audited(false); !bytes.HasSuffix([]byte(got), []byte("the audit found no differences in the cache, and checked no report; every step was executed again\n")) {
		t.Errorf("without a report:\n%s", got)
	}
}

func TestAuditJSON(t *testing.T) {
	r := &auditing.Result{Study: "small", Cache: "/cache", Out: "out/small"}
	r.Executed, r.Findings, r.Unchecked = []audit.Executed{}, []audit.Finding{{What: "raw file", Name: "a", Detail: "is gone"}}, []audit.Unchecked{}
	want(t, `{
  "study": "small",
  "cache": "/cache",
  "out": "out/small",
  "sound": false,
  "steps": {
    "checked": 0,
    "of": 0
  },
  "blobs": {
    "checked": 0,
    "of": 0
  },
  "raw_files": {
    "checked": 0,
    "of": 0
  },
  "report": {
    "checked": 0,
    "of": 0
  },
  "executed": [],
  "on_word": null,
  "findings": [
    {
      "what": "raw file",
      "name": "a",
      "detail": "is gone"
    }
  ],
  "unchecked": []
}
`, printed(t, func(w *bytes.Buffer) error { return AuditJSON(w, r) }))
}
