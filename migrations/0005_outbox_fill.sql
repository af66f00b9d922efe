-- A message is updated three times within a second of being queued. Room for two of the versions on its page keeps the
-- updates that touch no index out of the indexes.
ALTER TABLE outbox SET (fillfactor = 50);
