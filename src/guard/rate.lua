-- Rates of one agent, caller or the whole service, by the generic cell rate algorithm: a burst of `times`, and one more
-- each `interval`. A key holds its theoretical arrival time: when the bucket is full again.
--
-- KEYS  one per bucket
-- ARGV  mode, now; then per bucket: times, interval, id (not used). Times and spans are whole microseconds.
--
-- peek    answers what spend would answer, and changes nothing
-- spend   all buckets or none. Each key expires when its bucket is full again
-- refund  gives back one spend each, never more than a full bucket. Not to be repeated: a rate keeps no ids
-- each    spends one bucket several times, as spend would, called at each of the times that follow the bucket. `now` is the
--         latest of them. Answers for each time: 0 admitted | until when the bucket is empty
--
-- Answers {0, index of each bucket...} admitted | {3, index, until} limited, by the bucket that is the last to admit again

local mode, now = ARGV[1], tonumber(ARGV[2])
local buckets = #KEYS

local function bucket(i)
    return KEYS[i], tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
end

local function full_again(key)
    return math.max(tonumber(redis.call('GET', key) or 0), now)
end

local function store(key, time)
    if time > now then
        redis.call('SET', key, string.format('%.0f', time), 'PX', math.ceil((time - now) / 1000))
    else
        redis.call('DEL', key)
    end
end

if mode == 'refund' then
    for i = 1, buckets do
        local key, _, interval = bucket(i)
        store(key, full_again(key) - interval)
    end
    return { 0 }
end

if mode == 'each' then
    local key, times, interval = bucket(1)
    local kept, answers = tonumber(redis.call('GET', key) or 0), {}
    local full = kept
    for i = 6, #ARGV do
        local time = tonumber(ARGV[i])
        local next_full = math.max(full, time) + interval
        local free = next_full - times * interval
        if free > time then
            table.insert(answers, free)
        else
            full = next_full
            table.insert(answers, 0)
        end
    end
    if full > kept then
        store(key, full)
    end
    return answers
end

local admitted, limited, latest = { 0 }, nil, nil
for i = 1, buckets do
    local key, times, interval = bucket(i)
    table.insert(admitted, i)
    local free = full_again(key) + interval - times * interval
    if free > now and (not latest or free > latest) then
        limited, latest = i, free
    end
end
if limited then
    return { 3, limited, latest }
end

if mode == 'spend' then
    for i = 1, buckets do
        local key, _, interval = bucket(i)
        store(key, full_again(key) + interval)
    end
end
return admitted
