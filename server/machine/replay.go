package machine

import "fmt"

// Replay applies the ops of one frame of the log, which were carried out before. An op that is refused now was logged by
// something that is not this machine: the state cannot be trusted after that.
func (m *Machine) Replay(payload []byte) error {
	op := &m.replay
	for len(payload) > 0 {
		rest, err := DecodeOp(payload, op)
		if err != nil {
			return err
		}
		if m.Apply(op, nil)&Refused != 0 {
			return fmt.Errorf("an op that was carried out before is now refused (kind %d, key %q)", op.Kind, op.Key)
		}
		payload = rest
	}
	return nil
}
