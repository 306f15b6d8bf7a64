package shard

import (
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
	"github.com/streamd/streamd/server/settings"
)

// host is what commands may ask of the shard (session.Host). All of it is called under the lock.
type host struct{ sh *Shard }

var _ session.Host = host{}

// NowMS is the time of the command under way.
func (h host) NowMS() int64 { return h.sh.nowMS }

// Propose carries out and logs an op of its own.
func (h host) Propose(op *machine.Op, w *resp.Writer) machine.Result { return h.sh.apply(op, w) }

// Unblock ends a blocking command.
func (h host) Unblock(s *session.Session, err error) bool { return h.sh.unblock(s, err) }

// Drop forgets a session that is being killed.
func (h host) Drop(s *session.Session) { h.sh.Drop(s) }

// BlockedKeys counts the keys waited for.
func (h host) BlockedKeys() (keys, onNoKey int) {
	for _, q := range h.sh.parked.byKey {
		if len(q.line) == 0 {
			continue
		}
		keys++
		for _, w := range q.line {
			if w.op.Kind == machine.XReadGroup {
				onNoKey++
				break
			}
		}
	}
	return keys, onNoKey
}

// Resume ends CLIENT PAUSE.
func (h host) Resume() { h.sh.resumePaused() }

// SettingChanged makes a setting take effect.
func (h host) SettingChanged(name string) error {
	if settings.MachineParam(name) {
		if err := h.sh.writable(); err != nil {
			return err
		}
		h.sh.proposeParams()
		return nil
	}
	return h.sh.options.Changed(name)
}

// SetActiveExpire is DEBUG SET-ACTIVE-EXPIRE.
func (h host) SetActiveExpire(on bool) { h.sh.noExpire = !on }

// UsedMemory estimates the bytes in use.
func (h host) UsedMemory() int64 { return h.sh.memory() }

// Save writes a snapshot before it returns.
func (h host) Save() error { return h.sh.saveNow() }

// Background starts a snapshot.
func (h host) Background(kind string) error { return h.sh.background(kind == "rewrite") }

// Reload drops the state and builds it anew from a snapshot of it.
func (h host) Reload(save bool) error { return h.sh.reload(save) }

// LogStatus describes the log.
func (h host) LogStatus() session.LogStatus { return h.sh.logStatus() }

// Shutdown begins a clean stop.
func (h host) Shutdown(save bool) error {
	if h.sh.stopping {
		return nil
	}
	if save && h.sh.save.running {
		h.sh.save.thenStop = true
		return nil
	}
	if save {
		if err := h.sh.saveNow(); err != nil {
			return err
		}
	}
	h.sh.stopping = true
	h.sh.options.Exit()
	return nil
}
