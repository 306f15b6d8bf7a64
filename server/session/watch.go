package session

// Watches knows which sessions WATCH which keys.
type Watches struct {
	keys map[WatchKey]map[*Session]watch
	// exists tells whether a key is there now.
	exists func(db int, key []byte) bool
}

// watch is one session's interest in one key.
type watch struct {
	existed bool // when WATCH was called; any change since then has made the session dirty
}

func newWatches(exists func(db int, key []byte) bool) *Watches {
	return &Watches{keys: make(map[WatchKey]map[*Session]watch), exists: exists}
}

// Add makes s watch a key. A key whose deadline passed must have been expired before.
func (x *Watches) Add(s *Session, db int, key []byte) {
	k := WatchKey{DB: db, Key: string(key)}
	if _, ok := s.Watching[k]; ok {
		return
	}
	if s.Watching == nil {
		s.Watching = make(map[WatchKey]struct{})
	}
	s.Watching[k] = struct{}{}
	if x.keys[k] == nil {
		x.keys[k] = make(map[*Session]watch)
	}
	x.keys[k][s] = watch{existed: x.exists(db, key)}
}

// Touch makes every session that watches the key dirty: its EXEC will answer null.
func (x *Watches) Touch(db int, key []byte) {
	if len(x.keys) == 0 {
		return
	}
	for s := range x.keys[WatchKey{DB: db, Key: string(key)}] {
		s.WatchDirty = true
	}
}

// Flushed makes the sessions dirty that watch a key of db (-1: of any) which was there before the database was emptied or
// swapped, or is there now. A key that was and stays missing did not change.
func (x *Watches) Flushed(db int) {
	for k, sessions := range x.keys {
		if db >= 0 && k.DB != db {
			continue
		}
		now := x.exists(k.DB, []byte(k.Key))
		for s, w := range sessions {
			if w.existed || now {
				s.WatchDirty = true
			}
		}
	}
}

// Clear ends all watches of s and forgets that any key changed.
func (x *Watches) Clear(s *Session) {
	for k := range s.Watching {
		delete(x.keys[k], s)
		if len(x.keys[k]) == 0 {
			delete(x.keys, k)
		}
	}
	s.Watching, s.WatchDirty = nil, false
}

// Keys counts the keys that anybody watches.
func (x *Watches) Keys() int { return len(x.keys) }
