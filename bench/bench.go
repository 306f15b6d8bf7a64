package bench

import "time"

// Target is one server under load.
type Target struct {
	Name     string
	Addr     string // host:port, or the path of a unix socket
	Password string // of the default user; empty: none
	PID      int    // of the server, on this machine; 0: unknown, no figures of CPU and memory
}

// Shape says what an entry holds: Fields values of Bytes each.
type Shape struct {
	Fields  int  `json:"fields"`
	Bytes   int  `json:"bytes"`
	Numbers bool `json:"numbers,omitempty"` // values are decimal numbers of Bytes digits
}

// Spec is one row of a table: a load and its parameters. Zero values mean the load's defaults; Loads lists which parameters a load
// has.
type Spec struct {
	Load      string        `json:"load"`                // xadd xrange xread cycle groups drain e2e fill restart
	Conns     int           `json:"conns,omitempty"`     // connections; of groups: those of producers
	Pipeline  int           `json:"pipeline,omitempty"`  // requests sent before their replies are read
	Shape     Shape         `json:"shape"`               // of each entry
	Streams   int           `json:"streams,omitempty"`   // streams that entries are spread over
	Count     int           `json:"count,omitempty"`     // COUNT of reads
	Groups    int           `json:"groups,omitempty"`    // consumer groups
	Consumers int           `json:"consumers,omitempty"` // consumers of each group, one connection each
	Turn      int           `json:"turn,omitempty"`      // entries that go through a cycle together
	MaxLen    int64         `json:"maxlen,omitempty"`    // XADD … MAXLEN ~; 0: no trimming
	Rate      float64       `json:"rate,omitempty"`      // entries a second, of e2e
	Entries   int64         `json:"entries,omitempty"`   // entries that are there before the measurement, or at most added in it
	Warm      time.Duration `json:"warm_ns,omitempty"`   // load before the measurement begins; negative: none
	Measure   time.Duration `json:"measure_ns,omitempty"`
	Stall     time.Duration `json:"stall_ns,omitempty"` // silence of the server that ends the run as failed
}

// Result is what one run of a Spec against one Target gave. Figures that do not apply, or could not be had, are 0.
type Result struct {
	Spec
	Target          string  `json:"target"`
	Ops             int64   `json:"ops"` // requests, but of cycle, groups, drain and e2e entries that were delivered and acknowledged
	Seconds         float64 `json:"seconds"`
	OpsPerSec       float64 `json:"ops_per_sec"`
	CPUMicros       float64 `json:"cpu_us"`        // of the server for an op, user and system
	ClientCPUMicros float64 `json:"client_cpu_us"` // of the generator for an op
	P50             float64 `json:"p50_us"`        // latencies in µs: of a batch from its writing to its last reply, of a turn, or of an entry from due to received
	P99             float64 `json:"p99_us"`
	P999            float64 `json:"p999_us"`
	Max             float64 `json:"max_us"`
	BytesPerEntry   float64 `json:"bytes_per_entry,omitempty"`   // growth of the server's resident memory
	BytesPerPending float64 `json:"bytes_per_pending,omitempty"` // the same, for entries pending in a group
	LoadSeconds     float64 `json:"load_seconds,omitempty"`      // from start to the first answer, of restart
	ExtraP999       float64 `json:"extra_p999_us,omitempty"`     // of pause: P999 less that of the same load without a snapshot
}

// Progress is what a run tells while it works, a few times a second.
type Progress struct {
	Target  string
	Round   int // from 1, of Rounds; both 0 outside of a comparison
	Rounds  int
	Phase   string // "prepare", "warm up", "measure", "finish"
	Elapsed time.Duration
	Total   time.Duration // of the phase; 0: unknown
	Ops     int64         // since the phase began
}
