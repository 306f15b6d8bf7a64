package machine

import (
	"fmt"
	"math/rand/v2"

	"github.com/streamd/streamd/stream"
)

// randomOps makes ops of all kinds on few keys, so that they meet.
type randomOps struct {
	r     *rand.Rand
	nowMS int64
}

func newRandomOps(seed uint64) *randomOps {
	return &randomOps{r: rand.New(rand.NewPCG(seed, 0)), nowMS: 1_000_000}
}

func (g *randomOps) key() []byte { return fmt.Appendf(nil, "k%d", g.r.IntN(12)) }

func (g *randomOps) group() []byte { return fmt.Appendf(nil, "g%d", g.r.IntN(3)) }

func (g *randomOps) text() []byte {
	if g.r.IntN(3) == 0 {
		return fmt.Appendf(nil, "%d", g.r.IntN(100))
	}
	return fmt.Appendf(nil, "%0*d", 1+g.r.IntN(60), g.r.IntN(1000))
}

func (g *randomOps) id() stream.ID {
	return stream.ID{MS: uint64(g.nowMS) - uint64(g.r.IntN(60)), Seq: uint64(g.r.IntN(3))}
}

func (g *randomOps) flag(f Flags) Flags {
	if g.r.IntN(2) == 0 {
		return 0
	}
	return f
}

// oneOf returns one of fs or none.
func (g *randomOps) oneOf(fs ...Flags) Flags {
	if i := g.r.IntN(len(fs) + 1); i < len(fs) {
		return fs[i]
	}
	return 0
}

// next returns an op that DecodeOp would accept.
func (g *randomOps) next() Op {
	g.nowMS += int64(g.r.IntN(5))
	op := Op{DB: g.r.IntN(2), AtMS: g.nowMS, Key: g.key()}
	if g.r.IntN(3) == 0 {
		g.keyOp(&op)
	} else if g.r.IntN(3) == 0 {
		g.groupOp(&op)
	} else {
		g.streamOp(&op)
	}
	return op
}

func (g *randomOps) streamOp(op *Op) {
	switch g.r.IntN(10) {
	case 0:
		op.Kind, op.IDs = XDel, []stream.ID{g.id(), g.id(), g.id()}
	case 1:
		op.Kind, op.IDs, op.Flags = XDelEx, []stream.ID{g.id(), g.id()}, g.oneOf(FlagDelRef, FlagAcked)
	case 2:
		op.Kind, op.IDs, op.N[0] = XTrim, []stream.ID{g.id()}, int64(g.r.IntN(40))
		op.Flags = FlagMaxLen | g.flag(FlagApprox) | g.oneOf(FlagDelRef, FlagAcked)
	default:
		op.Kind, op.Flags = XAdd, FlagAutoID|g.flag(FlagIdmp)
		op.IDs = []stream.ID{{}}
		if op.Flags&FlagIdmp != 0 {
			op.Group, op.Consumer = g.group(), g.text()
		}
		for range 1 + g.r.IntN(3) {
			op.Args = append(op.Args, []byte("field"), g.text())
		}
		if g.r.IntN(20) == 0 {
			op.Flags |= FlagMaxLen
			op.N[0] = int64(20 + g.r.IntN(200))
		}
	}
}

func (g *randomOps) groupOp(op *Op) {
	op.Group, op.Consumer = g.group(), g.group()
	switch g.r.IntN(9) {
	case 0:
		op.Kind, op.IDs, op.Flags, op.N[0] = XGroupCreate, []stream.ID{g.id()}, FlagMkStream, -1
	case 1:
		op.Kind, op.IDs = XAck, []stream.ID{g.id(), g.id(), g.id()}
	case 2:
		op.Kind, op.IDs = XAckDel, []stream.ID{g.id(), g.id()}
	case 3:
		op.Kind, op.IDs, op.N = XNack, []stream.ID{g.id(), g.id()}, [4]int64{int64(g.r.IntN(3)), -1}
	case 4:
		op.Kind, op.IDs, op.N, op.Flags = XClaim, []stream.ID{g.id(), g.id()}, [4]int64{0, -1}, g.flag(FlagForce)
	case 5:
		op.Kind, op.IDs, op.N = XAutoClaim, []stream.ID{{}}, [4]int64{int64(g.r.IntN(50)), 5}
	case 6:
		if g.r.IntN(10) == 0 {
			op.Kind = []Kind{XGroupDestroy, XGroupDelCons, XGroupAddCons}[g.r.IntN(3)]
			return
		}
		fallthrough
	default:
		op.Kind, op.Args, op.IDs = XReadGroup, [][]byte{op.Key}, []stream.ID{stream.MaxID}
		op.Key, op.N, op.Flags = nil, [4]int64{int64(1 + g.r.IntN(10)), 0, 0, -1}, g.flag(FlagNoAck)
	}
}

func (g *randomOps) keyOp(op *Op) {
	switch g.r.IntN(22) {
	case 0:
		op.Kind, op.Group, op.Flags = Rename, g.key(), g.flag(FlagNX)
	case 1, 2:
		op.Kind, op.Group, op.Flags, op.N[0] = Copy, g.key(), g.flag(FlagReplace), int64(g.r.IntN(3)-1)
	case 3:
		op.Kind, op.N[0] = Move, int64(g.r.IntN(2))
	case 4:
		op.Kind, op.N[0], op.Flags = ExpireAt, g.nowMS+int64(g.r.IntN(60)-5), g.oneOf(FlagNX, FlagXX, FlagGT, FlagLT)
	case 5:
		op.Kind = Persist
	case 6:
		op.Kind = Expire
	case 7:
		op.Kind, op.Args, op.Key = Del, [][]byte{g.key(), g.key()}, nil
	case 8:
		if g.r.IntN(4) == 0 {
			op.Kind, op.N = SwapDB, [4]int64{0, 1}
		} else {
			op.Kind = GetDel
		}
	case 9:
		if g.r.IntN(20) == 0 {
			op.Kind = []Kind{FlushDB, FlushAll}[g.r.IntN(2)]
		} else {
			op.Kind, op.N = SetParams, [4]int64{int64(g.r.IntN(5000)), int64(g.r.IntN(150)), 100, 100}
		}
	case 10:
		op.Kind, op.Args, op.N[0] = SetRange, [][]byte{g.text()}, int64(g.r.IntN(80))
	case 11, 12:
		op.Kind, op.Args = Append, [][]byte{g.text()}
	case 13:
		op.Kind, op.N[0] = IncrBy, int64(g.r.IntN(1000)-500)
	case 14:
		op.Kind, op.Args = IncrByFloat, [][]byte{fmt.Appendf(nil, "%g", g.r.NormFloat64())}
	case 15:
		op.Kind, op.Flags, op.N[0] = GetEx, g.oneOf(FlagPersist, FlagExpire), g.nowMS+int64(g.r.IntN(60)-5)
	case 16:
		op.Kind, op.Args, op.Key, op.Flags = MSet, [][]byte{g.key(), g.text(), g.key(), g.text()}, nil, g.flag(FlagNX)
	default:
		op.Kind, op.Args, op.Flags = Set, [][]byte{g.text()}, g.oneOf(FlagNX, FlagXX, FlagGet, FlagKeepTTL)
		if g.r.IntN(2) == 0 {
			op.Flags &^= FlagKeepTTL
			op.N[0] = g.nowMS + int64(g.r.IntN(60))
		}
	}
}
