package command

// Times of the stream commands, as the documentation shows them.
const (
	perID     = "O(1) for each message ID processed."
	perDelete = "O(1) for each single item to delete in the stream, regardless of the stream size."
	rangeCost = "O(N) with N being the number of elements being returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1)."
	trimArgs  = "<MAXLEN | MINID> [= | ~] threshold [LIMIT count]"
	refArgs   = "[KEEPREF | DELREF | ACKED]"
)

// streamRows are the stream commands.
func streamRows() []Spec {
	rows := []Spec{
		{Name: "xadd", Arity: -5, Flags: Write | DenyOOM | Fast, Since: "5.0.0",
			Keys:       noted(keyAt(1, KeyRW|KeyUpdate), "UPDATE instead of INSERT because of the optional trimming feature"),
			Tips:       []string{"nondeterministic_output"},
			Args:       "key [NOMKSTREAM] " + refArgs + " [IDMPAUTO pid | IDMP pid iid] [" + trimArgs + "] <* | id> field value [field value ...]",
			Summary:    "Appends a new message to a stream. Creates the key if it doesn't exist.",
			Complexity: "O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.",
			Parse:      parseXAdd},
		{Name: "xtrim", Arity: -4, Flags: Write, Since: "5.0.0", Keys: keyAt(1, KeyRW|KeyDelete),
			Tips:       []string{"nondeterministic_output"},
			Args:       "key " + trimArgs + " " + refArgs,
			Summary:    "Deletes messages from the beginning of a stream.",
			Complexity: "O(N), with N being the number of evicted entries. Constant times are very small however, since entries are organized in macro nodes containing multiple entries that can be released with a single deallocation.",
			Parse:      parseXTrim},
		{Name: "xdel", Arity: -3, Flags: Write | Fast, Since: "5.0.0", Keys: keyAt(1, KeyRW|KeyDelete),
			Args:    "key id [id ...]",
			Summary: "Returns the number of messages after removing them from a stream.", Complexity: perDelete,
			Parse: parseXDel},
		{Name: "xdelex", Arity: -5, Flags: Write | Fast, Since: "8.2.0", Keys: keyAt(1, KeyRW|KeyDelete),
			Args:    "key " + refArgs + " IDS numids id [id ...]",
			Summary: "Deletes one or multiple entries from the stream.", Complexity: perDelete,
			Parse: parseXDelEx},
		{Name: "xsetid", Arity: -3, Flags: Write | DenyOOM | Fast, Since: "5.0.0", Keys: keyAt(1, KeyRW|KeyUpdate),
			Args:    "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
			Summary: "An internal command for replicating stream values.", Complexity: "O(1)",
			Parse: parseXSetID},
		{Name: "xcfgset", Arity: -2, Flags: Write | Fast, Since: "8.6.0", Keys: keyAt(1, KeyRW|KeyUpdate),
			Args:    "key [IDMP-DURATION idmp-duration] [IDMP-MAXSIZE idmp-maxsize]",
			Summary: "Sets the idempotent production parameters of a stream.", Complexity: "O(1)",
			Parse: parseXCfgSet},
		{Name: "xidmprecord", Arity: 5, Flags: Write | DenyOOM | Fast, Since: "8.8.0", Keys: keyAt(1, KeyRW|KeyUpdate),
			Args:    "key pid iid id",
			Summary: "An internal command for restoring the idempotent IDs of a stream.", Complexity: "O(1)",
			Parse: parseXIdmpRecord},
		{Name: "xlen", Arity: 2, Flags: ReadOnly | Fast, Since: "5.0.0", Keys: keyAt(1, KeyRO),
			Args: "key", Summary: "Return the number of messages in a stream.", Complexity: "O(1)",
			Parse: parseXLen},
		{Name: "xrange", Arity: -4, Flags: ReadOnly, Since: "5.0.0", Keys: keyAt(1, KeyRO|KeyAccess),
			Args:    "key start end [COUNT count]",
			Summary: "Returns the messages from a stream within a range of IDs.", Complexity: rangeCost,
			Parse: parseXRange},
		{Name: "xrevrange", Arity: -4, Flags: ReadOnly, Since: "5.0.0", Keys: keyAt(1, KeyRO|KeyAccess),
			Args:    "key end start [COUNT count]",
			Summary: "Returns the messages from a stream within a range of IDs in reverse order.", Complexity: rangeCost,
			Parse: parseXRevRange},
		{Name: "xread", Arity: -4, Flags: ReadOnly | Blocking | MovableKeys, Since: "5.0.0",
			Keys:       keysAfter("STREAMS", 1, KeyRO|KeyAccess|KeyIncomplete),
			Args:       "[COUNT count] [MAXCOUNT maxcount] [MAXSIZE maxsize] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
			Summary:    "Returns messages from multiple streams with IDs greater than the ones requested. Blocks until a message is available otherwise.",
			Complexity: "O(N) with N being the number of messages returned for each stream.",
			Parse:      parseXRead},
	}
	rows = append(rows, groupRows()...)
	rows = append(rows, infoRows()...)
	for i := range rows {
		s := &rows[i]
		s.Group = "stream"
		if !s.Container {
			s.Cats |= CatStream
		}
	}
	return rows
}

// groupRows are the commands of consumer groups.
func groupRows() []Spec {
	return []Spec{
		{Name: "xgroup", Arity: -2, Since: "5.0.0", Container: true,
			Summary: "A container for consumer groups commands.", Complexity: "Depends on subcommand."},
		{Name: "xgroup|create", Arity: -5, Flags: Write | DenyOOM, Since: "5.0.0", Keys: keyAt(2, KeyRW|KeyInsert),
			Args:    "key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]",
			Summary: "Creates a consumer group.", Complexity: "O(1)",
			Parse: parseXGroupCreate},
		{Name: "xgroup|createconsumer", Arity: 5, Flags: Write | DenyOOM, Since: "6.2.0", Keys: keyAt(2, KeyRW|KeyInsert),
			Args: "key group consumer", Summary: "Creates a consumer in a consumer group.", Complexity: "O(1)",
			Parse: parseXGroupCreateConsumer},
		{Name: "xgroup|delconsumer", Arity: 5, Flags: Write, Since: "5.0.0", Keys: keyAt(2, KeyRW|KeyDelete),
			Args: "key group consumer", Summary: "Deletes a consumer from a consumer group.", Complexity: "O(1)",
			Parse: parseXGroupDelConsumer},
		{Name: "xgroup|destroy", Arity: 4, Flags: Write, Since: "5.0.0", Keys: keyAt(2, KeyRW|KeyDelete),
			Args: "key group", Summary: "Destroys a consumer group.",
			Complexity: "O(N) where N is the number of entries in the group's pending entries list (PEL).",
			Parse:      parseXGroupDestroy},
		{Name: "xgroup|setid", Arity: -5, Flags: Write, Since: "5.0.0", Keys: keyAt(2, KeyRW|KeyUpdate),
			Args:    "key group <id | $> [ENTRIESREAD entries-read]",
			Summary: "Sets the last-delivered ID of a consumer group.", Complexity: "O(1)",
			Parse: parseXGroupSetID},
		helpRow("xgroup", "stream", "5.0.0", CatStream),
		{Name: "xreadgroup", Arity: -7, Flags: Write | Blocking | MovableKeys, Since: "5.0.0",
			Keys:       keysAfter("STREAMS", 4, KeyRO|KeyAccess|KeyIncomplete),
			Args:       "GROUP group consumer [COUNT count] [MAXCOUNT maxcount] [MAXSIZE maxsize] [BLOCK milliseconds] [CLAIM min-idle-time] [NOACK] STREAMS key [key ...] id [id ...]",
			Summary:    "Returns new or historical messages from a stream for a consumer in a group. Blocks until a message is available otherwise.",
			Complexity: "For each stream mentioned: O(M) with M being the number of elements returned. If M is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1). On the other side when XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N clients blocked on the stream getting new data.",
			Parse:      parseXReadGroup},
		{Name: "xack", Arity: -4, Flags: Write | Fast, Since: "5.0.0", Keys: keyAt(1, KeyRW|KeyUpdate),
			Args:       "key group id [id ...]",
			Summary:    "Returns the number of messages that were successfully acknowledged by the consumer group member of a stream.",
			Complexity: perID, Parse: parseXAck},
		{Name: "xackdel", Arity: -6, Flags: Write | Fast, Since: "8.2.0", Keys: keyAt(1, KeyRW|KeyUpdate|KeyDelete),
			Args:    "key group " + refArgs + " IDS numids id [id ...]",
			Summary: "Acknowledges and deletes one or multiple messages for a stream consumer group.", Complexity: perID,
			Parse: parseXAckDel},
		{Name: "xnack", Arity: -7, Flags: Write | Fast, Since: "8.8.0", Keys: keyAt(1, KeyRW|KeyUpdate),
			Args:    "key group <SILENT | FAIL | FATAL> IDS numids id [id ...] [RETRYCOUNT count] [FORCE]",
			Summary: "Gives pending messages of a consumer group back, to be claimed by any consumer.", Complexity: perID,
			Parse: parseXNack},
		{Name: "xclaim", Arity: -6, Flags: Write | Fast, Since: "5.0.0", Keys: keyAt(1, KeyRW|KeyUpdate),
			Tips:       []string{"nondeterministic_output"},
			Args:       "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]",
			Summary:    "Changes, or acquires, ownership of a message in a consumer group, as if the message was delivered a consumer group member.",
			Complexity: "O(log N) with N being the number of messages in the PEL of the consumer group.",
			Parse:      parseXClaim},
		{Name: "xautoclaim", Arity: -6, Flags: Write | Fast, Since: "6.2.0", Keys: keyAt(1, KeyRW|KeyDelete),
			Tips:       []string{"nondeterministic_output"},
			Args:       "key group consumer min-idle-time start [COUNT count] [JUSTID]",
			Summary:    "Changes, or acquires, ownership of messages in a consumer group, as if the messages were delivered to as consumer group member.",
			Complexity: "O(1) if COUNT is small.", Parse: parseXAutoClaim},
	}
}

// infoRows are the commands that report on streams and groups.
func infoRows() []Spec {
	return []Spec{
		{Name: "xpending", Arity: -3, Flags: ReadOnly, Since: "5.0.0", Keys: keyAt(1, KeyRO|KeyAccess),
			Tips:       []string{"nondeterministic_output"},
			Args:       "key group [[IDLE min-idle-time] start end count [consumer]]",
			Summary:    "Returns the information and entries from a stream consumer group's pending entries list.",
			Complexity: "O(N) with N being the number of elements returned, so asking for a small fixed number of entries per call is O(1). O(M), where M is the total number of entries scanned when used with the IDLE filter. When the command returns just the summary and the list of consumers is small, it runs in O(1) time; otherwise, an additional O(N) time for iterating every consumer.",
			Parse:      parseXPending},
		{Name: "xinfo", Arity: -2, Since: "5.0.0", Container: true,
			Summary: "A container for stream introspection commands.", Complexity: "Depends on subcommand."},
		{Name: "xinfo|consumers", Arity: 4, Flags: ReadOnly, Since: "5.0.0", Keys: keyAt(2, KeyRO|KeyAccess),
			Tips: []string{"nondeterministic_output"},
			Args: "key group", Summary: "Returns a list of the consumers in a consumer group.", Complexity: "O(1)",
			Parse: parseXInfoConsumers},
		{Name: "xinfo|groups", Arity: 3, Flags: ReadOnly, Since: "5.0.0", Keys: keyAt(2, KeyRO|KeyAccess),
			Args: "key", Summary: "Returns a list of the consumer groups of a stream.", Complexity: "O(1)",
			Parse: parseXInfoGroups},
		{Name: "xinfo|stream", Arity: -3, Flags: ReadOnly, Since: "5.0.0", Keys: keyAt(2, KeyRO|KeyAccess),
			Args: "key [FULL [COUNT count]]", Summary: "Returns information about a stream.", Complexity: "O(1)",
			Parse: parseXInfoStream},
		helpRow("xinfo", "stream", "5.0.0", CatStream),
	}
}
