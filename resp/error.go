package resp

import "strings"

// Error is an error reply: the whole line after '-', code first ("ERR syntax error"). Texts are byte-equal to Redis.
type Error string

// Error returns the whole line.
func (e Error) Error() string { return string(e) }

// Code returns the text up to the first space: what clients switch on and what INFO errorstats counts.
func (e Error) Code() string {
	code, _, _ := strings.Cut(string(e), " ")
	return code
}

// Errors that more than one package answers with.
const (
	ErrSyntax          Error = "ERR syntax error"
	ErrNoSuchKey       Error = "ERR no such key"
	ErrNotInteger      Error = "ERR value is not an integer or out of range"
	ErrNotFloat        Error = "ERR value is not a valid float"
	ErrOutOfRange      Error = "ERR value is out of range"
	ErrMustBePositive  Error = "ERR value is out of range, must be positive"
	ErrIndexOutOfRange Error = "ERR index out of range"
	ErrDBIndex         Error = "ERR DB index is out of range"
	ErrSameObject      Error = "ERR source and destination objects are the same"
	ErrTimeoutInteger  Error = "ERR timeout is not an integer or out of range"
	ErrTimeoutNegative Error = "ERR timeout is negative"
	ErrTimeoutRange    Error = "ERR timeout is out of range"
	ErrOverflow        Error = "ERR increment or decrement would overflow"
	ErrStringTooLong   Error = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
	ErrWrongType       Error = "WRONGTYPE Operation against a key holding the wrong kind of value"
	ErrNoAuth          Error = "NOAUTH Authentication required."
	ErrWrongPass       Error = "WRONGPASS invalid username-password pair or user is disabled."
	ErrNoProto         Error = "NOPROTO unsupported protocol version"
	ErrBusyGroup       Error = "BUSYGROUP Consumer Group name already exists"
	ErrOOM             Error = "OOM command not allowed when used memory > 'maxmemory'."
	ErrLoading         Error = "LOADING Redis is loading the dataset in memory"
	ErrUnblocked       Error = "UNBLOCKED client unblocked via CLIENT UNBLOCK"
	ErrNoCluster       Error = "ERR This instance has cluster support disabled"
	ErrMaxClients      Error = "ERR max number of clients reached"
	ErrExecAbort       Error = "EXECABORT Transaction discarded because of previous errors."

	// Stream commands.
	ErrInvalidID      Error = "ERR Invalid stream ID specified as stream command argument"
	ErrIDZero         Error = "ERR The ID specified in XADD must be greater than 0-0"
	ErrIDTooSmall     Error = "ERR The ID specified in XADD is equal or smaller than the target stream top item"
	ErrIDExhausted    Error = "ERR The stream has exhausted the last possible ID, unable to add more items"
	ErrEntryTooLarge  Error = "ERR Elements are too large to be stored"
	ErrIntervalStart  Error = "ERR invalid start ID for the interval"
	ErrIntervalEnd    Error = "ERR invalid end ID for the interval"
	ErrXGroupNeedsKey Error = "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."
)

// Safe returns e with CR, LF and other control bytes shown as blanks, so that quoted user data can never end the line
// (CVE-2025-67733).
func (e Error) Safe() Error {
	if strings.IndexFunc(string(e), func(r rune) bool { return r < ' ' || r == 0x7f }) < 0 {
		return e
	}
	b := []byte(e)
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = ' '
		}
	}
	return Error(b)
}
