package arena

import "syscall"

// adviseHuge changes no contents. A kernel without huge pages refuses, which costs speed alone.
func adviseHuge(b []byte) { _ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) }
