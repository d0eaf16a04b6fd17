-- So many documents of the client whose schema is the search_path, a second apart, the same ones each
-- time. Their names and texts are of :words words, of which word n is as frequent as 1 / n (Zipf).
SELECT setseed(0.42);
WITH documents AS (
    INSERT INTO document_metadata (filename, file_size, file_type, content_key, sha256, upload_timestamp, text_state)
    SELECT 'word' || floor(:words ^ random()) || '-word' || floor(:words ^ random()) || '-' || i || '.txt',
           1024,
           (ARRAY['text/plain', 'application/pdf', 'image/png', 'text/html'])[1 + i % 4],
           md5(i::text)::uuid,
           sha256(i::text::bytea),
           to_timestamp(1700000000 + i),
           'Indexed'
    FROM generate_series(1, :count) AS i
    RETURNING id, filename
), texts AS (
    SELECT id, filename, string_agg('word' || floor(:words ^ random()), ' ' ORDER BY n) AS text
    FROM documents, generate_series(1, 30) AS n
    GROUP BY id, filename
)
INSERT INTO document_text (document_id, text, search)
SELECT id, text,
       setweight(to_tsvector('english', translate(filename, '-.', '  ')), 'A') || setweight(to_tsvector('english', text), 'C')
FROM texts WHERE :searched;
VACUUM ANALYZE document_metadata;
VACUUM ANALYZE document_text;
