-- The rate of one agent, one caller or the whole service, by the generic cell rate algorithm: a burst of `times`, and one
-- more each `interval`. The key holds its theoretical arrival time: when the bucket is full again.
--
-- KEYS  the bucket
-- ARGV  mode, times, interval; then the times at which it is asked, answered as if it were asked at each alone, in their
--       order. Times and spans are whole microseconds.
--
-- peek    answers what spend would answer to the first, and changes nothing
-- spend   one each. The key expires when the bucket is full again
-- refund  gives back one each, never more than a full bucket. Not to be repeated: a rate keeps no ids
--
-- Answers for each time: 0 admitted | until when the bucket is empty

local key, mode, times, interval = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = tonumber(redis.call('GET', key) or 0)
local full, latest, answers = kept, 0, {}

for i = 4, #ARGV do
    local now = tonumber(ARGV[i])
    local full_again = math.max(full, now)
    local free = full_again + interval - times * interval
    latest = math.max(latest, now)
    if mode == 'refund' then
        full = full_again - interval
        table.insert(answers, 0)
    elseif free > now then
        table.insert(answers, free)
    else
        if mode == 'spend' then
            full = full_again + interval
        end
        table.insert(answers, 0)
    end
end

if full > latest and full ~= kept then
    redis.call('SET', key, string.format('%.0f', full), 'PX', math.ceil((full - latest) / 1000))
elseif full ~= kept then
    redis.call('DEL', key)
end
return answers
