-- views.lua PATH VIEWS KEY: POST of so many page views, as a page of a browser tells of them.
require("report")

function init(arguments)
  wrk.method, wrk.path = "POST", arguments[1]
  wrk.headers["X-API-Key"] = arguments[3]
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
  local views = {}
  for view = 1, tonumber(arguments[2]) do
    views[view] = string.format('{"path": "/page/%d", "referrer": "https://search.example/"}', view)
  end
  wrk.body = '{"views": [' .. table.concat(views, ", ") .. "]}"
  body = wrk.format()
end

function request()
  return body
end
