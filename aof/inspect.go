package aof

// Record is what ReadSegment finds at one place of a segment.
type Record struct {
	Offset  int64
	Header  Header
	Payload []byte // valid during the call only
	Bad     string // why there is no valid frame here; Header and Payload are then meaningless
}

// ReadSegment visits every frame of one segment file, for people to look at. Where there is no valid frame it says so and goes
// on with the next one it can find. It does not check that the frames follow each other.
func ReadSegment(fs FS, path string, visit func(Record) error) error {
	r, err := openSegment(fs, path)
	if err != nil {
		return err
	}
	defer r.close()
	for off := int64(segmentHeaderSize); off < r.size; {
		h, payload, reason, err := r.frame(off)
		if err != nil {
			return err
		}
		var m remains
		next := off + HeaderSize + int64(len(payload))
		if h.Type == 0 || reason != "" {
			from := off
			if h.Type != 0 {
				from += HeaderSize // a good header before a bad payload
			}
			var found bool
			if next, found, err = r.find(from, &m); err != nil {
				return err
			}
			if reason == "" && m.end == 0 && !found {
				return nil // zeros to the end
			}
			if reason == "" {
				reason = "zeros where a frame should be"
			}
			h, payload = Header{}, nil
		}
		if err := visit(Record{Offset: off, Header: h, Payload: payload, Bad: reason}); err != nil {
			return err
		}
		off = next
	}
	return nil
}
