package bench

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

const (
	settleEvery = 100 * time.Millisecond
	settleFor   = 10  // as many times the memory has to stay about the same
	settleMost  = 50  // times it is looked at
	settleShare = 500 // about the same is within 1/500
	fillCount   = 1000
)

// fill appends a number of entries and then makes them pending, and tells by how much the server's memory grew.
type fill struct {
	*xadd
	before int64
}

func newFill(j *job) (work, error) {
	if j.target.PID == 0 {
		return nil, errors.New("the server's process is not known: only servers on this machine can have their memory measured (see --pid)")
	}
	j.spec.Measure = 0
	j.meter.measure, j.meter.warm = 0, 0
	w, err := newXAdd(j)
	if err != nil {
		return nil, err
	}
	return &fill{xadd: w.(*xadd)}, nil
}

func (f *fill) prepare() (err error) {
	f.before, err = f.settledRSS()
	return err
}

func (f *fill) verify(r *Result) error {
	filled, err := f.settledRSS()
	if err != nil {
		return err
	}
	r.BytesPerEntry = float64(filled-f.before) / float64(f.total)
	if err := f.xadd.verify(r); err != nil {
		return err
	}
	if f.spec.Groups == 0 {
		return nil
	}
	if filled, err = f.settledRSS(); err != nil {
		return err
	}
	for g := range f.spec.Groups {
		for stream, added := range f.added {
			if added == 0 {
				continue
			}
			if err := f.deliver(key(stream), groupName+strconv.Itoa(g), added); err != nil {
				return err
			}
		}
	}
	pending, err := f.settledRSS()
	r.BytesPerPending = float64(pending-filled) / float64(f.total*int64(f.spec.Groups))
	return err
}

// deliver makes all entries of a stream pending in a new group.
func (f *fill) deliver(key, group string, added int64) error {
	if _, err := f.admin.do("XGROUP", "CREATE", key, group, "0"); err != nil {
		return err
	}
	var last entryID
	for got := int64(0); got < added; {
		v, err := f.admin.do("XREADGROUP", "GROUP", group, "c", "COUNT", strconv.Itoa(fillCount), "STREAMS", key, ">")
		if err != nil {
			return err
		}
		if len(v.Elems) != 1 || len(v.Elems[0].Elems) != 2 {
			return fmt.Errorf("group %s: %d of %d entries were delivered, then no more", group, got, added)
		}
		for _, entry := range v.Elems[0].Elems[1].Elems {
			if len(entry.Elems) != 2 || len(entry.Elems[1].Elems) != 2*f.spec.Shape.Fields {
				return fmt.Errorf("group %s: wrong entry %s", group, excerpt([]byte(entry.String())))
			}
			id, ok := parseID(entry.Elems[0].Text)
			if !ok || !last.less(id) {
				return fmt.Errorf("group %s: %s was delivered after %v", group, entry.Elems[0].Text, last)
			}
			last = id
			got++
		}
	}
	v, err := f.admin.do("XPENDING", key, group)
	if err != nil {
		return err
	}
	if len(v.Elems) == 0 || string(v.Elems[0].Text) != strconv.FormatInt(added, 10) {
		return fmt.Errorf("group %s: %d entries were delivered, but XPENDING says %s", group, added, excerpt([]byte(v.String())))
	}
	return nil
}

// settledRSS waits until the server's memory stays as it is, so that work in the background is done, and returns it.
func (f *fill) settledRSS() (int64, error) {
	was, err := f.meter.server.rss()
	if err != nil {
		return 0, err
	}
	for same, looks := 0, 0; same < settleFor && looks < settleMost; looks++ {
		time.Sleep(settleEvery)
		is, err := f.meter.server.rss()
		if err != nil {
			return 0, err
		}
		same++
		if max(is-was, was-is) > was/settleShare {
			same, was = 0, is
		}
	}
	return was, nil
}
