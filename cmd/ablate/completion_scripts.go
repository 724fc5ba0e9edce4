package main

import _ "embed"

// completionScripts are the scripts of the shells, by name.
var completionScripts = map[string]string{"bash": completionBash, "zsh": completionZsh, "fish": completionFish}

//go:embed completion/ablate.bash
var completionBash string

//go:embed completion/ablate.zsh
var completionZsh string

//go:embed completion/ablate.fish
var completionFish string
