//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

func tmpfs(ts *testscript.TestScript, neg bool, args []string) { ts.Fatalf("tmpfs: Linux only") }
func grow(ts *testscript.TestScript, neg bool, args []string)  { ts.Fatalf("grow: Linux only") }

func readonly(ts *testscript.TestScript, neg bool, args []string) { ts.Fatalf("readonly: Linux only") }

func canMount() bool { return false }
