package aof

import (
	"fmt"
	"path/filepath"
)

// readWindow is how much of a segment is read at a time, unless a frame is larger.
const readWindow = 1 << 20

// segmentReader reads one segment through a window that grows with the largest frame: no length is believed before its
// header's checksum was right and the file was seen to be long enough.
type segmentReader struct {
	name string
	file File
	size int64
	seed uint32
	buf  []byte // bytes [base, base+len(buf)) of the file
	base int64
}

// openSegment opens a segment and checks its header. The error is a *DamageError if that is bad.
func openSegment(fs FS, path string) (*segmentReader, error) {
	f, err := fs.Open(path, false)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	r := &segmentReader{name: filepath.Base(path), file: f}
	if err := r.readHeader(); err != nil {
		_ = f.Close()
		return nil, err
	}
	return r, nil
}

func (r *segmentReader) readHeader() error {
	size, err := r.file.Size()
	if err != nil {
		return fmt.Errorf("read %s: %w", r.name, err)
	}
	r.size = size
	if size < segmentHeaderSize {
		return &DamageError{File: r.name, Reason: "file ends inside the segment header"}
	}
	b, err := r.bytes(0, segmentHeaderSize)
	if err != nil {
		return err
	}
	salt, reason, err := parseSegmentHeader(b, size)
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	if reason != "" {
		return &DamageError{File: r.name, Reason: reason}
	}
	r.seed = saltSeed(salt)
	return nil
}

func (r *segmentReader) close() { _ = r.file.Close() } // only read from

// bytes returns n bytes at off, which must be inside the file. They are valid until the next call.
func (r *segmentReader) bytes(off int64, n int) ([]byte, error) {
	if off < r.base || off+int64(n) > r.base+int64(len(r.buf)) {
		want := int(min(max(int64(n), readWindow), r.size-off))
		if cap(r.buf) < want {
			r.buf = make([]byte, want)
		}
		r.buf = r.buf[:want]
		r.base = off
		if got, err := r.file.ReadAt(r.buf, off); got < want {
			r.buf = r.buf[:0]
			return nil, fmt.Errorf("read %s at offset %d: %w", r.name, off, err)
		}
	}
	at := off - r.base
	return r.buf[at : at+int64(n)], nil
}

// frame reads the frame at off. A zero Type with an empty reason means that only zeros are there; reason says why there is no
// valid frame although something is. The payload is valid until the next call.
func (r *segmentReader) frame(off int64) (h Header, payload []byte, reason string, err error) {
	rest := r.size - off
	b, err := r.bytes(off, int(min(rest, HeaderSize)))
	if err != nil {
		return Header{}, nil, "", err
	}
	if leadingZeros(b) == len(b) {
		return Header{}, nil, "", nil
	}
	if len(b) < HeaderSize {
		return Header{}, nil, "file ends inside a frame header", nil
	}
	h, ok := parseHeader(b, r.seed)
	switch {
	case !ok:
		return Header{}, nil, "frame header fails its checksum", nil
	case h.Version != formatVersion || (h.Type != FrameOps && h.Type != FrameMark):
		// The checksum is right, so this is what somebody meant to write.
		return h, nil, "", fmt.Errorf("%s at offset %d: frame type %d, version %d: %w", r.name, off, h.Type, h.Version, ErrVersion)
	case h.Group != 0 || h.Length > MaxPayload:
		return h, nil, "frame header has impossible values", nil
	case int64(h.Length) > rest-HeaderSize:
		return h, nil, "file ends inside a frame", nil
	}
	b, err = r.bytes(off, HeaderSize+int(h.Length))
	if err != nil {
		return h, nil, "", err
	}
	payload = b[HeaderSize:]
	if checksum(0, payload) != h.Sum {
		return h, nil, "frame payload fails its checksum", nil
	}
	return h, payload, "", nil
}

// remains is what is found where a log should end.
type remains struct {
	synced      uint64 // highest synced field of any header
	frames      int    // whole ops frames
	first, last uint64 // their lowest and highest index
	end         int64  // offset after the last byte that is not zero; 0 if there is none
}

func (m *remains) add(o remains) {
	if o.frames > 0 && (m.frames == 0 || o.first < m.first) {
		m.first = o.first
	}
	m.synced = max(m.synced, o.synced)
	m.frames += o.frames
	m.last = max(m.last, o.last)
}

// minHeaderLead is how many zero bytes a header can begin with: a mark's length is zero, the type after it never is.
const minHeaderLead = 4

// remains looks for headers at every offset from off to the end of the file.
func (r *segmentReader) remains(off int64) (remains, error) {
	var m remains
	for {
		at, found, err := r.find(off, &m)
		if err != nil || !found {
			return m, err
		}
		h, payload, reason, err := r.frame(at)
		if err != nil {
			return m, err
		}
		m.synced = max(m.synced, h.Synced)
		off = at + HeaderSize
		if reason == "" && h.Type == FrameOps {
			m.add(remains{frames: 1, first: h.Index, last: h.Index})
			off += int64(len(payload))
		}
		m.end = off
	}
}

// find returns where the next valid header is, from off on, and notes in m where the last byte that is not zero was seen.
func (r *segmentReader) find(off int64, m *remains) (at int64, found bool, err error) {
	for off < r.size {
		b, err := r.bytes(off, int(min(readWindow, r.size-off)))
		if err != nil {
			return 0, false, err
		}
		last := off+int64(len(b)) == r.size
		skip, found := r.scan(b, m, off)
		off += int64(skip)
		if found {
			return off, true, nil
		}
		if last {
			break
		}
	}
	return r.size, false, nil
}

// scan advances through b, which is at off, to the next valid header, or to where a header could begin that b does not hold
// whole. It always advances unless a header is right there.
func (r *segmentReader) scan(b []byte, m *remains, off int64) (skip int, found bool) {
	p := 0
	for p < len(b) {
		if z := leadingZeros(b[p:]); z == len(b)-p {
			p = max(p, len(b)-minHeaderLead)
			break
		} else if z > minHeaderLead {
			p += z - minHeaderLead
		}
		if p+HeaderSize > len(b) {
			break
		}
		if t := FrameType(b[p+4]); (t == FrameOps || t == FrameMark) && b[p+5] != 0 {
			if _, ok := parseHeader(b[p:], r.seed); ok {
				return p, true
			}
		}
		if b[p] != 0 {
			m.end = off + int64(p) + 1
		}
		p++
	}
	for q := len(b); q > p; q-- {
		if b[q-1] != 0 {
			m.end = off + int64(q)
			break
		}
	}
	return max(p, 1), false
}
