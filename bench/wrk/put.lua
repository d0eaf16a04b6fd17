-- put.lua PATH BYTES KEY: PUT of a multipart form whose field "file" has so many bytes.
require("report")

function init(arguments)
  wrk.method, wrk.path = "PUT", arguments[1]
  wrk.headers["X-API-Key"] = arguments[3]
  wrk.headers["Content-Type"] = "multipart/form-data; boundary=boundary"
  wrk.body = "--boundary\r\n"
    .. 'Content-Disposition: form-data; name="file"; filename="bench.txt"\r\n'
    .. "Content-Type: text/plain\r\n\r\n"
    .. string.rep("x", tonumber(arguments[2]))
    .. "\r\n--boundary--\r\n"
  body = wrk.format()
end

function request()
  return body
end
