package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// The kernel lets a process decide the system calls of another, one by one (seccomp_unotify(2)): so
// a test can let any call of the real program on a file fail, whichever package of ours or of
// others makes it, without a line for that in the program.

// Numbers from the kernel's headers, include/uapi/linux/seccomp.h and filter.h.
const (
	prSetNoNewPrivs     = 38
	seccompCall         = 317
	seccompSetFilter    = 1
	seccompNewListener  = 1 << 3
	seccompWaitKillable = 1 << 5 // Linux 5.19: a call that we decide is not begun again because of a signal
	seccompUserNotify   = 0x7fc00000
	seccompAllow        = 0x7fff0000
	seccompContinue     = 1
	notifyRecv          = 0xc0502100
	notifySend          = 0xc0182101

	loadNr     = 0x20 // BPF_LD | BPF_W | BPF_ABS
	jumpEqual  = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
	returnThis = 0x06 // BPF_RET | BPF_K
)

// A notice is a system call that waits for a decision; a verdict decides it.
type notice struct {
	id    uint64
	pid   uint32 // of the thread
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

type verdict struct {
	id    uint64
	val   int64
	err   int32
	flags uint32
}

// watchedSocket is the file descriptor of the socket to the test; see runWatched.
const watchedSocket = 3

func init() { commands["ablate-watched"] = runWatched }

// runWatched is the command `ablate-watched`: it puts this thread under a filter, hands its
// listener to the test through the socket that it inherits, and becomes ablate, which inherits the
// filter.
func runWatched() {
	runtime.LockOSThread()
	filter := []syscall.SockFilter{{Code: loadNr, K: 0}}
	for i, c := range callTable {
		filter = append(filter, syscall.SockFilter{Code: jumpEqual, K: uint32(c.nr), Jt: uint8(len(callTable) - i)})
	}
	filter = append(filter, syscall.SockFilter{Code: returnThis, K: seccompAllow}, syscall.SockFilter{Code: returnThis, K: seccompUserNotify})
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	fail := func(what string, errno syscall.Errno) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, errno)
		os.Exit(99)
	}
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		fail("prctl", errno)
	}
	self, err := os.Executable()
	env := os.Environ()
	if err != nil {
		fail(err.Error(), 0)
	}
	listener, _, errno := syscall.RawSyscall(seccompCall, seccompSetFilter, seccompNewListener|seccompWaitKillable, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		fail("seccomp", errno)
	}
	if err := syscall.Sendmsg(watchedSocket, []byte{0}, syscall.UnixRights(int(listener)), nil, 0); err != nil {
		os.Exit(99)
	}
	syscall.Close(int(listener))
	syscall.Close(watchedSocket)
	syscall.Exec(self, append([]string{"ablate"}, os.Args[1:]...), env)
	os.Exit(99)
}

// callFault says which call fails, and how.
type callFault struct {
	reads bool   // calls that read fail, else calls that write
	site  string // only calls of this sort; see sites
	at    int    // the number of the call, from 1; 0: none
	errno syscall.Errno
	on    bool   // all later ones fail too, as on a full disk
	under string // only files in this directory
}

func (f callFault) String() string {
	on := ""
	if f.on {
		on = " and all writing after it"
	}
	return fmt.Sprintf("%s number %d%s: %v", f.site, f.at, on, f.errno)
}

// overseer decides the calls of one run.
type overseer struct {
	callFault
	sites map[string]int // how many calls of each sort
	hit   string         // the first call that failed
	err   error
}

// serve decides calls until the run has ended.
func (o *overseer) serve(listener int, ended <-chan struct{}) {
	defer syscall.Close(listener)
	for {
		ready, err := readable(listener, 20*time.Millisecond)
		if err != nil {
			o.err = err
			return
		}
		if !ready {
			select {
			case <-ended:
				return
			default:
				continue
			}
		}
		var n notice
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(listener), notifyRecv, uintptr(unsafe.Pointer(&n))); errno != 0 {
			if errno == syscall.EINTR || errno == syscall.ENOENT { // its thread was killed
				continue
			}
			o.err = fmt.Errorf("receiving a call: %w", errno)
			return
		}
		v := verdict{id: n.id, flags: seccompContinue}
		if o.fails(&n) {
			v.flags, v.err = 0, -int32(o.errno)
		}
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(listener), notifySend, uintptr(unsafe.Pointer(&v))); errno != 0 && errno != syscall.ENOENT && errno != syscall.EINPROGRESS {
			o.err = fmt.Errorf("deciding a call: %w", errno)
			return
		}
	}
}

// readable waits a while for something to read.
func readable(fd int, most time.Duration) (bool, error) {
	type pollFd struct {
		fd              int32
		events, revents int16
	}
	const in, hup = 1, 16
	p := pollFd{fd: int32(fd), events: in}
	t := syscall.NsecToTimespec(int64(most))
	_, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&t)), 0, 0, 0)
	if errno == syscall.EINTR {
		return false, nil
	}
	if errno != 0 {
		return false, errno
	}
	return p.revents&in != 0, nil
}

// fails counts a call, if it is one of those in question, and says whether it is to fail.
func (o *overseer) fails(n *notice) bool {
	name, path, reads := aboutFile(n)
	if reads != o.reads || path != o.under && !strings.HasPrefix(path, o.under+"/") {
		return false
	}
	site := name + " " + fileSort(strings.TrimPrefix(path, o.under))
	o.sites[site]++
	if o.hit != "" {
		return o.on
	}
	if site != o.site || o.sites[site] != o.at {
		return false
	}
	o.hit = name + " " + path
	return true
}

// aboutFile says what a call is about: its name, the file, and whether it reads.
func aboutFile(n *notice) (name, path string, reads bool) {
	for _, c := range callTable {
		if c.nr != int(n.nr) {
			continue
		}
		reads = c.reads
		if c.path >= 0 {
			path = pathAt(n, c.dir, c.path)
			if c.nr == syscall.SYS_OPENAT {
				reads = n.args[2]&(syscall.O_CREAT|syscall.O_WRONLY|syscall.O_RDWR) == 0
			}
		} else if fd := int32(n.args[c.dir]); fd >= 0 {
			path, _ = os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", n.pid, fd))
		}
		return c.name, path, reads
	}
	return "", "", false
}

// pathAt reads a path that is an argument of a call, from the memory of its process.
func pathAt(n *notice, dir, arg int) string {
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", n.pid))
	if err != nil {
		return ""
	}
	defer mem.Close()
	buf := make([]byte, 4096)
	k, err := mem.ReadAt(buf, int64(n.args[arg]))
	end := bytes.IndexByte(buf[:k], 0)
	if err != nil && end < 0 || end < 0 {
		return ""
	}
	path := string(buf[:end])
	if filepath.IsAbs(path) {
		return path
	}
	from := fmt.Sprintf("/proc/%d/cwd", n.pid)
	if fd := int32(n.args[dir]); fd >= 0 {
		from = fmt.Sprintf("/proc/%d/fd/%d", n.pid, fd)
	}
	base, err := os.Readlink(from)
	if err != nil {
		return ""
	}
	return filepath.Join(base, path)
}

// listener receives the file descriptor that runWatched sends.
func listener(socket int) (int, error) {
	rights := make([]byte, syscall.CmsgSpace(4))
	_, n, _, _, err := syscall.Recvmsg(socket, make([]byte, 1), rights, syscall.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	if n < syscall.CmsgLen(4) {
		return -1, errors.New("no listener came")
	}
	return int(binary.NativeEndian.Uint32(rights[syscall.CmsgLen(0):])), nil
}
