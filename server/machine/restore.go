package machine

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"github.com/streamd/streamd/groups"
	"github.com/streamd/streamd/stream"
	"github.com/zeebo/xxh3"
)

// Restore replaces the whole state by the snapshot in r, which it reads to the end. It is all or nothing: after an error the
// machine is as it was. Observers are not told.
func (m *Machine) Restore(r io.Reader) error {
	next := &Machine{seed: m.seed, epoch: m.epoch}
	in := &snapshotReader{r: bufio.NewReaderSize(r, chunkBytes), h: xxh3.New()}
	if err := in.restore(next, len(m.dbs)); err != nil {
		return err
	}
	m.dbs, m.params, m.lastMS, m.ops = next.dbs, next.params, next.lastMS, next.ops
	return nil
}

// snapshotReader reads a snapshot, hashing what belongs to a key. After the first error all reads return zeros.
type snapshotReader struct {
	r    *bufio.Reader
	h    *xxh3.Hasher
	body []byte
	err  error
}

func (in *snapshotReader) restore(m *Machine, databases int) error {
	m.clear(databases)
	if err := in.header(m); err != nil {
		return err
	}
	sum := digest{params: m.params}
	for in.err == nil {
		in.h.Reset()
		kind := in.byte()
		if kind == 0 {
			break
		}
		if err := in.object(m, objectKind(kind)); err != nil {
			return err
		}
		sum.add(in.h.Sum128())
	}
	return in.end(&sum)
}

func (in *snapshotReader) header(m *Machine) error {
	var magic [len(snapshotMagic)]byte
	in.full(magic[:])
	if in.err != nil {
		return in.failed()
	}
	if string(magic[:]) != snapshotMagic {
		return badSnapshot("it does not begin as one")
	}
	if v := in.byte(); in.err == nil && v != snapshotVersion {
		return badSnapshot("version %d, this program reads %d", v, snapshotVersion)
	}
	in.uvarint() // databases then: what counts is that all keys have a place now
	m.lastMS = in.varint()
	m.ops = in.uvarint()
	p := &m.params
	for _, n := range []*int64{&p.NodeMaxBytes, &p.NodeMaxEntries, &p.IdmpDuration, &p.IdmpMaxsize} {
		*n = in.varint()
	}
	want := in.h.Sum64()
	var sum [8]byte
	in.full(sum[:])
	if in.err != nil {
		return in.failed()
	}
	if binary.LittleEndian.Uint64(sum[:]) != want {
		return badSnapshot("the checksum of its header is wrong")
	}
	return nil
}

// failed returns the error of reading; that the data ended is damage.
func (in *snapshotReader) failed() error {
	if errors.Is(in.err, io.ErrUnexpectedEOF) {
		return badSnapshot("it ends too early")
	}
	return in.err
}

// object reads one key and puts it into m.
func (in *snapshotReader) object(m *Machine, kind objectKind) error {
	db := in.uvarint()
	key := string(in.bytes())
	deadline := in.varint()
	if in.err != nil {
		return in.failed()
	}
	if db >= uint64(len(m.dbs)) {
		return badSnapshot("key %q is in database %d, of %d", key, db, len(m.dbs))
	}
	if m.find(int(db), []byte(key)) != nil {
		return badSnapshot("key %q comes twice", key)
	}
	o := &object{key: key, kind: kind, deadlineMS: deadline}
	switch kind {
	case kindString:
		o.form = stringForm(in.byte())
		o.str = append([]byte(nil), in.bytes()...)
		if o.form > lastForm {
			return badSnapshot("key %q has the unknown form %d", key, o.form)
		}
	case kindStream:
		if err := in.streamBody(o); err != nil {
			return err
		}
	default:
		return badSnapshot("key %q has the unknown type %d", key, kind)
	}
	if in.err != nil {
		return in.failed()
	}
	m.insert(int(db), o)
	m.settle()
	return nil
}

func (in *snapshotReader) streamBody(o *object) error {
	body := chunkReader{in: in}
	s, err := stream.DecodeFrom(&body)
	if err == nil {
		err = body.end()
	}
	if err != nil {
		return in.damaged("stream", o.key, err)
	}
	body = chunkReader{in: in}
	packed, err := io.ReadAll(&body)
	if err != nil {
		return in.damaged("groups", o.key, err)
	}
	g, rest, err := groups.Decode(packed)
	if err == nil && len(rest) > 0 {
		err = errLeftOver
	}
	if err != nil {
		return in.damaged("groups", o.key, err)
	}
	o.streamBody = &streamBody{stream: s, groups: g}
	return nil
}

var errLeftOver = errors.New("bytes left over")

// damaged is the error for a value that does not decode; if the reader failed, that is the reason.
func (in *snapshotReader) damaged(what, key string, err error) error {
	if in.err != nil {
		return in.failed()
	}
	return badSnapshot("%s of key %q: %v", what, key, err)
}

// end reads the trailer and compares.
func (in *snapshotReader) end(sum *digest) error {
	n := in.uvarint()
	var want [20]byte
	in.full(want[:])
	switch {
	case in.err != nil:
		return in.failed()
	case n != sum.n:
		return badSnapshot("%d keys instead of %d", sum.n, n)
	case want != sum.total():
		return badSnapshot("its digest does not match")
	}
	if _, err := in.r.ReadByte(); err == nil {
		return badSnapshot("bytes left over")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (in *snapshotReader) fail(err error) {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if in.err == nil {
		in.err = err
	}
}

// ReadByte makes in the source of binary.ReadUvarint.
func (in *snapshotReader) ReadByte() (byte, error) {
	if in.err != nil {
		return 0, in.err
	}
	b, err := in.r.ReadByte()
	if err != nil {
		in.fail(err)
		return 0, in.err
	}
	one := [1]byte{b}
	_, _ = in.h.Write(one[:])
	return b, nil
}

func (in *snapshotReader) byte() byte {
	b, _ := in.ReadByte()
	return b
}

func (in *snapshotReader) uvarint() uint64 {
	n, err := binary.ReadUvarint(in)
	if err != nil {
		in.fail(badSnapshot("a number is too large"))
		return 0
	}
	return n
}

func (in *snapshotReader) varint() int64 {
	n := in.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

func (in *snapshotReader) full(b []byte) {
	if in.err != nil {
		return
	}
	if _, err := io.ReadFull(in.r, b); err != nil {
		in.fail(err)
		clear(b)
		return
	}
	_, _ = in.h.Write(b)
}

// grow reads n more bytes behind body, in steps, so that a hostile length costs no more memory than there is data.
func (in *snapshotReader) grow(body []byte, n uint64) []byte {
	for n > 0 && in.err == nil {
		step := int(min(n, 1<<20))
		old := len(body)
		body = append(body, make([]byte, step)...)
		in.full(body[old:])
		n -= uint64(step)
	}
	return body
}

// bytes reads a byte string; it is valid until the next one is read.
func (in *snapshotReader) bytes() []byte {
	n := in.uvarint()
	if n > maxOpBytes {
		in.fail(badSnapshot("a string of %d bytes", n))
	}
	in.body = in.grow(in.body[:0], n)
	if in.err != nil {
		return nil
	}
	return in.body
}

// chunkReader reads the bytes of one value's chunks.
type chunkReader struct {
	in   *snapshotReader
	left uint64 // of the chunk under way
	over bool
}

func (c *chunkReader) Read(p []byte) (int, error) {
	for c.left == 0 {
		if c.over {
			return 0, io.EOF
		}
		c.left = c.in.uvarint()
		c.over = c.left == 0
		if c.left > chunkBytes {
			c.in.fail(badSnapshot("a chunk of %d bytes", c.left))
		}
		if c.in.err != nil {
			return 0, c.in.err
		}
	}
	n := int(min(c.left, uint64(len(p))))
	c.in.full(p[:n])
	c.left -= uint64(n)
	return n, c.in.err
}

// end reads the empty chunk behind the last.
func (c *chunkReader) end() error {
	if c.left == 0 && c.in.uvarint() == 0 {
		return c.in.err
	}
	return errLeftOver
}
