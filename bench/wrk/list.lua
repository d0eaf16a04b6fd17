-- list.lua PATH COUNT KEY: pages that start anywhere in COUNT documents, uploaded a second apart (documents.sql).
require("report")

function init(arguments)
  path, count = arguments[1], tonumber(arguments[2])
  wrk.headers["X-API-Key"] = arguments[3]
  math.randomseed(tonumber(tostring({}):sub(8)) or 1)
end

-- As the API writes a cursor: microseconds since 1970 and the id, both in hex.
function request()
  local id = math.random(count)
  local seconds = 1700000000 + id
  local high = math.floor(seconds * 1000000 / 2 ^ 32)
  local low = seconds * 1000000 % 2 ^ 32
  return wrk.format("GET", string.format("%s?limit=50&cursor=%08x%08x%016x", path, high, low, id))
end
