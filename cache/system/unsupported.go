//go:build !linux && !darwin

package system

// The compiler prints the name as the reason.
var _ = ablate_runs_on_Linux_and_macOS_only
