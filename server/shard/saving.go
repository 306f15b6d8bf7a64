package shard

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/streamd/streamd/aof"
	"github.com/streamd/streamd/resp"
	"github.com/streamd/streamd/server/machine"
	"github.com/streamd/streamd/server/session"
)

const (
	// stepKeys is how many keys a snapshot walks under the lock before it lets others go on.
	stepKeys = 256

	errSaving resp.Error = "ERR Background save already in progress"
)

// saving is the state of snapshots: BGSAVE, BGREWRITEAOF and the automatic ones are the same thing here.
type saving struct {
	running bool
	rewrite bool // the one under way was asked for as a rewrite

	// What begins when the one under way, or the transaction under way, ends.
	wantSave, wantRewrite, thenStop bool

	started  time.Time
	lastTry  time.Time
	last     time.Time // end of the last good one
	lastSecs int64     // duration of the last one, -1 none
	lastErr  error
	saves    int64
	rewrites int64
	baseSize int64 // of the log after the last one
	done     chan struct{}
}

func (v *saving) init(now time.Time) {
	v.last, v.lastSecs = now, -1
}

// image is a snapshot being made.
type image struct {
	img *machine.Image
	out *aof.SnapshotWriter
}

// beginImage freezes the state after the last frame, and the log position that goes with it.
func (sh *Shard) beginImage() (*image, error) {
	if err := sh.Commit(); err != nil {
		return nil, err
	}
	out, _, err := sh.log.BeginSnapshot()
	if err != nil {
		return nil, err
	}
	img := sh.machine.Freeze()
	if img == nil {
		out.Abort()
		return nil, errSaving
	}
	return &image{img, out}, nil
}

// background starts a snapshot now or, while that cannot be, as soon as it can.
func (sh *Shard) background(rewrite bool) error {
	switch v := &sh.save; {
	case !v.running && !sh.inExec:
		return sh.startSave(rewrite)
	case rewrite:
		v.wantRewrite = true
	default:
		v.wantSave = true
	}
	return nil
}

// startScheduled starts what had to wait.
func (sh *Shard) startScheduled() {
	v := &sh.save
	switch {
	case v.running || sh.stopping:
	case v.wantSave:
		v.wantSave = false
		_ = sh.startSave(false) // noted in lastErr, and logged
	case v.wantRewrite:
		v.wantRewrite = false
		_ = sh.startSave(true) // likewise
	}
}

// startSave begins a snapshot on a goroutine of its own. None is running.
func (sh *Shard) startSave(rewrite bool) error {
	v := &sh.save
	v.lastTry = sh.clock()
	im, err := sh.beginImage()
	if err != nil {
		v.lastErr = err
		sh.logger.Error("the snapshot could not be begun", "err", err)
		return err
	}
	v.running, v.rewrite, v.started = true, rewrite, sh.clock()
	v.done = make(chan struct{})
	changes := sh.changes
	sh.options.Background(func() { sh.runSave(im, changes) })
	return nil
}

// runSave writes the snapshot: it takes the lock for a few keys at a time, and encodes and writes without it.
func (sh *Shard) runSave(im *image, changes int64) {
	defer close(sh.save.done)
	err := sh.encode(im.img, im.out, &sh.mu)
	if err == nil {
		_, err = im.out.Commit()
	}
	sh.Lock()
	defer sh.Unlock()
	im.drop()
	sh.save.running = false
	sh.endSave(err, changes)
	if sh.save.thenStop {
		sh.save.thenStop = false
		_ = sh.Shutdown(true) // logged
		return
	}
	sh.startScheduled()
}

var errClosing = errors.New("the server is closing")

// encode writes img to w, walking it under lock a step at a time.
func (sh *Shard) encode(img *machine.Image, w io.Writer, lock sync.Locker) error {
	enc := machine.NewEncoder(w, img)
	for walked := false; !walked; {
		lock.Lock()
		walked = img.Step(stepKeys)
		batch, closing := img.Take(), sh.closing
		lock.Unlock()
		if closing {
			return errClosing
		}
		if err := enc.Objects(batch); err != nil {
			return err
		}
	}
	return enc.Close()
}

// noLock is for a caller that holds the shard's lock all along.
type noLock struct{}

func (noLock) Lock()   {}
func (noLock) Unlock() {}

// drop ends the image under the lock: after success it does nothing.
func (im *image) drop() {
	im.img.Abandon()
	im.out.Abort()
}

func (sh *Shard) endSave(err error, changes int64) {
	v := &sh.save
	now := sh.clock()
	v.lastErr = err
	v.lastSecs = int64(now.Sub(v.started).Seconds())
	if err != nil {
		sh.logger.Error("the snapshot failed; the log before it is kept", "err", err)
		return
	}
	v.last = now
	v.saves++
	if v.rewrite {
		v.rewrites++
	}
	v.baseSize = sh.log.Size()
	sh.changes -= changes
	sh.logger.Info("snapshot written", "index", sh.log.Snapshot().Index, "bytes", sh.log.Snapshot().Size, "seconds", now.Sub(v.started).Seconds())
}

// saveNow writes a snapshot before it returns (SAVE, SHUTDOWN SAVE). Under the lock.
func (sh *Shard) saveNow() error {
	if sh.save.running {
		return errSaving
	}
	im, err := sh.beginImage()
	if err != nil {
		sh.logger.Error("the snapshot could not be begun", "err", err)
		return err
	}
	sh.save.started, sh.save.rewrite = sh.clock(), false
	if err = sh.encode(im.img, im.out, noLock{}); err == nil {
		_, err = im.out.Commit()
	}
	im.drop()
	sh.endSave(err, sh.changes)
	return err
}

// reload builds the state anew, as a restart would: with save from a snapshot that also goes to disk (DEBUG RELOAD), else
// from what is on disk (DEBUG LOADAOF), and so also while another snapshot is being written. Inside a transaction, whose ops
// must not be torn apart, and without a log, it is from an image of the state that touches no disk.
func (sh *Shard) reload(save bool) error {
	from, err := sh.machine, error(nil)
	switch {
	case sh.inExec:
	case save && !sh.save.running:
		err = sh.saveNow()
	case sh.journal != nil:
		from, err = sh.replayLog()
	}
	if err == nil {
		err = sh.restoreFrom(from)
	}
	if err != nil {
		sh.logger.Error("the state could not be read back", "err", err)
	}
	return err
}

// replayLog builds a second machine from the files.
func (sh *Shard) replayLog() (*machine.Machine, error) {
	if err := sh.Commit(); err != nil {
		return nil, err
	}
	m := machine.New(sh.machine.Databases())
	err := sh.log.Replay(
		func(r io.Reader, _ uint64) error { return m.Restore(r) },
		func(payload []byte, _ uint64) error { return m.Replay(payload) })
	return m, err
}

// restoreFrom replaces the state by that of from, through the encoding of a snapshot.
func (sh *Shard) restoreFrom(from *machine.Machine) error {
	img := from.Freeze()
	if img == nil {
		return errSaving
	}
	defer img.Abandon()
	var b bytes.Buffer
	if err := sh.encode(img, &b, noLock{}); err != nil {
		return err
	}
	return sh.machine.Restore(&b)
}

// tickSave starts a snapshot when a save point is reached or the log has grown enough.
func (sh *Shard) tickSave() {
	v := &sh.save
	if v.running || sh.clock().Sub(v.lastTry) < 5*time.Second && v.lastErr != nil {
		return
	}
	for _, p := range sh.node.Settings.SavePoints() {
		if sh.changes >= max(p.Changes, 1) && sh.clock().Sub(v.last) >= time.Duration(p.Seconds)*time.Second {
			_ = sh.startSave(false) // noted in lastErr, and logged
			return
		}
	}
	if sh.journal == nil {
		return
	}
	percentage, minSize := sh.node.Settings.AutoRewrite()
	size := sh.log.Size()
	if percentage == 0 || size < minSize || size < v.baseSize+v.baseSize*percentage/100 {
		return
	}
	_ = sh.startSave(true) // noted in lastErr, and logged
}

// logStatus is INFO persistence.
func (sh *Shard) logStatus() session.LogStatus {
	v := &sh.save
	st := session.LogStatus{
		Enabled: sh.journal != nil, Size: sh.log.Size(), BaseSize: v.baseSize, BufferLength: int64(len(sh.frame) - aof.HeaderSize),
		LastWriteErr: sh.log.Err(), SnapshotBusy: v.running && !v.rewrite, LastSaveUnix: v.last.Unix(), LastSaveErr: v.lastErr, LastSaveSecs: v.lastSecs,
		RewriteBusy: v.running && v.rewrite, RewriteWaits: v.wantRewrite, SaveSecs: -1, Saves: v.saves, Rewrites: v.rewrites, ChangesSince: sh.changes, KeysLoaded: sh.options.Loaded,
		FsyncedIndex: sh.log.Synced(), WrittenIndex: sh.log.Written(),
	}
	if sh.journal != nil {
		st.DelayedFsyncs = sh.journal.DelayedFsyncs()
	}
	if v.running {
		st.SaveSecs = int64(sh.clock().Sub(v.started).Seconds())
	}
	return st
}

// Shutdown begins a clean stop, as the SHUTDOWN command does. Under the lock.
func (sh *Shard) Shutdown(save bool) error { return host{sh}.Shutdown(save) }

// Close ends a snapshot under way and writes what is left of the open frame. Call it when no loop runs any more.
func (sh *Shard) Close() {
	sh.Lock()
	sh.stopping, sh.closing = true, true
	running, done := sh.save.running, sh.save.done
	err := sh.Commit()
	sh.Unlock()
	if err == nil && running {
		<-done
	}
}
