package machine

import (
	"github.com/streamd/streamd/resp"
	"github.com/zeebo/xxh3"
)

func (m *Machine) queryGet(op *Op, w *resp.Writer) Result {
	o, err := m.readString(op.DB, op.Key)
	switch {
	case err != nil:
		return refuse(w, err)
	case o == nil:
		w.Null()
	default:
		o.bulk(w, o.str)
	}
	return 0
}

func (m *Machine) queryMGet(op *Op, w *resp.Writer) Result {
	w.Array(len(op.Args))
	for _, key := range op.Args {
		if o, err := m.readString(op.DB, key); o == nil || err != nil {
			w.Null()
		} else {
			o.bulk(w, o.str)
		}
	}
	return 0
}

func (m *Machine) queryStrLen(op *Op, w *resp.Writer) Result {
	o, err := m.readString(op.DB, op.Key)
	switch {
	case err != nil:
		return refuse(w, err)
	case o == nil:
		w.Int(0)
	default:
		w.Int(int64(len(o.str)))
	}
	return 0
}

// queryGetRange is GETRANGE and SUBSTR: both ends included, negative ones counted from the end. What lies outside is left out
// (before 7.4, an end before the first byte meant the first byte).
func (m *Machine) queryGetRange(op *Op, w *resp.Writer) Result {
	o, err := m.readString(op.DB, op.Key)
	if err != nil {
		return refuse(w, err)
	}
	if o == nil {
		w.Bulk(nil)
		return 0
	}
	start, end, n := op.N[0], op.N[1], int64(len(o.str))
	if start < 0 {
		start += n
	}
	if end < 0 {
		end += n
	}
	start, end = max(start, 0), min(end, n-1)
	if start > end {
		w.Bulk(nil)
		return 0
	}
	o.bulk(w, o.str[start:end+1])
	return 0
}

// queryDigestValue is DIGEST: the XXH3-64 of the value in hexadecimal.
func (m *Machine) queryDigestValue(op *Op, w *resp.Writer) Result {
	key := op.Key
	if len(op.Args) > 0 {
		key = op.Args[0]
	}
	o, err := m.readString(op.DB, key)
	if err != nil {
		return refuse(w, err)
	}
	if o == nil {
		w.Null()
		return 0
	}
	const hex = "0123456789abcdef"
	var text [16]byte
	sum := xxh3.Hash(o.str)
	for i := range text {
		text[i] = hex[sum>>(60-4*i)&15]
	}
	w.Bulk(text[:])
	return 0
}
