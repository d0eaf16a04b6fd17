INSERT INTO document_metadata (filename, file_size, file_type, content_key, sha256)
VALUES ('bench.txt', 1024, 'text/plain', $1::text::uuid, decode(repeat('78', 32), 'hex'))
RETURNING id, filename, file_size, file_type, content_key::text, sha256, upload_timestamp
