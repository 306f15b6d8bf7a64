package aof

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// Report says what Open found.
type Report struct {
	Fresh     bool         // there was nothing, a new log was begun
	Snapshot  SnapshotInfo // Name is empty if there was none
	Segments  int
	Frames    uint64 // applied: those after the snapshot
	LastIndex uint64
	Bytes     int64    // of frames, headers included
	Cut       *Cut     // nil: the log ended cleanly
	Ignored   []string // names that are not ours
}

// Cut describes what a crash left at the end of the log and Open removed. None of it was ever synced.
type Cut struct {
	File   string
	Offset int64
	Index  uint64   // of the first frame lost
	Bytes  int64    // overwritten with zeros in File
	Frames int      // whole frames among them and in Files: later writes that outlived an earlier one
	Files  []string // segments removed because they come after
	Reason string
}

func (c *Cut) String() string {
	return fmt.Sprintf("%s at offset %d: %s; cut %d bytes, %d later frames and %d later segments that were never synced, from index %d",
		c.File, c.Offset, c.Reason, c.Bytes, c.Frames, len(c.Files), c.Index)
}

// replay walks through a directory's snapshot and frames, changing nothing.
type replay struct {
	fs      FS
	dir     string
	restore func(r io.Reader, index uint64) error
	apply   func(payload []byte, index uint64) error

	layout  layout
	covered []segmentFile // wholly below the snapshot
	live    []segmentFile
	tails   []int64 // where each live segment ends
	base    SnapshotInfo
	next    uint64 // index expected next
	chain   uint32 // crc of the ops frame before it,
	chained bool   // if known
	marked  uint64 // highest index seen to be synced
	frames  uint64
	doubt   []stretch // frames that nothing says were synced, in order
	cut     *Cut
	lost    remains // what cut, or the damage, takes away
	problem problem
}

// stretch is a run of frames in one live segment.
type stretch struct {
	segment int
	from    int64
	last    uint64 // index of the last frame
}

// stretchBytes bounds the memory that doubt takes; a frame more or less in it does no harm.
const stretchBytes = 64 << 10

// problem is the kind of damage that run returned, which decides how Repair goes about it.
type problem uint8

const (
	badSnapshot problem = iota + 1
	missingStart
	missingLog
	badFrames
)

// run reads everything. It returns a *DamageError at the first damage, with lost filled in.
func (p *replay) run() error {
	if snap, ok := p.layout.newest(); ok {
		if err := p.loadSnapshot(snap); err != nil {
			p.problem = badSnapshot
			return err
		}
	}
	p.covered, p.live = p.layout.live(p.base.Index)
	if len(p.live) == 0 {
		if p.base.Name != "" {
			p.problem = missingLog
			return &DamageError{File: segmentName(p.base.Index + 1), LastGood: p.base.Index,
				Reason: "the log segment that follows the snapshot is missing"}
		}
		p.next = 1
		return nil
	}
	p.next = p.live[0].first
	if p.next > p.base.Index+1 {
		p.problem = missingStart
		return &DamageError{File: p.live[0].name, LastGood: p.base.Index,
			Reason: fmt.Sprintf("the frames from index %d on, before it, are missing", p.base.Index+1)}
	}
	p.marked = p.base.Index
	if p.next == p.base.Index+1 {
		p.chain, p.chained = p.base.Chain, true
	}
	p.problem = badFrames
	for i := range p.live {
		done, err := p.segment(i)
		if done || err != nil {
			return err
		}
	}
	return nil
}

// loadSnapshot hands the snapshot to restore and checks it to its end.
func (p *replay) loadSnapshot(snap snapshotFile) error {
	r, err := OpenSnapshot(p.fs, filepath.Join(p.dir, snap.name))
	if err != nil {
		return err
	}
	defer r.Close()
	if snapshotName(r.info.Index, r.info.Term) != snap.name {
		return &DamageError{File: snap.name, Reason: fmt.Sprintf("it holds the snapshot of index %d", r.info.Index)}
	}
	if p.restore != nil {
		if err := p.restore(r, snap.index); err != nil {
			if r.err != nil && !errors.Is(r.err, io.EOF) {
				return r.err // the cause, which restore may have hidden
			}
			return fmt.Errorf("restore snapshot %s: %w", snap.name, err)
		}
	}
	if err := r.Verify(); err != nil {
		return err
	}
	p.base = r.info
	return nil
}

// segment reads the live segment i. done means that the log ends in it.
func (p *replay) segment(i int) (done bool, err error) {
	r, err := openSegment(p.fs, filepath.Join(p.dir, p.live[i].name))
	if damage := (*DamageError)(nil); errors.As(err, &damage) {
		// The header was synced before the file got its name, so no crash can have done this.
		damage.LastGood = p.next - 1
		return true, errors.Join(p.loseAfter(i), err)
	}
	if err != nil {
		return true, err
	}
	defer r.close()
	off := int64(segmentHeaderSize)
	reason := ""
	for off < r.size {
		h, payload, bad, err := r.frame(off)
		if err != nil {
			return true, err
		}
		if h.Type == 0 || bad != "" {
			reason = bad
			break
		}
		if reason = p.check(&h); reason != "" {
			break
		}
		p.note(i, off, &h)
		if err := p.accept(&h, payload); err != nil {
			return true, fmt.Errorf("%s at offset %d: apply index %d: %w", r.name, off, h.Index, err)
		}
		if h.Type == FrameOps && h.Index == p.base.Index && h.CRC != p.base.Chain {
			p.problem = badSnapshot
			return true, &DamageError{File: p.base.Name, LastGood: h.Index, Reason: "the snapshot is not of this log's history"}
		}
		off += HeaderSize + int64(len(payload))
	}
	p.tails = append(p.tails, off)
	if i+1 < len(p.live) && p.live[i+1].first == p.next {
		return false, nil
	}
	return true, p.end(r, i, off, reason)
}

// check says why a valid frame is not the one that must come next, or "".
func (p *replay) check(h *Header) string {
	want := p.next
	if h.Type == FrameMark {
		want--
	}
	switch {
	case h.Index != want:
		return fmt.Sprintf("%s frame with index %d where %d must follow", h.Type, h.Index, want)
	case p.chained && h.Prev != p.chain:
		return fmt.Sprintf("%s frame with index %d does not continue the frame before it", h.Type, h.Index)
	}
	return ""
}

// note keeps marked and doubt.
func (p *replay) note(i int, off int64, h *Header) {
	p.marked = max(p.marked, h.Synced)
	n := 0
	for n < len(p.doubt) && p.doubt[n].last <= p.marked {
		n++
	}
	p.doubt = p.doubt[n:]
	if h.Type != FrameOps || h.Index <= p.marked {
		return
	}
	if n := len(p.doubt); n > 0 && p.doubt[n-1].segment == i && off-p.doubt[n-1].from < stretchBytes {
		p.doubt[n-1].last = h.Index
		return
	}
	p.doubt = append(p.doubt, stretch{i, off, h.Index})
}

func (p *replay) accept(h *Header, payload []byte) error {
	if h.Type == FrameMark {
		return nil
	}
	p.next++
	p.chain, p.chained = h.CRC, true
	if h.Index <= p.base.Index {
		return nil
	}
	p.frames++
	if p.apply == nil {
		return nil
	}
	return p.apply(payload, h.Index)
}

// end judges the place where the frames stop. If anything that can still be read tells that the next frame was synced, it
// was lost by damage. Otherwise a power cut may have kept any part of what came after, and the log ends here: nobody was
// promised more.
func (p *replay) end(r *segmentReader, i int, off int64, reason string) error {
	m, err := r.remains(off)
	if err != nil {
		return err
	}
	p.lost = m
	if err := p.loseAfter(i); err != nil {
		return err
	}
	p.marked = max(p.marked, p.lost.synced)
	later := p.live[i+1:]
	if reason == "" && len(later) > 0 {
		reason = fmt.Sprintf("index %d is missing: the next segment begins with %d", p.next, later[0].first)
	}
	if p.marked >= p.next {
		if reason == "" {
			reason = fmt.Sprintf("index %d is missing", p.next)
		}
		return &DamageError{File: r.name, Offset: off, LastGood: p.next - 1,
			Reason: fmt.Sprintf("%s, and the log was synced up to index %d", reason, p.marked)}
	}
	if m.end == 0 && len(later) == 0 {
		return nil
	}
	if reason == "" {
		reason = "bytes after the last frame"
	}
	p.cut = &Cut{File: r.name, Offset: off, Index: p.next, Bytes: max(m.end-off, 0), Frames: p.lost.frames, Reason: reason}
	for _, s := range later {
		p.cut.Files = append(p.cut.Files, s.name)
	}
	p.live = p.live[:i+1]
	return nil
}

// loseAfter adds to lost what the live segments after i hold.
func (p *replay) loseAfter(i int) error {
	for _, s := range p.live[i+1:] {
		r, err := openSegment(p.fs, filepath.Join(p.dir, s.name))
		if err != nil {
			if damage := (*DamageError)(nil); errors.As(err, &damage) {
				p.lost.synced = max(p.lost.synced, p.next) // never torn
				continue
			}
			return err
		}
		m, err := r.remains(segmentHeaderSize)
		r.close()
		if err != nil {
			return err
		}
		p.lost.add(m)
	}
	return nil
}
