package command

// transactionRows are the commands that the shard carries out itself, because they are about the order of commands.
func transactionRows() []Spec {
	free := NoScript | Loading | Stale | Fast | AllowBusy
	rows := []Spec{
		{Name: "multi", Arity: 1, Flags: free, Cats: CatTransaction, Since: "1.2.0",
			Summary: "Starts a transaction.", Complexity: "O(1)", Step: StepMulti},
		{Name: "exec", Arity: 1, Flags: NoScript | Loading | Stale | SkipSlowlog, Cats: CatTransaction, Since: "1.2.0",
			Summary: "Executes all commands in a transaction.", Complexity: "Depends on commands in the transaction",
			Step: StepExec},
		{Name: "discard", Arity: 1, Flags: free, Cats: CatTransaction, Since: "2.0.0",
			Summary: "Discards a transaction.", Complexity: "O(N), when N is the number of queued commands", Step: StepDiscard},
		{Name: "watch", Arity: -2, Flags: free, Cats: CatTransaction, Since: "2.2.0", Keys: keysFrom(1, 1, KeyRO),
			Args:    "key [key ...]",
			Summary: "Monitors changes to keys to determine the execution of a transaction.", Complexity: "O(1) for every key.",
			Step: StepWatch},
		{Name: "unwatch", Arity: 1, Flags: free, Cats: CatTransaction, Since: "2.2.0",
			Summary: "Forgets about watched keys of a transaction.", Complexity: "O(1)", Step: StepUnwatch},
	}
	for i := range rows {
		rows[i].Group = "transactions"
	}
	acked := []string{"request_policy:all_shards", "response_policy:agg_min"}
	return append(rows,
		Spec{Name: "wait", Arity: 3, Flags: Blocking, Cats: CatConnection, Group: "generic", Since: "3.0.0", Tips: acked,
			Args:       "numreplicas timeout",
			Summary:    "Blocks until the asynchronous replication of all preceding write commands sent by the connection is completed.",
			Complexity: "O(1)", Step: StepWait},
		Spec{Name: "waitaof", Arity: 4, Flags: Blocking, Cats: CatConnection, Group: "generic", Since: "7.2.0", Tips: acked,
			Args:       "numlocal numreplicas timeout",
			Summary:    "Blocks until all of the preceding write commands sent by the connection are written to the append-only file of the master and/or replicas.",
			Complexity: "O(1)", Step: StepWaitAOF},
	)
}
