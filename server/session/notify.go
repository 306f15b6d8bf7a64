package session

import "strconv"

// Notify publishes a keyspace event, if events of its class (a letter of notify-keyspace-events) are on.
func (n *Node) Notify(db int, class byte, event string, key []byte) {
	if !n.Settings.Notify(class) {
		return
	}
	var scratch [160]byte
	if n.Settings.Notify('K') {
		channel := append(strconv.AppendInt(append(scratch[:0], "__keyspace@"...), int64(db), 10), "__:"...)
		n.PubSub.Publish(append(channel, key...), []byte(event))
	}
	if n.Settings.Notify('E') {
		channel := append(strconv.AppendInt(append(scratch[:0], "__keyevent@"...), int64(db), 10), "__:"...)
		n.PubSub.Publish(append(channel, event...), key)
	}
}
