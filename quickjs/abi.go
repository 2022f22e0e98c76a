package quickjs

// The constants mirror build/bridge/abi.h.
const (
	abiVersion   = 2
	mailboxSize  = 16384
	ownedFrom    = 4096 // bytes from which a body gets a block of its own
	fuelInterval = 4096
)

const (
	shapeHead uint32 = 1 << iota
	shapeBody
	shapeError
	shapeOwnedHead
	shapeOwnedBody
	shapeStashed
)

// Offsets into struct shared.
const (
	offVersion       = 0
	offMailbox       = 4
	offShape         = 12
	offHead          = 16
	offHeadLen       = 20
	offBody          = 24
	offBodyLen       = 28
	offName          = 32
	offNameLen       = 36
	offExportName    = 40
	offExportNameLen = 44
	offJobs          = 48
	offPending       = 52
	offTimers        = 56
	offWatched       = 60
	offNextTimer     = 64
	offOOM           = 72
	offMaxPending    = 76
	offMaxTimers     = 80
	offMemoryLimit   = 84
	offMallocSize    = 88
	sharedSize       = 96
)

const (
	watchedNone = iota
	watchedPending
	watchedFulfilled
	watchedRejected
)

type command uint32

const (
	cmdInit command = iota
	cmdBegin
	cmdAlloc
	cmdFree
	cmdEval
	cmdCall
	cmdRunJobs
	cmdComplete
	cmdRunTimers
	cmdResult
	cmdFreeze
	cmdGC
)

const (
	evalModule = iota
	evalScript
	evalBytecode
	evalCompile
)

const (
	opTake = iota
	opLookup
	opNormalize
	opLoad
	opUncaught
	opCancel
	opUser = 16

	opAsync = 1 << 31
)
