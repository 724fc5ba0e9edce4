package main

import _ "embed"

// template is the study that `ablate init` writes: it runs as it is and says at each key what may be changed.
//
//go:embed template.yaml
var template string
