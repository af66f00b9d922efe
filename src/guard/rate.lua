-- The rate of one agent, one caller or the whole service, by the generic cell rate algorithm: a burst of `times`, then one
-- more each `interval`. The key holds the theoretical arrival time: the time at which the bucket is full again.
--
-- KEYS  the bucket
-- ARGV  mode, times, interval; then one or more times of calls. Each call is decided as if it had come alone, in this
--       order. Times and spans are whole microseconds.
--
-- peek    answers what spend would answer to the first call, and changes nothing
-- spend   spends one per call. The key expires when the bucket is full again
-- refund  gives back one per call, but never more than a full bucket. Must not be repeated: a rate keeps no ids
--
-- Returns one number per call: 0 if allowed, else the time until which the bucket is empty

local key, mode, times, interval = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local stored = tonumber(redis.call('GET', key) or 0)
local full_time, latest, answers = stored, 0, {}

for i = 4, #ARGV do
    local now = tonumber(ARGV[i])
    local full_from_now = math.max(full_time, now)
    local room_time = full_from_now + interval - times * interval
    latest = math.max(latest, now)
    if mode == 'refund' then
        full_time = full_from_now - interval
        table.insert(answers, 0)
    elseif room_time > now then
        table.insert(answers, room_time)
    else
        if mode == 'spend' then
            full_time = full_from_now + interval
        end
        table.insert(answers, 0)
    end
end

if full_time > latest and full_time ~= stored then
    redis.call('SET', key, string.format('%.0f', full_time), 'PX', math.ceil((full_time - latest) / 1000))
elseif full_time ~= stored then
    redis.call('DEL', key)
end
return answers
