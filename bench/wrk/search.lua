-- search.lua PATH WORDS KEY: searches for one or two of the words of documents.sql, the frequent ones more often.
require("report")

function init(arguments)
  path, words = arguments[1], tonumber(arguments[2])
  wrk.headers["X-API-Key"] = arguments[3]
  math.randomseed(tonumber(tostring({}):sub(8)) or 1)
end

local function word()
  return "word" .. math.floor(words ^ math.random())
end

function request()
  local query = math.random() < 0.5 and word() or word() .. "%20" .. word()
  return wrk.format("GET", path .. "?q=" .. query)
end
