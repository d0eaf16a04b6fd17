-- get.lua PREFIX COUNT KEY: GET PREFIX followed by a random id from 1 to COUNT.
require("report")

function init(arguments)
  prefix, count = arguments[1], tonumber(arguments[2])
  wrk.headers["X-API-Key"] = arguments[3]
  math.randomseed(tonumber(tostring({}):sub(8)) or 1)
end

function request()
  return wrk.format("GET", prefix .. math.random(count))
end
