-- Exact rolling windows of one person or mobile number: in any span of `per`, at most `times`.
-- A rate with a burst of `times` would let almost twice as many through in one span.
--
-- KEYS  one per bucket: sorted set, member = what was spent for, score = when; then, if asked about, the hold
-- ARGV  mode, now; then per bucket: times, per, id. Times and spans are whole microseconds.
--
-- peek    answers what spend would answer, and changes nothing
-- spend   all buckets or none. What is already in a window under the same id is not spent again.
--         Each key expires when its bucket is full again
-- refund  takes out of the windows what was spent under the id at `now`, to the microsecond; harmless when repeated.
--         What an earlier call spent under the same id stays. Does not look at the hold
--
-- Answers {0, index of each bucket that spent...} admitted | {1} hold missing | {2, request, eligible, expire} hold not
-- passed | {3, index, until} limited, by the bucket that is the last to admit again

local mode, now = ARGV[1], tonumber(ARGV[2])
local buckets = (#ARGV - 2) / 3
local hold = KEYS[buckets + 1]

local function bucket(i)
    return KEYS[i], tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1]), ARGV[3 * i + 2]
end

-- Lua alone would write large numbers as 1.7e+15.
local function digits(number)
    return string.format('%.0f', number)
end

if mode == 'refund' then
    for i = 1, buckets do
        local key, _, _, id = bucket(i)
        if tonumber(redis.call('ZSCORE', key, id) or 0) == now then
            redis.call('ZREM', key, id)
        end
    end
    return { 0 }
end

if hold then
    local times = redis.call('GET', hold)
    if not times then
        return { 1 }
    end
    local request, eligible, expire = string.match(times, '^(%d+) (%d+) (%d+)$')
    if now < tonumber(eligible) or now >= tonumber(expire) then
        return { 2, tonumber(request), tonumber(eligible), tonumber(expire) }
    end
end

local admitted, limited, latest = { 0 }, nil, nil
for i = 1, buckets do
    local key, times, per, id = bucket(i)
    local spent = redis.call('ZSCORE', key, id)
    if not spent or tonumber(spent) <= now - per then
        table.insert(admitted, i)
        local start = '(' .. digits(now - per)
        local count = redis.call('ZCOUNT', key, start, '+inf')
        if count >= times then
            -- The spend that must leave the window first. None if the limit is zero.
            local leaves = redis.call('ZRANGEBYSCORE', key, start, '+inf', 'WITHSCORES', 'LIMIT', count - times, 1)
            local free = (tonumber(leaves[2]) or now) + per
            if not latest or free > latest then
                limited, latest = i, free
            end
        end
    end
end
if limited then
    return { 3, limited, latest }
end

if mode == 'spend' then
    for spend = 2, #admitted do
        local key, _, per, id = bucket(admitted[spend])
        redis.call('ZREMRANGEBYSCORE', key, '-inf', digits(now - per))
        redis.call('ZADD', key, digits(now), id)
        -- Another instance's clock may be ahead: the newest spend is not always this one.
        local newest = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
        redis.call('PEXPIRE', key, digits(math.ceil((tonumber(newest[2]) + per - now) / 1000)))
    end
end
return admitted
