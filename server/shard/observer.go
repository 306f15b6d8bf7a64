package shard

import "github.com/streamd/streamd/server/machine"

// observer tells the registries what Apply changed.
type observer struct{ sh *Shard }

// Changed is machine.Observer's.
func (o observer) Changed(db int, key []byte, c machine.Change) {
	n := o.sh.node
	if c&machine.Dirty != 0 {
		n.Watches.Touch(db, key)
		n.Tracking.Changed(key, o.sh.current)
	}
	if c&(machine.Ready|machine.Gone) != 0 {
		o.sh.touched(db, key, c)
	}
}

// Flushed is machine.Observer's.
func (o observer) Flushed(db int) {
	n := o.sh.node
	n.Watches.Flushed(db)
	n.Tracking.Flushed()
	o.sh.touchedAll(db)
}

// Event is machine.Observer's.
func (o observer) Event(db int, class byte, name string, key []byte) {
	if class == 'm' {
		o.sh.misses++
	}
	o.sh.node.Notify(db, class, name, key)
}
