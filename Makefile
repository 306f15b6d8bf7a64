.PHONY: run build test check bench scale microbench profile docs

# REDIS is what to compare with: programs, separated by commas.
REDIS ?= redis-server

run: ## serve 127.0.0.1:6379 with data in ./data
	go run ./cmd/streamd

build: ## bin/streamd
	go build -trimpath -o bin/streamd ./cmd/streamd

test: ## everything, with the race detector
	go test -race -timeout 20m ./...

check: ## what a change must pass before it is sent
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	go test ./...

bench: build ## compare with Redis, write docs/benchmarks.md: half an hour, Linux
	packaging/install-bench-tools
	bin/streamd bench suite --redis $(REDIS) --out docs/benchmarks.md --readme README.md --json bin/benchmarks.json

scale: build ## what growing costs, into docs/benchmarks.md: five minutes, 4 GiB of memory
	bin/streamd bench scale --out docs/benchmarks.md

profile: build ## record the profile that guides the compiler (cmd/streamd/default.pgo); after changes of the hot paths
	packaging/record-profile bin/streamd

microbench: ## micro-benchmarks of the hot paths
	go test -run '^$$' -bench . -benchmem ./resp ./stream ./groups ./aof ./server/...

docs: ## regenerate docs/commands.md and docs/config.md
	go test ./server/command ./server/settings -run Docs -update
