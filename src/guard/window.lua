-- Exact rolling windows of one person or mobile number: at most `times` spends in any span of `per`.
-- A rate with a burst of `times` would allow almost twice as many in one span.
--
-- KEYS  one per bucket: a sorted set, whose members are the ids that were spent and whose scores are the times;
--       then the hold, if it must be checked
-- ARGV  mode, now; then times, per and id of each bucket. Times and spans are whole microseconds.
--
-- peek    answers what spend would answer, and changes nothing
-- spend   spends in all buckets or in none. An id that is in a window already is not spent again.
--         Each key expires when its window is empty
-- refund  removes the ids that were spent at exactly `now`. Can be repeated without harm.
--         What an earlier call spent under the same id stays. Ignores the hold
--
-- Returns {0, index of each bucket that spent ...}   allowed
--         {1}                                        there is no hold
--         {2, request, eligible, expire}             the hold has not passed
--         {3, index, until}                          limited by this bucket, which is the last to have room again

local mode, now = ARGV[1], tonumber(ARGV[2])
local bucket_count = (#ARGV - 2) / 3
local hold_key = KEYS[bucket_count + 1]

local function read_bucket(i)
    return KEYS[i], tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1]), ARGV[3 * i + 2]
end

-- Lua itself formats large numbers as 1.7e+15.
local function to_digits(number)
    return string.format('%.0f', number)
end

if mode == 'refund' then
    for i = 1, bucket_count do
        local key, _, _, id = read_bucket(i)
        if tonumber(redis.call('ZSCORE', key, id) or 0) == now then
            redis.call('ZREM', key, id)
        end
    end
    return { 0 }
end

if hold_key then
    local hold = redis.call('GET', hold_key)
    if not hold then
        return { 1 }
    end
    local request, eligible, expire = string.match(hold, '^(%d+) (%d+) (%d+)$')
    if now < tonumber(eligible) or now >= tonumber(expire) then
        return { 2, tonumber(request), tonumber(eligible), tonumber(expire) }
    end
end

local allowed, limited_index, limited_until = { 0 }, nil, nil
for i = 1, bucket_count do
    local key, times, per, id = read_bucket(i)
    local spent_at = redis.call('ZSCORE', key, id)
    if not spent_at or tonumber(spent_at) <= now - per then
        table.insert(allowed, i)
        local start = '(' .. to_digits(now - per)
        local count = redis.call('ZCOUNT', key, start, '+inf')
        if count >= times then
            -- There is room when this spend leaves the window. There is no such spend if the limit is zero.
            local leaves = redis.call('ZRANGEBYSCORE', key, start, '+inf', 'WITHSCORES', 'LIMIT', count - times, 1)
            local room_time = (tonumber(leaves[2]) or now) + per
            if not limited_until or room_time > limited_until then
                limited_index, limited_until = i, room_time
            end
        end
    end
end
if limited_index then
    return { 3, limited_index, limited_until }
end

if mode == 'spend' then
    for n = 2, #allowed do
        local key, _, per, id = read_bucket(allowed[n])
        redis.call('ZREMRANGEBYSCORE', key, '-inf', to_digits(now - per))
        redis.call('ZADD', key, to_digits(now), id)
        -- The newest spend may be later than `now`, because the clock of another instance may be ahead.
        local newest = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
        redis.call('PEXPIRE', key, to_digits(math.ceil((tonumber(newest[2]) + per - now) / 1000)))
    end
end
return allowed
