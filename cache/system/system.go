// Package system stops a build for an operating system that ablate does not run on, with words and
// before any other package is compiled. Packages that ask the system for locks, mappings or the
// identity of files import it; on Linux and macOS it is empty.
package system
