package machine

import "bytes"

// Slots is how many hash slots a cluster has.
const Slots = 16384

// Slot returns the cluster slot of key: CRC-16 (XMODEM) of the part between the first '{' and the next '}', if that is not
// empty, else of the whole key.
func Slot(key []byte) int {
	if open := bytes.IndexByte(key, '{'); open >= 0 {
		if n := bytes.IndexByte(key[open+1:], '}'); n > 0 {
			key = key[open+1 : open+1+n]
		}
	}
	crc := uint16(0)
	for _, c := range key {
		crc ^= uint16(c) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc % Slots)
}

// CountKeysInSlot counts the keys of database 0 in slot. It looks at all keys: slots are not indexed, since a cluster here
// never moves single slots.
func (m *Machine) CountKeysInSlot(slot int) int64 {
	n := int64(0)
	m.KeysInSlot(slot, m.dbs[0].keys.n, func([]byte) { n++ })
	return n
}

// KeysInSlot visits at most limit keys of database 0 in slot, looking at all keys if need be. key is valid during the call.
func (m *Machine) KeysInSlot(slot, limit int, visit func(key []byte)) {
	t := &m.dbs[0].keys
	n := 0
	for cursor := uint64(0); n < limit; {
		cursor = t.walk(cursor, bucketRoom, func(o *object) {
			m.keyBuf = append(m.keyBuf[:0], o.key...)
			if n < limit && Slot(m.keyBuf) == slot {
				visit(m.keyBuf)
				n++
			}
		})
		if cursor == 0 {
			return
		}
	}
}
