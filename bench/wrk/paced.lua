-- paced.lua PREFIX COUNT KEY PAUSE: as get.lua, but each connection rests PAUSE milliseconds between two requests, on average.
require("get")
local begin = init

function init(arguments)
  begin(arguments)
  pause = tonumber(arguments[4])
end

function delay()
  return math.random(0, 2 * pause)
end
